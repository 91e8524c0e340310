r"""The header of a token file (token_file.py): what is in it, and whether it can be true.

Its fields are the level, V, the type of a token, where each part begins and ends (in tokens), how many characters each
was made of, how long the vocabulary is, and the SHA-256 digest of all bytes after the header. Nothing that it says is
believed before its own digest, and then the file's length, agree with it.
"""

import hashlib
import json
import os

import numpy as np

from numpylm.data.text import token_dtype

MAGIC = b"numpylm tokens "
VERSION = 1
HEADER_BYTES = 4096
DIGEST_START = b"sha256:"
PARTS = ("train", "valid", "test")
MOST_TOKENS = 2**60
FIELDS = {"level", "vocabulary_size", "dtype", "parts", "characters", "vocabulary_bytes", "sha256"}


def stored_dtype(vocab_size: int) -> np.dtype:
    """The type of a token on disk, little-endian."""
    return token_dtype(vocab_size).newbyteorder("<")


def hex_digest(content: bytes) -> bytes:
    """SHA-256 as 64 digits."""
    return hashlib.sha256(content).hexdigest().encode("ascii")


def header_of(vocabulary, spans, characters, vocabulary_bytes, sha256) -> bytes:
    """The header's bytes, from a Vocabulary, {part: [start, stop]}, [number of characters] and the content's digest."""
    characters = dict(zip(PARTS, characters, strict=True))
    if spans["valid"] == spans["test"]:
        characters["valid"] = characters["test"]
    fields = {
        "level": vocabulary.level,
        "vocabulary_size": len(vocabulary),
        "dtype": stored_dtype(len(vocabulary)).str,
        "parts": spans,
        "characters": characters,
        "vocabulary_bytes": vocabulary_bytes,
        "sha256": sha256,
    }
    lines = MAGIC + f"{VERSION}\n{json.dumps(fields)}\n".encode("ascii")
    return (lines + DIGEST_START + hex_digest(lines) + b"\n").ljust(HEADER_BYTES, b" ")


def read_header(file) -> tuple[bytes, dict]:
    """The header's two lines as bytes, and its fields, of a file that is open at its beginning.

    Raises ValueError for what accidents make of a header, and other errors for what only a forger would write.
    """
    header = file.read(HEADER_BYTES)
    if not header.startswith(MAGIC):
        raise ValueError("not a numpylm token file" if header else "not a numpylm token file: the file is empty")
    if not header.startswith(MAGIC + b"%d\n" % VERSION):
        raise ValueError(f"a token file of a version that this numpylm, which writes {VERSION}, does not know")
    if len(header) < HEADER_BYTES:
        raise ValueError(f"the file is truncated: it has {len(header)} of the header's {HEADER_BYTES} bytes")
    lines, _, rest = header.partition(DIGEST_START)
    if rest != (hex_digest(lines) + b"\n").ljust(len(rest), b" "):
        raise ValueError("the header is damaged (its checksum does not match)")
    fields = json.loads(lines.splitlines()[1])
    _check_fields(fields)
    size = os.fstat(file.fileno()).st_size
    expected = _expected_size(fields)
    if size != expected:
        raise ValueError(f"the file is {'truncated' if size < expected else 'too long'}: {size} bytes of {expected}")
    return lines, fields


def _check_fields(fields) -> None:
    """The header's digest finds accidents; this finds what was never written by write_token_file."""
    if not isinstance(fields, dict) or set(fields) != FIELDS:
        raise ValueError("the header has not the fields of a token file")
    numbers = [fields["vocabulary_size"], fields["vocabulary_bytes"], *fields["characters"].values()]
    spans = fields["parts"]
    numbers += [bound for span in spans.values() for bound in span]
    if set(spans) != set(PARTS) or set(fields["characters"]) != set(PARTS) or any(len(s) != 2 for s in spans.values()):
        raise ValueError("the header does not tell of train, valid and test")
    if any(type(number) is not int or not 0 <= number < MOST_TOKENS for number in numbers):
        raise ValueError("the header holds a number that cannot be")
    if any(start > stop for start, stop in spans.values()) or not any(stop for _, stop in spans.values()):
        raise ValueError("the header holds a part that ends before it begins, or no token at all")
    if fields["dtype"] != stored_dtype(fields["vocabulary_size"]).str:
        raise ValueError(f"{fields['dtype']!r} is not the type of tokens below {fields['vocabulary_size']}")


def _expected_size(fields: dict) -> int:
    num_tokens = max(stop for _, stop in fields["parts"].values())
    return HEADER_BYTES + num_tokens * np.dtype(fields["dtype"]).itemsize + fields["vocabulary_bytes"]
