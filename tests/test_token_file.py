"""Token files: what was written comes back, and no damage goes unnoticed."""

import errno
import json
import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpylm.data import token_header
from numpylm.data.text import Vocabulary, build_vocabulary, token_dtype
from numpylm.data.token_file import TokenFileError, is_token_file, open_token_file, verify, write_token_file
from numpylm.data.token_header import HEADER_BYTES

WORDS = build_vocabulary("the cat é 日本 \U0001f600\n", "word")
LETTERS = build_vocabulary("ab", "char")  # without a newline: no start
PIECES = [(0, [2, 3, 4, 1], 12), (0, [3], 1), (1, [4, 4], 5), (2, [2, 1, 0], 7)]


def arrays(pieces, vocabulary=WORDS):
    return [(part, np.array(ids, token_dtype(len(vocabulary))), number) for part, ids, number in pieces]


@pytest.fixture
def path(tmp_path):
    write_token_file(tmp_path / "a.tokens", WORDS, arrays(PIECES))
    return tmp_path / "a.tokens"


def lists(file):
    return {part: stream.tolist() for part, stream in file.tokens.items()}


# Writing and reading


def test_what_is_written_comes_back(path):
    file = open_token_file(path)
    verify(path)
    assert file.vocabulary == WORDS and (file.name, file.floor) == ("a", None)
    assert lists(file) == {"train": [1, 2, 3, 4, 1, 3], "valid": [1, 4, 4], "test": [1, 2, 1, 0]}
    assert file.characters == {"train": 13, "valid": 5, "test": 7}


def test_the_streams_are_mapped_and_cannot_be_written_to(path):
    for stream in open_token_file(path).tokens.values():
        assert isinstance(stream, np.memmap) and stream.dtype == np.uint8
        with pytest.raises(ValueError, match="read-only"):
            stream[0] = 1


def test_a_text_without_line_ends_has_no_start(tmp_path):
    write_token_file(tmp_path / "b", LETTERS, arrays([(0, [1, 2], 2), (2, [1], 1)], LETTERS))
    assert lists(open_token_file(tmp_path / "b")) == {"train": [1, 2], "valid": [], "test": [1]}


def test_every_part_has_its_start_even_without_text(tmp_path):
    write_token_file(tmp_path / "b", WORDS, arrays([(2, [2], 1)]))
    assert lists(open_token_file(tmp_path / "b")) == {"train": [1], "valid": [1], "test": [1, 2]}
    write_token_file(tmp_path / "c", WORDS, arrays([(0, [2], 1)]))
    assert lists(open_token_file(tmp_path / "c")) == {"train": [1, 2], "valid": [1], "test": [1]}


def test_the_test_part_can_serve_as_both(tmp_path):
    write_token_file(tmp_path / "b", WORDS, arrays([(0, [2, 3], 5), (2, [4], 3)]), valid_is_test=True)
    file = open_token_file(tmp_path / "b")
    assert lists(file) == {"train": [1, 2, 3], "valid": [1, 4], "test": [1, 4]}
    assert file.characters == {"train": 5, "valid": 3, "test": 3}


@pytest.mark.parametrize("vocab_size", [2, 2**8, 2**8 + 1, 2**16, 2**16 + 1])
def test_a_token_takes_as_many_bytes_as_the_vocabulary_needs(tmp_path, vocab_size):
    vocabulary = Vocabulary("char", ("<unk>", *map(chr, range(0x20000, 0x20000 + vocab_size - 1))))
    write_token_file(tmp_path / "b", vocabulary, [(0, np.array([0, vocab_size - 1], token_dtype(vocab_size)), 2)])
    stream = open_token_file(tmp_path / "b").tokens["train"]
    assert stream.dtype == token_dtype(vocab_size) and stream.tolist() == [0, vocab_size - 1]


def test_the_header_can_be_read_by_a_person(path):
    lines = path.read_bytes()[:HEADER_BYTES].decode("ascii").split("\n")
    assert lines[0] == "numpylm tokens 1" and '"level": "word"' in lines[1] and lines[2].startswith("sha256:")


def test_the_same_content_gives_the_same_bytes_and_another_another_digest(path, tmp_path):
    digests = {open_token_file(path).sha256}
    write_token_file(tmp_path / "b", WORDS, arrays(PIECES))
    assert (tmp_path / "b").read_bytes() == path.read_bytes()
    for number in range(len(PIECES)):
        part, ids, characters = PIECES[number]
        for changed in ((part, [*ids[:-1], ids[-1] ^ 1], characters), (part, ids, characters + 1 + number)):
            write_token_file(tmp_path / "b", WORDS, arrays([*PIECES[:number], changed, *PIECES[number + 1 :]]))
            digests.add(open_token_file(tmp_path / "b").sha256)
    moved = [PIECES[0], (1, *PIECES[1][1:]), *PIECES[2:]]
    write_token_file(tmp_path / "b", WORDS, arrays(moved))
    digests.add(open_token_file(tmp_path / "b").sha256)
    assert len(digests) == 2 + 2 * len(PIECES)


def test_a_large_file_is_written_opened_and_verified_in_little_memory(tmp_path):
    piece = np.full(2**18, 3, np.uint8)
    tracemalloc.start()
    try:
        write_token_file(tmp_path / "b", WORDS, ((0, piece, 1) for _ in range(64)))
        assert len(open_token_file(tmp_path / "b").tokens["train"]) == 2**24 + 1
        sizes = []
        verify(tmp_path / "b", sizes.append)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    assert sum(sizes) == (tmp_path / "b").stat().st_size - HEADER_BYTES


