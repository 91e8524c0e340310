"""Token files: what was written comes back, and no damage goes unnoticed."""

import os

import numpy as np
import pytest
from sealed_files import little_memory

from numpylm.data.text import Vocabulary, build_vocabulary, token_dtype
from numpylm.data.token_file import TokenFileError, open_token_file, verify, write_token_file

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


def opened_and_verified(path):
    verify(path)
    return open_token_file(path)


# Writing and reading


def test_what_is_written_comes_back_mapped_aligned_and_read_only(path):
    file = opened_and_verified(path)
    assert file.vocabulary == WORDS and (file.name, file.floor) == ("a", None)
    assert lists(file) == {"train": [1, 2, 3, 4, 1, 3], "valid": [1, 4, 4], "test": [1, 2, 1, 0]}
    assert file.characters == {"train": 13, "valid": 5, "test": 7}
    for stream in file.tokens.values():
        assert isinstance(stream, np.memmap) and stream.dtype == np.uint8
        with pytest.raises(ValueError, match="read-only"):
            stream[0] = 1


@pytest.mark.parametrize(
    ("pieces", "vocabulary", "valid_is_test", "expected"),
    [
        ([(0, [1, 2], 2), (2, [1], 1)], LETTERS, False, [[1, 2], [], [1]]),  # no line ends, no start
        ([(2, [2], 1)], WORDS, False, [[1], [1], [1, 2]]),  # every part has its start
        ([(0, [2], 1)], WORDS, False, [[1, 2], [1], [1]]),
        ([(0, [2, 3], 5), (2, [4], 3)], WORDS, True, [[1, 2, 3], [1, 4], [1, 4]]),
    ],
)
def test_parts_that_are_empty_or_shared(tmp_path, pieces, vocabulary, valid_is_test, expected):
    write_token_file(tmp_path / "b", vocabulary, arrays(pieces, vocabulary), valid_is_test)
    file = opened_and_verified(tmp_path / "b")
    assert list(lists(file).values()) == expected
    assert file.characters["valid"] == (3 if valid_is_test else 0)


def test_the_same_content_gives_the_same_bytes_and_another_another_digest(path, tmp_path):
    write_token_file(tmp_path / "b", WORDS, arrays(PIECES))
    assert (tmp_path / "b").read_bytes() == path.read_bytes()
    others = [[(1, *PIECES[1][1:]) if number == 1 else piece for number, piece in enumerate(PIECES)], PIECES[:3]]
    for number, (part, ids, characters) in enumerate(PIECES):
        for changed in ((part, [*ids[:-1], ids[-1] ^ 1], characters), (part, ids, characters + 1 + number)):
            others.append([*PIECES[:number], changed, *PIECES[number + 1 :]])
    digests = {open_token_file(path).sha256}
    for pieces in others:
        write_token_file(tmp_path / "b", WORDS, arrays(pieces))
        digests.add(open_token_file(tmp_path / "b").sha256)
    write_token_file(tmp_path / "b", Vocabulary("word", WORDS.tokens, ends_blank_lines=True), arrays(PIECES))
    assert open_token_file(tmp_path / "b").vocabulary.ends_blank_lines
    assert len(digests | {open_token_file(tmp_path / "b").sha256}) == 2 + len(others)


def test_a_large_file_is_written_opened_and_verified_in_little_memory(tmp_path):
    piece, sizes = np.full(2**18, 3, np.uint8), []
    with little_memory(2**22):
        write_token_file(tmp_path / "b", WORDS, ((0, piece, 1) for _ in range(64)))
        assert len(open_token_file(tmp_path / "b").tokens["train"]) == 2**24 + 1
        verify(tmp_path / "b", sizes.append)
    assert 2**24 < sum(sizes) < (tmp_path / "b").stat().st_size


# Failures while writing


def test_an_error_of_the_text_passes_as_it_is_and_leaves_nothing(tmp_path):
    def broken():
        yield arrays(PIECES)[0]
        raise ValueError("byte 17 does not fit")

    with pytest.raises(ValueError, match=r"^byte 17 does not fit$"):
        write_token_file(tmp_path / "b", WORDS, broken())
    assert os.listdir(tmp_path) == []
    with pytest.raises(TokenFileError, match=r"there is no folder .*nowhere"):
        write_token_file(tmp_path / "nowhere" / "b", WORDS, [])
