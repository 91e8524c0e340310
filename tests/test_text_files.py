"""Text files: wherever a file is divided into pieces they are the whole text; and what is no UTF-8 text is named."""

import gzip
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpylm.data import text_files
from numpylm.data.corpora import cut_points, split_text
from numpylm.data.text_files import open_text, read_pieces, read_text, split_pieces, whole_words

ODD = ["a", "bc", " ", "\n", "\r", "\r\n", "\t", "\x0b", "\x1c", "\x85", "\u2028", "é", "日本", "\U0001f600"]
TEXTS = st.lists(st.sampled_from([*ODD, "\ufeff", "<eos>", "<unk>"]), max_size=40).map("".join)
SPLITS = st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5 - 1e-3, 1e-3), (0.7, 0.0, 0.3), (1 / 3, 1 / 3, 1 / 3)])


@pytest.fixture
def opened(tmp_path):
    """A function: contents -> open TextFiles of them."""
    files = []

    def write(*contents):
        for content in contents:
            path = tmp_path / f"{len(files)}.txt"
            path.write_bytes(content)
            files.append(open_text(path))
        return files[-len(contents) :]

    yield write
    for file in files:
        file.stream.close()


def pieces_of(draw, text):
    """The text, divided at random."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True) if start < stop]


@pytest.mark.parametrize("characters", [1, 2, 3, 100])
def test_pieces_of_files_are_one_text_with_its_line_ends_and_without_marks(opened, monkeypatch, characters):
    monkeypatch.setattr(text_files, "PIECE_BYTES", characters)
    contents = ["\ufeffé\r\n\r\n日\U0001f600\r\ra".encode(), "\ufeffb\x85\r\n".encode(), "\u2028c".encode()]
    files, sizes = opened(*contents), []
    for _ in range(2):  # each pass begins at the beginning
        assert "".join(read_pieces(files, sizes.append)) == "é\n\n日\U0001f600\n\na\nb\x85\n\u2028c"
    assert sum(sizes) == 2 * sum(map(len, contents))


def reason(file):
    with pytest.raises(ValueError) as caught:
        list(read_pieces([file]))
    assert str(caught.value).startswith(f"{file.name} ")
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty, expected a text"),
        (b"\xef\xbb\xbf", "is empty, expected a text"),
        ("text".encode("utf-16"), "is UTF-16 text, not UTF-8: convert it: iconv -f UTF-16 -t UTF-8"),
        ("text".encode("utf-16-be"), "holds NUL bytes: it is UTF-16 or UTF-32 text without a byte order mark"),
        ("text".encode("utf-16-le"), "holds NUL bytes"),
        (b"\xfe\xff" + "文".encode("utf-16-be"), "is UTF-16 text"),
        (b"some text" + bytes(9), "holds NUL bytes"),
        (gzip.compress(b"text", mtime=0), r"is compressed (gzip), not UTF-8 text: unpack it first: gunzip"),
        (b"%PDF-1.4\n\xff", "is a PDF file"),
        (b"numpylm tokens 1\n{}", "is a token file of an older numpylm: prepare its text again"),
    ],
)
def test_what_is_no_utf8_text_is_named(opened, content, message):
    assert message in reason(opened(content)[0])


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"\xef\xbb\xbfone\r\ntwo\r\ncaf\xe9\n", "byte 16 (0xe9, line 3)"),
        (b"a\r\n\r\n\n\xe6\x97", "byte 6 (0xe6, line 4)"),
        (b"\xe6\x97\xa5\n\xe6a\n", "byte 4 (0xe6, line 2)"),
        (b"a" * (2**16 - 1) + b"\xe6\x97\n\xff", f"byte {2**16 - 1} (0xe6, line 1)"),
        (b"\n" * (2**17 + 3) + b"\xff", f"byte {2**17 + 3} (0xff, line {2**17 + 4})"),
    ],
)
def test_bytes_that_are_not_utf8_are_located(opened, content, where):
    message = reason(opened(content)[0])
    assert f"is not UTF-8 text: {where} does not fit. Save it as UTF-8" in message and "iconv -f LATIN1" in message


def test_what_is_no_file_is_refused_at_once(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*missing\.txt"):
        read_text(tmp_path / "missing.txt")
    with pytest.raises(IsADirectoryError, match="is a folder, expected a text file"):
        read_text(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        for endless in (tmp_path / "pipe", "/dev/zero"):
            with pytest.raises(ValueError, match=f"{endless} is a pipe or a device, expected a text file"):
                read_text(endless)


# Words and parts


def test_what_has_no_words_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(text_files, "LONGEST_WORD", 100)
    with pytest.raises(ValueError, match=r"no place between two words in .*120 characters, from '日本.*--level char"):
        list(whole_words("日本語" * 10 for _ in iter(int, 1)))
    with pytest.raises(ValueError, match="no place between two words"):
        list(split_pieces(("日本語" * 10 for _ in iter(int, 1)), [5, 10], "word"))
    assert len(list(split_pieces(["日本語" * 10] * 50, [5, 10], "char"))) > 48


@given(TEXTS.filter(bool), SPLITS, st.sampled_from(["char", "word"]), st.data())
def test_a_text_in_pieces_is_cut_where_the_whole_is(text, fractions, level, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_files, "FAR", data.draw(st.sampled_from([1, 3, 2000])))
        patch.setattr(text_files, "PIECE_BYTES", data.draw(st.sampled_from([1, 4, 2**16])))
        parts, previous = ["", "", ""], 0
        for part, piece in split_pieces(pieces_of(data.draw, text), cut_points(len(text), fractions), level):
            assert part >= previous and piece
            previous, parts[part] = part, parts[part] + piece
        train, valid, test = split_text(text, level, fractions)
        assert parts == [train, valid if fractions[1] else "", test]


def test_pieces_far_from_a_cut_are_given_out_at_once(monkeypatch):
    monkeypatch.setattr(text_files, "PIECE_BYTES", 7000)
    taken, given_out, lines = [], 0, "a line of text\n" * 500
    pieces = (taken.append(number) or lines for number in range(100))
    for _, piece in split_pieces(pieces, cut_points(100 * len(lines), (0.5, 0.25, 0.25)), "word"):
        given_out += len(piece)
        assert len(taken) * len(lines) - given_out <= 3 * len(lines)
    assert given_out == 100 * len(lines)
