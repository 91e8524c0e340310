"""Preparing is what training on the text itself does: the same vocabulary, and the same three streams."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpylm.data import preparation, text_pieces, token_counts
from numpylm.data.corpora import load_corpus
from numpylm.data.preparation import prepare_parts, prepare_text, readable_twice
from numpylm.data.text import build_vocabulary, encode_stream
from numpylm.data.text_pieces import TextFile
from numpylm.data.token_file import TokenFileError, open_token_file, verify

ODD = [
    "a",
    "bc",
    "d",
    " ",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\x1c",
    "\x85",
    "é",
    "日本",
    "\U0001f600",
    "<eos>",
    "<unk>",
    "\ufeff",
]
TEXTS = st.lists(st.sampled_from(ODD), min_size=30, max_size=90).map("".join)
SPLITS = st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.7, 0.0, 0.3), (0.6, 0.3, 0.1)])
LEVELS = st.sampled_from(["char", "word"])


def text_file(folder, content, name="text.txt"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return TextFile(folder / name, name)


def assert_prepared_as(out, corpus, level, min_count=1, max_size=None, vocabulary=None):
    """The token file holds what training on the corpus's texts would make of them."""
    vocabulary = vocabulary or build_vocabulary(corpus.train, level, min_count, max_size)
    verify(out)
    file = open_token_file(out)
    assert file.vocabulary == vocabulary
    for part, stream in file.tokens.items():
        expected = encode_stream(vocabulary, getattr(corpus, part))
        assert stream.dtype == expected.dtype and stream.tolist() == expected.tolist(), part
        assert file.characters[part] == len(getattr(corpus, part))


@given(TEXTS, SPLITS, LEVELS, st.integers(1, 2), st.sampled_from([None, 3, 5]), st.integers(1, 50), st.integers(0, 5))
def test_a_text_is_prepared_as_training_on_it_would(
    tmp_path_factory, text, fractions, level, min_count, max_size, block_bytes, most_words
):
    folder = tmp_path_factory.mktemp("prepared")
    file, out = text_file(folder, text), folder / "out.tokens"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_pieces, "BLOCK_BYTES", block_bytes)
        patch.setattr(token_counts, "MOST_WORDS", most_words)
        for module in ("numpylm.data.corpora", "numpylm.data.text_pieces"):
            patch.setattr(f"{module}.FAR", 10)
        try:
            corpus = load_corpus(file.path, level, fractions)
            expected = [len(encode_stream(build_vocabulary(corpus.train, level, min_count, max_size), corpus.train))]
            expected += [corpus.valid.split(), corpus.test.split()]
        except ValueError:
            expected = [[]]
        if not all(expected):
            return
        prepare_text([file], out, level, fractions, min_count, max_size)
        assert_prepared_as(out, corpus, level, min_count, max_size)
    assert sorted(os.listdir(folder)) == ["out.tokens", "text.txt"]


