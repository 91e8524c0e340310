"""What a corpus can be: the built-in grammar, a file, a folder; and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm.data import grammar, text_files
from numpylm.data.corpora import load_corpus, split_text

LINES = "".join(f"line number {number}\n" for number in range(40))


def write_parts(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text(f"text of {name}\n", encoding="utf-8")


def parts_of(corpus) -> tuple[str, str, str]:
    return corpus.train, corpus.valid, corpus.test


# The built-in corpus


def test_the_grammar_gives_the_same_three_different_texts_and_its_floor():
    corpus = load_corpus("grammar", grammar_words=(300, 100, 100))
    assert corpus == load_corpus("grammar", level="word", grammar_words=(300, 100, 100))
    assert len({part[:200] for part in parts_of(corpus)}) == 3
    assert len(corpus.train.split()) > 2 * len(corpus.valid.split())
    assert corpus.floor == {"char": grammar.entropy_per_character(), "word": grammar.entropy_per_word()}
    assert 0 < corpus.floor["char"] < corpus.floor["word"]


def test_the_name_grammar_is_the_built_in_corpus_and_a_path_is_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grammar").write_text(LINES)
    sizes = (20, 20, 20)
    assert load_corpus("grammar", grammar_words=sizes).floor is not None
    assert "".join(parts_of(load_corpus("./grammar", grammar_words=sizes))) == LINES
    assert load_corpus(Path("grammar")).floor is None


# A file


def test_a_file_is_cut_by_characters_in_order(tmp_path):
    path = tmp_path / "my_text.txt"
    path.write_bytes(LINES.encode())
    corpus, cuts = load_corpus(path), (len(LINES) * 8 // 10, len(LINES) * 9 // 10)
    assert parts_of(corpus) == (LINES[: cuts[0]], LINES[cuts[0] : cuts[1]], LINES[cuts[1] :])
    assert (corpus.name, corpus.floor) == ("my_text", None) and load_corpus(str(path)) == corpus


@settings(deadline=None)
@given(
    st.text(st.sampled_from("ab \n"), max_size=60),
    st.sampled_from([(0.8, 0.1, 0.1), (0.7, 0.2, 0.1), (1 / 3, 1 / 3, 1 / 3), (0.29, 0.7, 0.01)]),
    st.sampled_from(["char", "word"]),
)
def test_the_parts_are_the_text(text, fractions, level):
    parts = split_text(text, level, fractions)
    assert "".join(parts) == text
    if level == "word":
        cuts = [len(parts[0]), len(parts[0] + parts[1])]
        assert all(cut in (0, len(text)) or text[cut - 1].isspace() for cut in cuts)
        earlier = split_text(text, "char", fractions)
        assert len(earlier[0]) <= cuts[0] and len(earlier[0] + earlier[1]) <= cuts[1]


@pytest.mark.parametrize("length", [10, 100, 1000, 1_115_394])
def test_cuts_are_exact_decimals(length):
    text = "x" * length
    lengths = [len(part) for part in split_text(text, "char", (0.7, 0.2, 0.1))]
    assert lengths[:2] == [length * 7 // 10, length * 9 // 10 - length * 7 // 10]
    assert len(split_text(text, "char", (0.29, 0.7, 0.01))[0]) == length * 29 // 100


def test_a_cut_moves_to_the_next_line_end_or_white_space_and_without_valid_the_test_part_is_both(monkeypatch):
    assert split_text("a\nb\nc\nd\n", "word", (0.5, 0.25, 0.25)) == ("a\nb\n", "c\n", "d\n")
    assert split_text("a\nb\ncc\nd", "word", (0.5, 0.3, 0.2)) == ("a\nb\n", "cc\n", "d")
    text = "a b c\na b ddddddddd eeeeeeeee\n"  # cuts after 6 and 15 characters
    assert split_text(text, "word", (0.2, 0.3, 0.5)) == ("a b c\n", "a b ddddddddd eeeeeeeee\n", "")
    monkeypatch.setattr(text_files, "FAR", 3)
    assert split_text(text, "word", (0.2, 0.3, 0.5)) == ("a b c\n", "a b ddddddddd ", "eeeeeeeee\n")
    assert split_text("abcdefghij", "char", (0.9, 0, 0.1)) == ("abcdefghi", "j", "j")


@pytest.mark.parametrize("fractions", [(0.8, 0.2), (0.8, 0.1, 0.2), (1.0, 0.0, 0.0), (1.2, -0.1, -0.1)])
def test_bad_fractions_are_refused(fractions):
    with pytest.raises(ValueError, match=r"three numbers.*sum to 1"):
        split_text(LINES, "char", fractions)


@pytest.mark.parametrize(
    ("text", "level"), [("abcd", "char"), ("oneword" * 50, "word"), ("a" * 80 + "\n" * 20, "char")]
)
def test_a_part_without_text_is_refused(tmp_path, text, level):
    (tmp_path / "small.txt").write_bytes(text.encode())
    with pytest.raises(ValueError, match="part of the corpus small has no text"):
        load_corpus(tmp_path / "small.txt", level)


# A folder


@pytest.mark.parametrize(
    "names",
    [
        ("train.txt", "valid.txt", "test.txt"),
        ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),
        ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"),
        ("train.raw", "validation.raw", "test.raw"),
        ("my_train.txt", "my-val.txt", "my test.txt"),
        ("Train.txt", "DEV.TXT", "Test.txt"),
    ],
)
def test_a_folder_of_three_files(tmp_path, names):
    write_parts(tmp_path, *names)
    write_parts(
        tmp_path, "README.md", "README.train.txt", ".train.txt", "latest.txt", "train.py", "test2.txt", "test.npz"
    )
    (tmp_path / "folder.test.txt").mkdir()
    corpus = load_corpus(tmp_path)
    assert parts_of(corpus) == tuple(f"text of {name}\n" for name in names)
    assert corpus.name == tmp_path.name
    assert corpus.floor is None


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), r"train: \[\]; valid: \[\]; test: \[\]"),
        (("train.txt", "test.txt"), r"train: \['train.txt'\]; valid: \[\]"),
        (("train.txt", "val.txt", "dev.txt", "test.txt"), r"valid: \['dev.txt', 'val.txt'\]"),
        (("train.test.txt", "valid.txt", "test.txt"), r"train: \[\].*all its files: .*'train.test.txt'"),
    ],
)
def test_a_folder_without_exactly_one_file_of_each_is_refused(tmp_path, names, message):
    write_parts(tmp_path, *names)
    with pytest.raises(ValueError, match=message) as caught:
        load_corpus(tmp_path)
    assert "wiki.train.tokens" in str(caught.value)


def test_an_empty_or_blank_part_of_a_folder_is_refused(tmp_path):
    write_parts(tmp_path, "train.txt", "valid.txt", "test.txt")
    (tmp_path / "valid.txt").write_text("")
    with pytest.raises(ValueError, match=r"valid\.txt is empty"):
        load_corpus(tmp_path)
    (tmp_path / "valid.txt").write_text(" \n\n")
    with pytest.raises(ValueError, match="the valid part"):
        load_corpus(tmp_path)


# Nothing


def test_a_source_that_is_not_there_says_what_is_possible(tmp_path):
    for source in ("grammer", tmp_path / "nowhere" / "qqqq.zip"):
        with pytest.raises(FileNotFoundError, match=r'neither "grammar" nor a text file nor a folder'):
            load_corpus(source)
