"""Token files: what was written comes back, and no damage goes unnoticed."""

import os

import numpy as np
import pytest
from sealed_files import little_memory, read_members, write_members

from numpylm.data.archive import METADATA, write_bytes, writing
from numpylm.data.schema import decode_json, encode_json
from numpylm.data.text import Vocabulary, build_vocabulary, token_dtype
from numpylm.data.token_file import (
    PARTS,
    TOKENS,
    TokenFileError,
    check_unchanged,
    is_token_file,
    open_token_file,
    verify,
    write_token_file,
)

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
    (part, ids, characters), *rest = PIECES
    others = [PIECES[:3], [(part, [*ids[:-1], 2], characters), *rest], [(part, ids, characters + 1), *rest]]
    blank = Vocabulary("word", WORDS.tokens, ends_blank_lines=True)
    digests = {open_token_file(path).sha256}
    for vocabulary, pieces in [*((WORDS, pieces) for pieces in others), (blank, PIECES)]:
        write_token_file(tmp_path / "b", vocabulary, arrays(pieces))
        assert open_token_file(tmp_path / "b").vocabulary == vocabulary
        digests.add(open_token_file(tmp_path / "b").sha256)
    assert len(digests) == 5


def test_a_large_file_is_written_opened_and_verified_in_little_memory(tmp_path):
    piece, sizes = np.full(2**18, 3, np.uint8), []
    with little_memory(2**22):
        write_token_file(tmp_path / "b", WORDS, ((0, piece, 1) for _ in range(64)))
        assert len(open_token_file(tmp_path / "b").tokens["train"]) == 2**24 + 1
        verify(tmp_path / "b", sizes.append)
    assert 2**24 < sum(sizes) < (tmp_path / "b").stat().st_size


# Damage


def test_no_flipped_bit_gives_a_wrong_value(path):
    good, content = opened_and_verified(path), path.read_bytes()
    for bit in range(0, 8 * len(content), 19):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            file = opened_and_verified(path)
        except TokenFileError:
            continue
        assert (lists(file), file.vocabulary, file.characters) == (lists(good), good.vocabulary, good.characters), bit


def test_a_file_cut_anywhere_or_moved_is_noticed_when_it_is_opened(path):
    content = path.read_bytes()
    for damaged in (b"!" + content, *(content[:length] for length in range(0, len(content), 5))):
        path.write_bytes(damaged)
        with pytest.raises(TokenFileError):
            open_token_file(path)


def test_a_mapped_file_that_is_written_to_is_noticed_and_one_that_is_replaced_or_removed_lives_on(path):
    file = open_token_file(path)
    before = lists(file)
    check_unchanged(file)
    write_token_file(path, WORDS, arrays(PIECES[:1]))
    check_unchanged(file)
    if os.name == "posix":
        path.unlink()
        check_unchanged(file)
    assert lists(file) == before
    write_token_file(path, WORDS, arrays(PIECES))
    file = open_token_file(path)
    with open(path, "r+b") as other:
        other.truncate(100)
    with pytest.raises(TokenFileError, match="another program has changed it while it was in use"):
        check_unchanged(file)


SPAN = {"start": 0, "stop": 5, "characters": 1}
FORGERIES = {
    "level": ["letter", "char", 5],
    "vocab_size": [3, -1, 2.0, True, 2**70, 300],
    "ends_blank_lines": [0, None],
    "parts": [{}, [], {"train": SPAN}, dict.fromkeys(PARTS, SPAN | {"stop": 14}), dict.fromkeys(PARTS, 5),
              dict.fromkeys(PARTS, SPAN | {"start": 6}), dict.fromkeys(PARTS, SPAN | {"characters": -1})],
    "format": ["numpylm checkpoint", None],
    "version": [1, 3],
    "surplus": [1],
}  # fmt: skip


def forged(path, members):
    """A token file of these members, with the right checksum."""
    with writing(path, TokenFileError) as archive:
        for name, content in members.items():
            write_bytes(archive, name, content)
    return path


@pytest.mark.parametrize("field, value", [(field, value) for field, values in FORGERIES.items() for value in values])
def test_metadata_that_were_never_written_are_refused_though_their_checksum_is_right(path, field, value):
    members = read_members(path)
    metadata = encode_json(decode_json(members[METADATA]) | {field: value})
    assert open_token_file(forged(path, members)).vocabulary == WORDS, "the forger can make good files"
    with pytest.raises(TokenFileError):
        open_token_file(forged(path, members | {METADATA: metadata}))


def test_other_members_are_refused(path):
    members = read_members(path)
    reversed_members = {name: members[name] for name in reversed(members)}
    changes = ({"more": b""}, {TOKENS: b""}, {"vocabulary.txt": "山".encode()}, {"vocabulary.txt": b"a\n" * 400_000})
    for wrong in (reversed_members, *(members | change for change in changes)):
        with pytest.raises(TokenFileError):
            open_token_file(forged(path, wrong))
    with pytest.raises(TokenFileError, match="not a token file"):
        open_token_file(write_members(path, members))  # its sizes are stored in another place


def test_what_is_a_token_file(path, tmp_path):
    assert is_token_file(path) and is_token_file(str(path))
    (tmp_path / "text.tokens").write_text("WikiText calls its texts so")
    assert not any(map(is_token_file, (tmp_path / "text.tokens", tmp_path, tmp_path / "nowhere", "grammar")))
