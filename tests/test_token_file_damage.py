"""Token files: no damage goes unnoticed, and nothing that was never written is believed."""

import os

import pytest
from sealed_files import read_members, write_members
from test_token_file import PIECES, WORDS, arrays, lists, opened_and_verified

from numpylm.data.archive import METADATA
from numpylm.data.schema import decode_json, encode_json
from numpylm.data.token_file import (
    PARTS,
    TOKENS,
    TOKENS_OFFSET,
    TokenFileError,
    check_unchanged,
    is_token_file,
    open_token_file,
    verify,
    write_token_file,
)


@pytest.fixture
def path(tmp_path):
    write_token_file(tmp_path / "a.tokens", WORDS, arrays(PIECES))
    return tmp_path / "a.tokens"


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
    for length in range(0, len(content), 5):
        path.write_bytes(content[:length])
        with pytest.raises(TokenFileError):
            open_token_file(path)
    path.write_bytes(b"!" + content)
    with pytest.raises(TokenFileError, match="not a numpylm file"):
        open_token_file(path)


def test_a_changed_token_is_found_by_verifying_alone(path):
    content = bytearray(path.read_bytes())
    content[TOKENS_OFFSET + 2] ^= 1
    path.write_bytes(content)
    open_token_file(path)
    with pytest.raises(TokenFileError, match=r"a\.tokens: it is damaged.*Bad CRC-32.*; give another file"):
        verify(path)


def test_a_file_that_is_written_to_while_it_is_mapped_is_noticed(path):
    file = open_token_file(path)
    check_unchanged(file)
    with open(path, "r+b") as other:
        other.truncate(100)
    with pytest.raises(TokenFileError, match="another program has changed it while it was in use"):
        check_unchanged(file)
    write_token_file(path, WORDS, arrays(PIECES))
    file = open_token_file(path)
    content = path.read_bytes()
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    with pytest.raises(TokenFileError):
        check_unchanged(file)


def test_a_mapped_file_that_is_replaced_or_removed_lives_on(path):
    file = open_token_file(path)
    before = lists(file)
    write_token_file(path, WORDS, arrays(PIECES[:1]))
    check_unchanged(file)
    if os.name == "posix":
        path.unlink()
        check_unchanged(file)
    assert lists(file) == before


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


@pytest.mark.parametrize("field, value", [(field, value) for field, values in FORGERIES.items() for value in values])
def test_metadata_that_were_never_written_are_refused_though_their_checksum_is_right(path, field, value):
    members = read_members(path)
    fields = decode_json(members[METADATA])
    assert opened_and_verified(write_members_aligned(path, members)).vocabulary == WORDS, (
        "the forger can make good files"
    )
    with pytest.raises(TokenFileError):
        opened_and_verified(write_members_aligned(path, members | {METADATA: encode_json(fields | {field: value})}))


def write_members_aligned(path, members):
    """Like write_members, with the tokens where a token file has them."""
    from numpylm.data.archive import write_bytes, writing

    with writing(path, TokenFileError) as archive:
        for name, content in members.items():
            write_bytes(archive, name, content)
    return path


def test_other_members_are_refused(path):
    members = read_members(path)
    for wrong in (
        members | {"more": b""},
        {name: members[name] for name in reversed(members)},
        members | {TOKENS: b""},
        members | {"vocabulary.txt": "山".encode()},
        members | {"vocabulary.txt": b"a\n" * 400_000},
    ):
        with pytest.raises(TokenFileError):
            open_token_file(write_members_aligned(path, wrong))
    with pytest.raises(TokenFileError, match="not a token file"):
        open_token_file(write_members(path, members))  # its sizes are stored in another place


def test_what_is_a_token_file(path, tmp_path):
    assert is_token_file(path) and is_token_file(str(path))
    (tmp_path / "text.tokens").write_text("WikiText calls its texts so")
    for other in (tmp_path / "text.tokens", tmp_path, tmp_path / "nowhere", "grammar"):
        assert not is_token_file(other)
