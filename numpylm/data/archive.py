"""A safe file of named arrays and JSON metadata: the format underneath checkpoints.

An archive is an ordinary ``.npz``, a zip of uncompressed ``.npy`` members, so ``numpy.load`` opens it too.
The member ``metadata`` is JSON text as uint8 bytes. The zip's comment is ``sha256:`` and 64 digits: the
digest of all bytes before those digits, in which a single flipped bit shows.

    write    members -> temporary file in the same folder -> digest -> sync -> rename over the old file
    read     digest -> zip directory -> every member's header -> metadata -> the caller's check -> arrays

The digest finds accidents, not enemies, who can compute it too. So a reader believes no size in the file
before comparing it with the file's own length, decompresses and unpickles nothing, and reads in small pieces.

Sources: npy (NumPy enhancement proposal 1, 2007), zip (PKWARE, APPNOTE 6.3), SHA-256 (FIPS 180-4, 2015), JSON
(RFC 8259, 2017).
"""

import hashlib
import io
import json
import math
import os
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from numpylm.data.atomic import FileError, one_error, replacing

NAME = re.compile(r"\w[\w.-]{0,199}(?<!\.npy)", re.ASCII)
DTYPES = ("|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", "<c16")
MAX_ARRAYS = 1000
MAX_DIMENSIONS = 32
MAX_HEADER_BYTES = 1024
MAX_METADATA_BYTES = 16 * 2**20  # about a million words; the worst JSON takes 25 times as much memory
MAX_READ_BYTES = 2**19  # the directory of MAX_ARRAYS members fits, and NumPy reads half as much at a time
COMMENT_START = b"sha256:"
DIGITS = 64

Layout = dict[str, tuple[tuple[int, ...], np.dtype]]


class CheckpointError(FileError):
    """A checkpoint that cannot be read or written."""


def write_archive(path: str | os.PathLike, arrays: dict[str, np.ndarray], metadata: dict[str, Any]) -> None:
    """Write arrays of any shape, and metadata; if anything fails, path still holds what it did before.

    The same content in the same order gives the same bytes. A link at path is replaced, not followed.
    A killed process may leave a ``.numpylm-*.tmp`` behind.
    Raises ValueError for arrays or metadata that would not come back as they are, and CheckpointError if the
    folder is missing or the system refuses.
    """
    _check_arrays(arrays)
    members = {"metadata": _encode_metadata(metadata), **arrays}
    path = Path(path)
    hint = "nothing was replaced; check the folder, its permissions and its free space"
    with one_error(path, hint, CheckpointError), replacing(path) as temporary:
        _write_synced(temporary, members)


def read_layout(path: str | os.PathLike) -> tuple[dict[str, Any], Layout]:
    """Validate the whole file; return its metadata and {name: (shape, dtype)}. Loads no array.

    Raises CheckpointError for whatever is wrong with the file.
    """
    with _opened(path) as file:
        _, metadata, layout = _read_structure(file)
        return metadata, layout


