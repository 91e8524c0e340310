"""Texts in pieces: wherever the bytes are divided, the pieces joined are the whole text, cut and split as the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpylm.data import text_pieces
from numpylm.data.corpora import cut_points, split_text
from numpylm.data.text import read_text, split_words
from numpylm.data.text_pieces import TextFile, read_pieces, split_pieces, whole_words

ODD = ["a", "bc", " ", "\n", "\r", "\r\n", "\t", "\x0b", "\x1c", "\x85", "\u2028", "é", "日本", "\U0001f600"]
TEXTS = st.lists(st.sampled_from([*ODD, "\ufeff", "<eos>", "<unk>"]), max_size=40).map("".join)
SPLITS = st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5 - 1e-3, 1e-3), (0.7, 0.0, 0.3), (1 / 3, 1 / 3, 1 / 3)])


@pytest.fixture
def block_bytes(monkeypatch):
    def set_to(number):
        monkeypatch.setattr(text_pieces, "BLOCK_BYTES", number)

    return set_to


def written(folder, *contents):
    files = []
    for number, content in enumerate(contents):
        files.append(TextFile(folder / f"{number}.txt", f"{number}.txt"))
        files[-1].path.write_bytes(content)
    return files


def pieces_of(draw, text):
    """The text, divided at random."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(st.data())
def test_a_file_in_pieces_is_the_text_that_read_text_gives(tmp_path_factory, data):
    content = (
        data.draw(st.sampled_from(["", "\ufeff"])) + data.draw(TEXTS) + data.draw(st.sampled_from("x\n\r"))
    ).encode()
    files = written(tmp_path_factory.mktemp("text"), content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_pieces, "BLOCK_BYTES", data.draw(st.integers(1, 9)))
        sizes = []
        assert "".join(read_pieces(files, sizes.append)) == read_text(files[0].path)
        assert sum(sizes) == len(content)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 100])
def test_characters_and_line_ends_are_put_together_where_blocks_divide_them(tmp_path, block_bytes, size):
    block_bytes(size)
    files = written(tmp_path, "\ufeffé\r\n\r\n日\U0001f600\r\ra\r".encode())
    assert "".join(read_pieces(files)) == "é\n\n日\U0001f600\n\na\n"


def test_several_files_are_one_text_with_a_newline_where_one_is_missing(tmp_path, block_bytes):
    block_bytes(2)
    files = written(tmp_path, b"\xef\xbb\xbfa b", b"c\r\n", b"\xef\xbb\xbfd\r", b"e", b"f")
    assert "".join(read_pieces(files)) == "a b\nc\nd\ne\nf"


@pytest.mark.parametrize("contents", [(b"",), (b"\xef\xbb\xbf",), (b"a\n", b"", b"b\n")])
def test_an_empty_file_is_refused_by_its_name(tmp_path, contents):
    files = written(tmp_path, *contents)
    with pytest.raises(ValueError, match=rf"^{min(1, len(contents) - 1)}\.txt is empty, expected a text"):
        list(read_pieces(files))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 1000])
@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfone\r\ntwo\rcaf\xe9\n",
        b"\xff",
        b"a\r\n\r\n\n\xe6\x97",
        b"ab\xf0\x9f\x98",
        b"\xe6\x97\xa5\n\xe6a\n",
    ],
)
def test_bytes_that_are_not_utf8_are_located_as_in_the_whole(tmp_path, block_bytes, size, content):
    block_bytes(size)
    files = written(tmp_path, content)
    with pytest.raises(ValueError) as of_whole:
        read_text(files[0].path)
    with pytest.raises(ValueError) as of_pieces:
        list(read_pieces(files))
    assert str(of_pieces.value) == str(of_whole.value).replace(str(files[0].path), "0.txt")
    assert "is not UTF-8 text: byte" in str(of_pieces.value)


@given(TEXTS, st.data())
def test_words_of_the_pieces_are_the_words_of_the_whole(text, data):
    pieces = list(whole_words(pieces_of(data.draw, text)))
    assert "".join(pieces) == text
    assert [word for piece in pieces for word in split_words(piece)] == list(split_words(text))


def test_a_piece_is_given_out_as_soon_as_a_word_or_a_line_is_complete():
    assert list(whole_words(["a", "b\nc", " d", "e", " ", "f "])) == ["ab\n", "c ", "de ", "f "]
    assert list(whole_words(["a b", "c"])) == ["a ", "bc"]
    assert list(whole_words([])) == []


def test_what_has_no_words_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(text_pieces, "LONGEST_WORD", 100)
    endless = ("日本語" * 10 for _ in iter(int, 1))
    with pytest.raises(ValueError, match=r"120 characters without a place between two words, from '日本.*--level char"):
        list(whole_words(endless))
    with pytest.raises(ValueError, match="without a place between two words"):
        list(split_pieces(("日本語" * 10 for _ in iter(int, 1)), [5, 10], "word"))
    assert len(list(split_pieces(["日本語" * 10] * 50, [5, 10], "char"))) > 50


@given(TEXTS.filter(bool), SPLITS, st.sampled_from(["char", "word"]), st.data())
def test_a_text_in_pieces_is_cut_where_the_whole_is(text, fractions, level, data):
    with pytest.MonkeyPatch.context() as patch:
        far = data.draw(st.sampled_from([1, 3, 2000]))
        patch.setattr(text_pieces, "FAR", far)
        patch.setattr("numpylm.data.corpora.FAR", far)
        parts = ["", "", ""]
        previous = 0
        for part, piece in split_pieces(pieces_of(data.draw, text), cut_points(len(text), fractions), level):
            assert part >= previous and piece
            previous, parts[part] = part, parts[part] + piece
        train, valid, test = split_text(text, level, fractions)
        assert parts == [train, valid if fractions[1] else "", test]


def test_a_cut_waits_for_the_line_end_that_the_next_piece_may_bring():
    pieces = ["aaaa bb c", "c dd\nee", " ff\n", "gg"]
    cuts = [6, 17]  # of the whole text, whose lines end after 14 and 20 characters
    parts = ["", "", ""]
    for part, piece in split_pieces(pieces, cuts, "word"):
        parts[part] += piece
    assert parts == ["aaaa bb cc dd\n", "ee ff\n", "gg"]


def test_a_cut_far_from_a_line_end_waits_for_the_end_of_its_word(monkeypatch):
    monkeypatch.setattr(text_pieces, "FAR", 2)
    monkeypatch.setattr("numpylm.data.corpora.FAR", 2)
    parts = ["", "", ""]
    for part, piece in split_pieces(["aaaa", "bb cc", "c d"], [1, 9], "word"):
        parts[part] += piece
    assert parts == ["aaaabb ", "ccc ", "d"]


def test_pieces_far_from_a_cut_are_given_out_at_once():
    taken = []

    def pieces():
        for number in range(100):
            taken.append(number)
            yield "a line of text\n" * 500

    total = sum(map(len, pieces()))
    taken.clear()
    given_out = 0
    for _, piece in split_pieces(pieces(), cut_points(total, (0.5, 0.25, 0.25)), "word"):
        given_out += len(piece)
        assert len(taken) * total / 100 - given_out <= 2 * total / 100
    assert given_out == total
