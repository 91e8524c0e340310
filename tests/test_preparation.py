"""Preparing is what training on the text itself does: the same vocabulary, and the same three streams."""

import io
import os
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpylm.data import preparation, text, text_files
from numpylm.data.corpora import load_corpus
from numpylm.data.preparation import open_texts, prepare, word_counts
from numpylm.data.text import build_vocabulary, encode_stream
from numpylm.data.text_files import read_pieces
from numpylm.data.token_file import open_token_file, verify

ODD = ["a", "bc", "d", " ", " ", "\n", "\r\n", "\r", "\t", "\x1c", "\x85", "é", "日本", "\U0001f600"]
ODD += ["<eos>", "<unk>", "\ufeff"]
TEXTS = st.lists(st.sampled_from(ODD), min_size=30, max_size=90).map("".join)
SPLITS = st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.7, 0.0, 0.3), (0.6, 0.3, 0.1)])
LEVELS = st.sampled_from(["char", "word"])


def text_file(folder, content, name="text.txt"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def opened(*paths):
    return open_texts(list(map(str, paths)), paths[0].parent, None)


def assert_prepared_as(out, corpus, level, min_count=1, max_size=None, vocabulary=None):
    """The token file holds what training on the corpus's texts would make of them."""
    vocabulary = vocabulary or build_vocabulary(corpus.train, level, min_count, max_size, corpus.ends_blank_lines)
    verify(out)
    file = open_token_file(out)
    assert file.vocabulary == vocabulary
    for part, stream in file.tokens.items():
        expected = encode_stream(vocabulary, getattr(corpus, part))
        assert stream.dtype == expected.dtype and stream.tolist() == expected.tolist(), part
        assert file.characters[part] == len(getattr(corpus, part))


@given(TEXTS, SPLITS, LEVELS, st.integers(1, 2), st.sampled_from([None, 3, 5]), st.integers(1, 50), st.integers(0, 5))
def test_a_text_is_prepared_as_training_on_it_would(
    tmp_path_factory, text, fractions, level, min_count, max_size, characters, most_words
):
    folder = tmp_path_factory.mktemp("prepared")
    path, out = text_file(folder, text), folder / "out.tokens"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_files, "PIECE_BYTES", characters)
        patch.setattr(text_files, "FAR", 10)
        patch.setattr(preparation, "MOST_WORDS", most_words)
        try:
            corpus = load_corpus(path, level, fractions)
            expected = [len(encode_stream(build_vocabulary(corpus.train, level, min_count, max_size), corpus.train))]
            expected += [corpus.valid.split(), corpus.test.split()]
        except ValueError:
            expected = [[]]
        if not all(expected):
            return
        with opened(path) as files:
            prepare(files, out, level, fractions, min_count, max_size)
        assert_prepared_as(out, corpus, level, min_count, max_size)
    assert sorted(os.listdir(folder)) == ["out.tokens", "text.txt"]


@pytest.mark.parametrize("level", ["char", "word"])
def test_several_files_are_one_long_text(tmp_path, monkeypatch, level):
    monkeypatch.setattr(text_files, "PIECE_BYTES", 1000)
    monkeypatch.setattr(preparation, "MOST_WORDS", 50)
    lines = "".join(f"the é{number % 300} is {number}\r\n" for number in range(3000))
    first, second = lines[:30_000], lines[30_000:].rstrip()
    contents = {"a.txt": f"\ufeff{first}", "b.txt": f"\ufeff{second}", "c.txt": "the last"}
    paths = [text_file(tmp_path, content, name) for name, content in contents.items()]
    between = "" if first.endswith("\n") else "\n"
    whole = text_file(tmp_path, f"{first}{between}{second}\nthe last", "whole.txt")
    for min_count, max_size in ((1, None), (2, None), (1, 100)):
        with opened(*paths) as files:
            prepare(files, tmp_path / "out.tokens", level, (0.8, 0.1, 0.1), min_count, max_size)
        assert_prepared_as(tmp_path / "out.tokens", load_corpus(whole, level), level, min_count, max_size)


@pytest.mark.parametrize("names", ["{}.txt", "wiki.{}.tokens"])
@pytest.mark.parametrize("level", ["char", "word"])
def test_three_files_are_the_three_parts(tmp_path, names, level):
    folder, out = tmp_path / "corpus", tmp_path / "out.tokens"
    folder.mkdir()
    parts = ("train", "valid", "test")
    with opened(*(text_file(folder, f"\n {part} a b c\n \na {part}\n", names.format(part)) for part in parts)) as files:
        prepare(files, out, level)
    assert_prepared_as(out, load_corpus(folder), level)
    ends = open_token_file(out).tokens["valid"].tolist().count(1)
    assert level == "char" or ends == 1 + (4 if "wiki" in names else 2)  # the stream's start, and a line's end each