def read_archive(
    path: str | os.PathLike, check: Callable[[dict[str, Any], Layout], None] | None = None
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the file's metadata and {name: array}, after the validation that read_layout does.

    check(metadata, layout) is called before any array is loaded, and refuses the file by raising: a
    CheckpointError as it is, or a ValueError, whose first line is the reason.
    The arrays take no more memory than the file is long.
    Raises CheckpointError for whatever is wrong with the file.
    """
    with _opened(path) as file:
        archive, metadata, layout = _read_structure(file)
        if check is not None:
            check(metadata, layout)
        return metadata, {name: _read_array(archive, name, expected) for name, expected in layout.items()}


# Writing


def _check_arrays(arrays: dict[str, np.ndarray]) -> None:
    if len(arrays) > MAX_ARRAYS or "metadata" in arrays:
        raise ValueError(f"expected at most {MAX_ARRAYS} arrays, none called 'metadata', not {len(arrays)}")
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{name!r} is a {type(array).__name__}: expected a NumPy array")
        _check_array(name, array.shape, array.dtype)


def _check_array(name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"name {str(name)[:40]!r}: expected up to 200 of a-z A-Z 0-9 _ . - and no '.npy'")
    if dtype.str not in DTYPES or dtype.fields is not None:
        raise ValueError(f"array {name!r} has dtype {dtype.str}: expected one of {' '.join(DTYPES)}")
    if len(shape) > MAX_DIMENSIONS or any(type(length) is not int or length < 0 for length in shape):
        raise ValueError(f"array {name!r} has shape {shape}: expected up to {MAX_DIMENSIONS} lengths >= 0")
    # NumPy wants the product of the lengths to fit a machine word even where one more length is 0.
    if math.prod(length for length in shape if length) * dtype.itemsize >= 2**63:
        raise ValueError(f"array {name!r} has shape {shape}: too large for any computer")


def _encode_metadata(metadata: dict[str, Any]) -> np.ndarray:
    try:
        text = json.dumps(metadata, allow_nan=False)
        unchanged = isinstance(metadata, dict) and json.loads(text) == metadata
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"metadata cannot be written as JSON: {error}") from error
    if not unchanged:
        raise ValueError("metadata would change in JSON: expected a dict with str keys, and lists for tuples")
    if len(text) > MAX_METADATA_BYTES:
        raise ValueError(f"metadata is {len(text)} bytes of JSON: expected at most {MAX_METADATA_BYTES}")
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8)


def _write_synced(path: Path, members: dict[str, np.ndarray]) -> None:
    with open(path, "x+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.comment = COMMENT_START + b"0" * DIGITS
            for name, array in members.items():
                member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                member.create_system = 3  # Unix, for the same bytes on every platform
                with archive.open(member, "w", force_zip64=True) as stream:
                    npy.write_array(stream, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
        file.write(_digest(file))
        file.flush()
        os.fsync(file.fileno())


def _digest(file: BinaryIO) -> bytes:
    """SHA-256 of all but the last 64 bytes, as 64 digits; the file is then in front of those bytes."""
    remaining = file.seek(0, os.SEEK_END) - DIGITS
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(min(remaining, MAX_READ_BYTES)):
        digest.update(block)
        remaining -= len(block)
    return digest.hexdigest().encode("ascii")


# Reading


class _SmallReads(io.FileIO):
    """A file that refuses large reads, for zipfile reads a directory as long as the file claims it to be."""

    def read(self, size: int = -1) -> bytes:
        block = super().read(MAX_READ_BYTES + 1 if size < 0 else min(size, MAX_READ_BYTES + 1))
        if len(block) > MAX_READ_BYTES:
            raise ValueError(f"the zip directory is too long: expected at most {MAX_READ_BYTES} bytes")
        return block


@contextmanager
def _opened(path: str | os.PathLike) -> Iterator[_SmallReads]:
    path = Path(path)
    with one_error(path, "give another checkpoint, or save this one again", CheckpointError):
        if path.exists() and not path.is_file():
            raise ValueError("not a numpylm checkpoint: it is a folder or a device")
        with _SmallReads(path) as file:
            yield file


def _read_structure(file: _SmallReads) -> tuple[zipfile.ZipFile, dict[str, Any], Layout]:
    _check_digest(file)
    archive = zipfile.ZipFile(file)
    _check_directory(archive.infolist(), file_size=file.seek(0, os.SEEK_END))
    names = [member.filename.removesuffix(".npy") for member in archive.infolist()]
    layout = {name: _read_header(archive, name) for name in names}
    if len(layout) < len(names) or "metadata" not in layout:
        raise ValueError("not a numpylm checkpoint: it has no metadata, or two members of one name")
    return archive, _read_metadata(archive, layout.pop("metadata")), layout


def _check_digest(file: _SmallReads) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        raise ValueError(f"not a numpylm checkpoint: {'not an .npz file' if size else 'the file is empty'}")
    file.seek(max(0, size - DIGITS - len(COMMENT_START)))
    comment = file.read(DIGITS + len(COMMENT_START))
    if not comment.startswith(COMMENT_START):
        raise ValueError("not a numpylm checkpoint: the file is truncated or foreign (it has no checksum)")
    if _digest(file) != comment[-DIGITS:]:
        raise ValueError("the file was damaged or changed after it was written (its checksum does not match)")


def _check_directory(members: list[zipfile.ZipInfo], file_size: int) -> None:
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise ValueError("a member is compressed")
        if member.flag_bits:
            raise ValueError("a member is encrypted, or has a name beyond ASCII")
    if sum(member.file_size for member in members) > file_size:
        raise ValueError("the members claim to be larger than the file")


def _read_header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype]:
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as stream, warnings.catch_warnings():
        warnings.simplefilter("error")
        if npy.read_magic(stream) != (1, 0):
            raise ValueError("an array has a header of a later version, which may be 4 GiB long")
        shape, in_columns, dtype = npy.read_array_header_1_0(stream, max_header_size=MAX_HEADER_BYTES)
        header_size = stream.tell()
    _check_array(name, shape, dtype)
    size = header_size + math.prod(shape) * dtype.itemsize
    if in_columns or member.file_size != size:
        raise ValueError(f"array {name!r} is not, as its header claims, {size} bytes in rows")
    return shape, dtype


def _read_metadata(archive: zipfile.ZipFile, expected: tuple) -> dict[str, Any]:
    shape, dtype = expected
    if len(shape) != 1 or dtype != np.uint8 or shape[0] > MAX_METADATA_BYTES:
        raise ValueError(f"the metadata is not a row of at most {MAX_METADATA_BYTES} bytes")
    metadata = json.loads(_read_array(archive, "metadata", expected).tobytes().decode("ascii"))
    if not isinstance(metadata, dict):
        raise ValueError("the metadata is not a JSON object")
    return metadata


def _read_array(archive: zipfile.ZipFile, name: str, expected: tuple) -> np.ndarray:
    with archive.open(f"{name}.npy") as stream:
        array = npy.read_array(stream, allow_pickle=False, max_header_size=MAX_HEADER_BYTES)
    if (array.shape, array.dtype) != expected:
        raise ValueError(f"array {name!r} changed while it was being read")
    return array