def test_a_longer_text_in_many_pieces_with_words_that_overflow(tmp_path, monkeypatch):
    monkeypatch.setattr(text_pieces, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(token_counts, "MOST_WORDS", 50)
    text = "\r\n".join(f"the é{number % 300} is {number}" for number in range(3000))
    file = text_file(tmp_path, text)
    for level in ("char", "word"):
        for min_count, max_size in ((1, None), (2, None), (1, 100)):
            out = tmp_path / f"{level}-{min_count}-{max_size}.tokens"
            prepare_text([file], out, level, (0.8, 0.1, 0.1), min_count, max_size)
            assert_prepared_as(out, load_corpus(file.path, level), level, min_count, max_size)


def test_several_files_are_one_text(tmp_path):
    lines = "".join(f"line {number} é\n" for number in range(60))
    files = [
        text_file(tmp_path, b"\xef\xbb\xbf" + lines[:300].encode() + b"\r\n", "a.txt"),
        text_file(tmp_path, "\ufeff" + lines[300:].rstrip("\n"), "b.txt"),
        text_file(tmp_path, "the last", "c.txt"),
    ]
    whole = text_file(tmp_path, f"{lines[:300]}\n{lines[300:]}the last", "whole.txt")
    for level in ("char", "word"):
        prepare_text(files, tmp_path / f"{level}.tokens", level, (0.8, 0.1, 0.1))
        assert_prepared_as(tmp_path / f"{level}.tokens", load_corpus(whole.path, level), level)


def test_three_files_are_the_three_parts(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    files = [text_file(folder, f"{part} a b c\na {part}\n", f"{part}.txt") for part in ("train", "valid", "test")]
    for level in ("char", "word"):
        prepare_parts(files, tmp_path / f"{level}.tokens", level)
        assert_prepared_as(tmp_path / f"{level}.tokens", load_corpus(folder), level)


def test_a_vocabulary_that_is_given_is_used_and_then_all_may_be_for_testing(tmp_path):
    file = text_file(tmp_path, "a b zebra\n" * 10)
    vocabulary = build_vocabulary("a b c a\n", "word")
    prepare_text([file], tmp_path / "a.tokens", "word", (0.8, 0.1, 0.1), vocabulary=vocabulary)
    assert_prepared_as(tmp_path / "a.tokens", load_corpus(file.path, "word"), "word", vocabulary=vocabulary)
    prepare_text([file], tmp_path / "b.tokens", "word", (0, 0, 1), vocabulary=vocabulary)
    tokens = open_token_file(tmp_path / "b.tokens").tokens
    assert tokens["test"].tolist() == encode_stream(vocabulary, "a b zebra\n" * 10).tolist()
    assert tokens["train"].tolist() == [1]
    with pytest.raises(ValueError, match="the vocabulary is one of words, and level 'char'"):
        prepare_text([file], tmp_path / "c.tokens", "char", (0.8, 0.1, 0.1), vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("content", "choices", "message"),
    [
        (b"a b\n" * 9, {"fractions": (0, 0, 1)}, r"fractions are three numbers .* got \(0, 0, 1\)"),
        (b"a b\n" * 9, {"fractions": (0.5, 0.6, 0.1)}, "sum to 1"),
        (b"a b\n" * 9, {"level": "letter"}, "'char' or 'word', got 'letter'"),
        (b"a b\n" * 9, {"min_count": 0}, "min_count is an integer of at least 1"),
        (b"a b\n" * 9, {"min_count": 99}, "no word occurs at least 99 times in a text of 28 characters"),
        (b"a b\n", {}, "the valid part has no text; in tokens, train has 3, valid has 0, test has 0"),
        (b"a b\n" * 9 + b"\n" * 40, {"fractions": (0.25, 0.3, 0.45)}, "the test part has no text"),
        (b"", {}, "text.txt is empty"),
        (b"a\xff", {}, "text.txt is not UTF-8 text: byte 1"),
    ],
)
def test_what_cannot_be_prepared_is_refused_and_leaves_nothing(tmp_path, content, choices, message):
    file = text_file(tmp_path, content)
    settings = {"level": "word", "fractions": (0.8, 0.1, 0.1)} | choices
    with pytest.raises(ValueError, match=message):
        prepare_text([file], tmp_path / "out.tokens", **settings)
    assert os.listdir(tmp_path) == ["text.txt"]


def test_a_text_that_grows_meanwhile_gives_a_sound_file_or_an_error(tmp_path):
    file = text_file(tmp_path, "a b\n" * 100)

    def growing(task, size):
        if task == "encoding":
            file.path.write_text("a b\n" * 99 + "a")
        return preparation.nullcontext(bool)

    with pytest.raises(ValueError, match="changed while it was read"):
        prepare_text([file], tmp_path / "out.tokens", "word", (0.8, 0.1, 0.1), progress=growing)
    assert os.listdir(tmp_path) == ["text.txt"]


def test_each_pass_tells_the_bytes_it_reads(tmp_path):
    file = text_file(tmp_path, "é b\n" * 100)
    passes = {}

    def progress(task, size):
        assert size == 500
        passes[task] = 0

        def add(number):
            passes[task] += number

        return preparation.nullcontext(add)

    prepare_text([file], tmp_path / "out.tokens", "char", (0.8, 0.1, 0.1), progress=progress)
    assert passes == {"length": 500, "counting": 500, "encoding": 500}


# What can be read once only


def test_standard_input_is_kept_in_a_file_while_it_is_needed(tmp_path):
    with readable_twice("-", tmp_path, io.BytesIO(b"some text")) as file:
        assert file.name == "standard input" and file.path.read_bytes() == b"some text"
        assert file.path.parent == tmp_path
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_is_kept_in_a_file_too(tmp_path):
    import threading

    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(b"piped"))
    writer.start()
    with readable_twice(str(tmp_path / "pipe"), tmp_path, None) as file:
        assert file.path.read_bytes() == b"piped" and file.name.endswith("pipe")
    writer.join()
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_file_is_read_where_it_is_and_what_is_none_is_refused(tmp_path):
    path = text_file(tmp_path, "a").path
    with readable_twice(str(path), tmp_path, None) as file:
        assert file.path == path
    for name, error in ((str(tmp_path), IsADirectoryError), (str(tmp_path / "nowhere"), FileNotFoundError)):
        with pytest.raises(error, match=name), readable_twice(name, tmp_path, None):
            pass


def test_a_full_disk_is_told_with_the_files_name(tmp_path, monkeypatch):
    file = text_file(tmp_path, "a b\n" * 100)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TokenFileError, match=r"out\.tokens: No space left on device; nothing was written"):
        prepare_text([file], tmp_path / "out.tokens", "word", (0.8, 0.1, 0.1))
    assert os.listdir(tmp_path) == ["text.txt"]