def test_a_vocabulary_that_is_given_is_used_and_then_all_may_be_for_testing(tmp_path):
    path = text_file(tmp_path, "a b zebra\n\n" * 10)
    vocabulary = build_vocabulary("a b c a\n", "word", ends_blank_lines=True)
    with opened(path) as files:
        prepare(files, tmp_path / "a.tokens", "word", (0.8, 0.1, 0.1), vocabulary=vocabulary)
        assert_prepared_as(tmp_path / "a.tokens", load_corpus(path, "word"), "word", vocabulary=vocabulary)
        prepare(files, tmp_path / "b.tokens", "word", (0, 0, 1), vocabulary=vocabulary)
        tokens = open_token_file(tmp_path / "b.tokens").tokens
        assert tokens["test"].tolist() == encode_stream(vocabulary, "a b zebra\n\n" * 10).tolist()
        assert tokens["train"].tolist() == [1]
        with pytest.raises(ValueError, match="the vocabulary is one of words, and level 'char'"):
            prepare(files, tmp_path / "c.tokens", "char", (0.8, 0.1, 0.1), vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("content", "choices", "message"),
    [
        (b"a b\n" * 9, {"fractions": (0, 0, 1)}, r"fractions are three numbers .* got \(0, 0, 1\)"),
        (b"a b\n" * 9, {"level": "letter"}, "level must be one of char, word; got 'letter'"),
        (b"a b\n" * 9, {"min_count": 0}, "min_count must be a positive integer"),
        (b"a b\n" * 9, {"min_count": 99}, "no word occurs at least 99 times in the training text"),
        (b"a b\n", {}, "the valid part has no text; in tokens, train has 3, valid has 0, test has 0"),
        (b"a b\n" * 9 + b"\n" * 40, {"fractions": (0.25, 0.3, 0.45)}, "the test part has no text"),
        (b"", {}, "text.txt is empty"),
        (b"a\xff", {}, "text.txt is not UTF-8 text: byte 1"),
        (b"a b\0", {}, "text.txt holds NUL bytes"),
        (b"a b c d e f\n" * 9, {"max_size": None}, "more than 7 words.*--min-count 2"),
    ],
)
def test_what_cannot_be_prepared_is_refused_and_leaves_nothing(tmp_path, monkeypatch, content, choices, message):
    """What prepare writes, train reads: a vocabulary that is too large for a model is refused here."""
    monkeypatch.setattr(text, "MAX_VOCABULARY", 7)
    settings = {"level": "word", "fractions": (0.8, 0.1, 0.1)} | choices
    with pytest.raises(ValueError, match=message), opened(text_file(tmp_path, content)) as files:
        prepare(files, tmp_path / "out.tokens", **settings)
    assert os.listdir(tmp_path) == ["text.txt"]


@pytest.mark.parametrize("changing", [False, True])
def test_a_text_that_changes_meanwhile_gives_an_error_and_each_pass_tells_its_bytes(tmp_path, changing):
    path, passes = text_file(tmp_path, "é b\n" * 100), {}

    def progress(task, size):
        assert size == 500
        passes[task] = []
        if task == "encoding" and changing:
            path.write_text("a b\n" * 99 + "a")
        return preparation.nullcontext(passes[task].append)

    expected = pytest.raises(ValueError, match="changed while it was read") if changing else preparation.nullcontext()
    with opened(path) as files, expected:
        prepare(files, tmp_path / "out.tokens", "char", (0.8, 0.1, 0.1), progress=progress)
    assert list(passes) == ["length", "counting", "encoding"]
    assert changing or {task: sum(sizes) for task, sizes in passes.items()} == dict.fromkeys(passes, 500)
    assert sorted(os.listdir(tmp_path)) == ["out.tokens"] * (not changing) + ["text.txt"]


# Standard input, and other things that cannot be read twice


def test_standard_input_is_kept_in_a_nameless_file_while_it_is_needed(tmp_path):
    text_file(tmp_path, "b")
    with open_texts(["-", str(tmp_path / "text.txt")], tmp_path, io.BytesIO(b"some text")) as files:
        for _ in range(2):
            assert "".join(read_pieces(files)) == "some text\nb"
        assert [file.name for file in files] == ["standard input", str(tmp_path / "text.txt")]
        assert os.listdir(tmp_path) == ["text.txt"] or os.name != "posix"
    assert os.listdir(tmp_path) == ["text.txt"]


def test_every_name_is_opened_before_the_first_is_read(tmp_path):
    text_file(tmp_path, "a")
    for name, error in ((str(tmp_path), IsADirectoryError), ("nowhere", FileNotFoundError)):
        with pytest.raises(error, match=name), open_texts([str(tmp_path / "text.txt"), name], tmp_path, None):
            pass


# Counting


def test_more_different_words_than_fit_leave_memory_and_nothing_stays_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    monkeypatch.setattr(preparation, "MOST_WORDS", 100)
    sizes = []

    class Counts(Counter):
        def clear(self):
            sizes.append(len(self))
            super().clear()

    monkeypatch.setattr(preparation, "Counter", Counts)
    pieces = [" ".join(f"w{number % 700}" for number in range(start, start + 50)) + " " for start in range(0, 3000, 50)]
    assert dict(word_counts(pieces)) == Counter("".join(pieces).split())
    assert len(sizes) > 5 and max(sizes) <= 150
    assert list(tmp_path.iterdir()) == []
