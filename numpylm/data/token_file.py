"""Token files: a corpus as integers on disk, memory-mapped when it is used.

A token file is a sealed zip (archive.py) of three members:

    tokens           the tokens, train then valid then test, each the smallest of uint8, uint16 and int32
                     (little-endian) that holds V ids
    vocabulary.txt   the vocabulary's tokens (text.to_bytes)
    metadata.json    the level, V, where each part begins and ends, how many characters it was made of

A part is a stream as `text.encode_stream` gives it. Where no text is set aside for validation, the test part serves as
both. Opening reads the directory, the metadata and the vocabulary, whatever the file's size. `verify` compares all
bytes with their checksums, about a second for each GB; a run does so when it starts or goes on.

Nobody may write into a mapped file. Our own commands never do: they put a new file in its place, and the mapped one
lives on until it is closed. If another program cuts the file short while it is mapped, the system ends the process that
reads there (SIGBUS). So training calls `check_unchanged` after every step, and stops with a sentence if the file's
length or its time of change is another one.
"""

import heapq
import os
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from numpylm.data import archive as zips
from numpylm.data import schema, text
from numpylm.data.atomic import FileError

PARTS = ("train", "valid", "test")
TOKENS, VOCABULARY = "tokens", "vocabulary.txt"
# How a file begins, its bytes 26 to 36, and where the first member's content begins: 30 bytes, the name, 20 for sizes.
BEGINNING, LENGTHS_AND_NAME, TOKENS_OFFSET = b"PK\x03\x04", b"\x06\x00\x14\x00tokens", 56
HINT = "give another file, or prepare this one again"
SCHEMA = {
    "format": schema.one_of("numpylm tokens"),
    "version": schema.one_of(2),
    "level": schema.string,
    "vocab_size": schema.count,
    "ends_blank_lines": schema.boolean,
    "parts": {part: {"start": schema.count, "stop": schema.count, "characters": schema.count} for part in PARTS},
}


class TokenFileError(FileError):
    """A token file that cannot be read or written."""


class EncodedCorpus(NamedTuple):
    """A corpus as token ids: an open token file, or texts in memory, which have neither a path nor a stamp."""

    name: str
    vocabulary: text.Vocabulary
    tokens: dict  # "train", "valid", "test" -> (S,); of a file memory-mapped and read-only
    characters: dict  # part -> how many it was made of
    sha256: str  # of all that was read; of a file its seal's digest
    floor: dict | None = None  # level -> the entropy in nats per token; of a file never known
    path: Path | None = None
    stamp: tuple = ()  # the file's number, size and time of change, when it was opened


def is_token_file(path):
    """Whether a file at path begins as token files do."""
    path = Path(path)
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        beginning = file.read(36)
    return (beginning[:4], beginning[26:]) == (BEGINNING, LENGTHS_AND_NAME)


def write_token_file(path, vocabulary, pieces, valid_is_test=False):
    """Write pieces (number of the part, its next ids, number of their characters), parts in order: 0, 1, 2.

    Each part gets the stream's start in front. A file at path is replaced when all is written, and kept if anything
    fails. Raises TokenFileError if the system refuses.
    """
    dtype, start = text.token_dtype(len(vocabulary)), text.stream_start(vocabulary)
    front = np.array([] if start is None else [start], dtype)
    fronts = [(number, front, 0) for number, part in enumerate(PARTS) if part != "valid" or not valid_is_test]
    stop, parts = 0, {}
    with zips.writing(path, TokenFileError) as archive:
        with zips.new_member(archive, TOKENS) as stream:
            for number, ids, characters in heapq.merge(fronts, pieces, key=itemgetter(0)):  # a front before its part
                stream.write(ids.astype(dtype, copy=False).tobytes())
                part = parts.setdefault(PARTS[number], {"start": stop, "characters": 0})
                stop += len(ids)
                part |= {"stop": stop, "characters": part["characters"] + characters}
        metadata = {
            "format": "numpylm tokens", "version": 2, "level": vocabulary.level, "vocab_size": len(vocabulary),
            "ends_blank_lines": vocabulary.ends_blank_lines,
            "parts": {part: parts[part if part in parts else "test"] for part in PARTS},
        }  # fmt: skip
        zips.write_bytes(archive, VOCABULARY, text.to_bytes(vocabulary))
        zips.write_bytes(archive, zips.METADATA, schema.encode_json(metadata))


def open_token_file(path):
    """The token file at path, as an EncodedCorpus.

    Raises TokenFileError if it is missing, cut off, damaged or another kind of file; damage among the tokens is found
    by `verify`.
    """
    with zips.reading(path, TokenFileError, HINT) as archive:
        fields = schema.decode_json(zips.read_bytes(archive, zips.METADATA, schema.MAX_JSON_BYTES))
        schema.check("its metadata", fields, SCHEMA)
        content = zips.read_bytes(archive, VOCABULARY, text.MAX_VOCABULARY_BYTES)
        vocabulary = text.from_bytes(fields["level"], content, fields["ends_blank_lines"])
        if len(vocabulary) != fields["vocab_size"]:
            raise ValueError(f"its vocabulary has {len(vocabulary)} tokens, its metadata say {fields['vocab_size']}")
        if archive.namelist() != [TOKENS, VOCABULARY, zips.METADATA] or not is_token_file(path):
            raise ValueError("it is not a token file")
        dtype, parts = text.token_dtype(len(vocabulary)), fields["parts"]
        num_tokens = archive.getinfo(TOKENS).file_size // dtype.itemsize
        mapped = np.memmap(archive.fp, dtype, "r", TOKENS_OFFSET, (num_tokens,))
        tokens = {part: mapped[of["start"] : of["stop"]] for part, of in parts.items()}
        if any(len(tokens[part]) != of["stop"] - of["start"] for part, of in parts.items()):
            raise ValueError("its metadata say that a part lies where no tokens are")
        characters = {part: of["characters"] for part, of in parts.items()}
        digest = archive.comment.removeprefix(zips.SEAL).decode("ascii")
        path, stamp = Path(path), _stamp(os.fstat(archive.fp.fileno()))
        return EncodedCorpus(path.stem, vocabulary, tokens, characters, digest, None, path, stamp)


def verify(path, on_bytes=bool):
    """Read the whole file, in little memory, and compare it with its checksums; `on_bytes(number)` is called for each
    block. Raises TokenFileError if it was damaged or changed.
    """
    with zips.reading(path, TokenFileError, HINT) as archive:
        for name in archive.namelist():
            with archive.open(name) as stream:
                while block := stream.read(zips.BLOCK_BYTES):
                    on_bytes(len(block))


def check_unchanged(file):
    """Raise TokenFileError if another program has written into the file since it was opened.

    A file that was replaced, moved or removed is no error: the old one stays mapped.
    """
    try:
        now = _stamp(os.stat(file.path))
    except OSError:
        return
    if now[0] == file.stamp[0] and now != file.stamp:
        reason = "another program has changed it while it was in use"
        raise TokenFileError(file.path, reason, "prepare its text again, and begin a new run")


def _stamp(status):
    return status.st_ino, status.st_size, status.st_mtime_ns