# Failures while writing


def no_space(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(path, monkeypatch, call):
    before = path.read_bytes()
    monkeypatch.setattr(os, call, no_space)
    with pytest.raises((TokenFileError, OSError), match="No space left"):
        write_token_file(path, WORDS, arrays(PIECES[:1]))
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_an_error_of_the_text_passes_as_it_is_and_leaves_nothing(tmp_path):
    def broken():
        yield arrays(PIECES)[0]
        raise ValueError("byte 17 does not fit")

    with pytest.raises(ValueError, match=r"^byte 17 does not fit$"):
        write_token_file(tmp_path / "b", WORDS, broken())
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere"):
        write_token_file(tmp_path / "nowhere" / "b", WORDS, [])


# Damage


def opened_and_verified(path):
    verify(path)
    return open_token_file(path)


def test_a_changed_byte_anywhere_is_noticed(path):
    content = path.read_bytes()
    for place in (*range(0, 700, 7), *range(4000, len(content))):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(TokenFileError):
            opened_and_verified(path)
    path.write_bytes(content)
    assert opened_and_verified(path).characters["train"] == 13


def test_a_file_cut_anywhere_or_made_longer_is_noticed_when_it_is_opened(path):
    content = path.read_bytes()
    for length in (*range(0, 700, 11), HEADER_BYTES - 1, *range(HEADER_BYTES, len(content))):
        path.write_bytes(content[:length])
        with pytest.raises(TokenFileError, match=r"truncated|empty|not a numpylm token file|version"):
            open_token_file(path)
    path.write_bytes(content + b"!")
    with pytest.raises(TokenFileError, match=f"too long: {len(content) + 1} bytes of {len(content)}"):
        open_token_file(path)


def test_a_changed_token_is_found_by_verifying_alone(path):
    content = bytearray(path.read_bytes())
    content[HEADER_BYTES + 2] ^= 1
    path.write_bytes(content)
    open_token_file(path)
    with pytest.raises(TokenFileError, match=r"a\.tokens: the file was damaged or changed.*; give another file"):
        verify(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a numpylm token file: the file is empty"),
        (b"PK\x03\x04" * 3000, "not a numpylm token file"),
        (b"numpylm tokens 2\n" + b" " * 5000, "of a version that this numpylm, which writes 1, does not know"),
        (b"numpylm tokens 1\n{}", "truncated: it has 19 of the header's 4096 bytes"),
        (b"numpylm tokens 1\n{}\n" + b" " * 5000, "the header is damaged"),
    ],
)
def test_foreign_files_are_refused(tmp_path, content, message):
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(TokenFileError, match=message):
        open_token_file(tmp_path / "b")
    with pytest.raises(TokenFileError, match="No such file"):
        open_token_file(tmp_path / "nowhere")
    with pytest.raises(TokenFileError, match="directory"):
        open_token_file(tmp_path)


FORGERIES = {
    "level": ["letter", "char", 5],
    "vocabulary_size": [3, -1, 2.0, True, 2**70],
    "dtype": ["|u2", "<u2", "|O", 3],
    "parts": [{}, {"train": [0, 5]}, {"train": [3, 2], "valid": [0, 1], "test": [0, 13]}, [], {"train": 5}],
    "characters": [{}, [], {"train": -1, "valid": 0, "test": 0}],
    "vocabulary_bytes": [10, -10, "1"],
    "sha256": [None, "0"],
}


@pytest.mark.parametrize("field, value", [(field, value) for field, values in FORGERIES.items() for value in values])
def test_a_header_that_was_never_written_is_refused_though_its_checksum_is_right(path, field, value):
    forge(path, {**read_fields(path), field: value})
    with pytest.raises(TokenFileError):
        opened_and_verified(path)


@pytest.mark.parametrize("fields", [{}, [], None, {"level": "word"}])
def test_a_header_without_the_fields_is_refused(path, fields):
    forge(path, fields)
    with pytest.raises(TokenFileError, match="the header has not the fields of a token file"):
        open_token_file(path)


def test_a_surplus_field_is_refused_and_a_true_copy_is_not(path):
    fields = read_fields(path)
    forge(path, fields)
    assert opened_and_verified(path).vocabulary == WORDS, "otherwise the tests of forgeries show nothing"
    forge(path, {**fields, "surplus": 1})
    with pytest.raises(TokenFileError, match="the fields of a token file"):
        open_token_file(path)


def read_fields(path):
    with open(path, "rb") as file:
        return token_header.read_header(file)[1]


def forge(path, fields):
    """Puts a header with these fields, and its right checksum, in front of the content."""
    lines = b"numpylm tokens 1\n" + json.dumps(fields).encode() + b"\n"
    header = (lines + b"sha256:" + token_header.hex_digest(lines) + b"\n").ljust(HEADER_BYTES)
    path.write_bytes(header + path.read_bytes()[HEADER_BYTES:])


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "b"
    for beginning in (b"", b"numpylm tokens 1\n"):
        path.write_bytes(beginning + content)
        with pytest.raises(TokenFileError):
            open_token_file(path)


def test_what_is_a_token_file(path, tmp_path):
    assert is_token_file(path) and is_token_file(str(path))
    (tmp_path / "text.tokens").write_text("WikiText calls its texts so")
    assert not is_token_file(tmp_path / "text.tokens")
    assert not is_token_file(tmp_path) and not is_token_file(tmp_path / "nowhere") and not is_token_file("grammar")
