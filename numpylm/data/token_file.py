r"""Token files: a corpus as integers on disk, memory-mapped when it is used.

    bytes 0 .. 4095     the header, text that `head` can show: the line "numpylm tokens 1", a line of JSON, the line
                        "sha256:" and 64 digits, the digest of the two lines before it; then spaces
    then                the tokens, train then valid then test, each token the smallest of uint8, uint16 and int32
                        (little-endian) that holds V ids
    then                the vocabulary's tokens as a JSON list

The header says the level, V, the type of a token, where each part begins and ends, how many characters it was made of,
how long the vocabulary is, and the SHA-256 digest of all bytes after the header. A part is a stream as
`text.encode_stream` gives it. Where no text is set aside for validation, the test part serves as both.

Opening reads the header and the vocabulary, and compares the file's length, in milliseconds whatever its size. The
whole digest takes about two seconds for each GB, and is taken when a run starts or goes on: a training pass over as
much text takes hours, and a damaged token would spoil it in silence.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from numpylm.data.atomic import FileError, one_error, replacing
from numpylm.data.text import Vocabulary, from_json, stream_start
from numpylm.data.token_header import HEADER_BYTES, MAGIC, PARTS, header_of, hex_digest, read_header, stored_dtype

READ_BYTES = 2**20
HINT = "give another file, or prepare this one again"


class TokenFileError(FileError):
    """A token file that cannot be read or written."""


class TokenFile(NamedTuple):
    """An open token file. `sha256` is the digest of header and content; a token file's floor is never known."""

    path: Path
    vocabulary: Vocabulary
    tokens: dict  # "train", "valid", "test" -> (S,), memory-mapped; they cannot be written to
    characters: dict  # part -> how many it was made of
    sha256: str
    floor: None = None

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem


def is_token_file(path) -> bool:
    """Whether a path is that of a file which begins as token files do."""
    path = Path(path)
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


# Writing


def write_token_file(path, vocabulary: Vocabulary, pieces: Iterable[tuple[int, np.ndarray, int]], valid_is_test=False):
    """Writes pieces (number of the part, its next ids, number of their characters), parts in order: 0, 1, 2.

    A file that is there is replaced when all is written, and left as it was if anything fails. Each part gets the
    stream's start in front. Raises TokenFileError if the system refuses.
    """
    path = Path(path)
    digest = hashlib.sha256()
    with replacing(path) as temporary, _created(temporary, path) as file:

        def write(content):
            with _writing(path):
                file.write(content)
            digest.update(content)

        lengths, characters = _write_parts(write, vocabulary, pieces, valid_is_test)
        words = json.dumps(list(vocabulary.tokens)).encode("ascii")
        write(words)
        header = header_of(vocabulary, _spans(lengths, valid_is_test), characters, len(words), digest.hexdigest())
        with _writing(path):
            file.seek(0)
            file.write(header)
            file.flush()
            os.fsync(file.fileno())


def _created(temporary: Path, path: Path) -> BinaryIO:
    with _writing(path):
        file = open(temporary, "xb")  # noqa: SIM115 (the caller's `with` closes it)
        file.write(bytes(HEADER_BYTES))
        return file


def _writing(path: Path):
    # Around each write, not around them all: the pieces come from a text, which has errors of its own.
    return one_error(path, "nothing was written; check the folder, its permissions and its free space", TokenFileError)


def _write_parts(write: Callable, vocabulary: Vocabulary, pieces, valid_is_test: bool) -> tuple[list[int], list[int]]:
    dtype = stored_dtype(len(vocabulary))
    start = stream_start(vocabulary)
    front = np.array([] if start is None else [start], dtype)
    waiting = [number for number in range(len(PARTS)) if number != 1 or not valid_is_test]
    lengths, characters = [0] * len(PARTS), [0] * len(PARTS)
    for part, ids, num_characters in chain(pieces, [(len(PARTS), front[:0], 0)]):
        while waiting and waiting[0] <= part:  # every part begins, even one without text
            lengths[waiting.pop(0)] += len(front)
            write(front.tobytes())
        if len(ids):
            lengths[part] += len(ids)
            write(ids.astype(dtype, copy=False).data)
        if part < len(PARTS):
            characters[part] += num_characters
    return lengths, characters


def _spans(lengths: list[int], valid_is_test: bool) -> dict[str, list[int]]:
    ends = np.cumsum([0, *lengths]).tolist()
    spans = {part: [ends[number], ends[number + 1]] for number, part in enumerate(PARTS)}
    return spans | {"valid": spans["test"]} if valid_is_test else spans


# Reading


def open_token_file(path) -> TokenFile:
    """The token file at path. Raises TokenFileError if it is missing, truncated, of another kind, or its header or
    vocabulary is damaged; damage among the tokens is found by `verify`.
    """
    path = Path(path)
    with one_error(path, HINT, TokenFileError), open(path, "rb") as file:
        lines, fields = read_header(file)
        spans = fields["parts"]
        num_tokens = max(stop for _, stop in spans.values())
        dtype = np.dtype(fields["dtype"])
        file.seek(HEADER_BYTES + num_tokens * dtype.itemsize)
        vocabulary = _read_vocabulary(file, fields)
        mapped = np.memmap(path, dtype, "r", HEADER_BYTES, (num_tokens,))
        tokens = {part: mapped[start:stop] for part, (start, stop) in spans.items()}
        return TokenFile(path, vocabulary, tokens, fields["characters"], hex_digest(lines).decode("ascii"))


def verify(path, on_bytes: Callable[[int], object] = bool) -> None:
    """Reads the whole file, in little memory, and compares it with its digest; `on_bytes(number)` is called for each
    block. Raises TokenFileError if it was damaged or changed.
    """
    with one_error(path, HINT, TokenFileError), open(path, "rb") as file:
        _, fields = read_header(file)
        file.seek(HEADER_BYTES)
        digest = hashlib.sha256()
        while block := file.read(READ_BYTES):
            digest.update(block)
            on_bytes(len(block))
        if digest.hexdigest() != fields["sha256"]:
            raise ValueError("the file was damaged or changed after it was written (its checksum does not match)")


def _read_vocabulary(file, fields: dict) -> Vocabulary:
    try:
        tokens = json.loads(file.read(fields["vocabulary_bytes"]).decode("ascii"))
        vocabulary = from_json({"level": fields["level"], "tokens": tokens})
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the vocabulary is damaged: {error}") from None
    if len(vocabulary) != fields["vocabulary_size"]:
        raise ValueError(f"the vocabulary has {len(vocabulary)} tokens, the header says {fields['vocabulary_size']}")
    return vocabulary
