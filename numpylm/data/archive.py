"""A sealed zip file: uncompressed members in which damage shows. Checkpoints and token files are such files.

    write    members -> temporary file -> seal -> sync -> rename over the old file         (atomic.py)
    read     directory and seal -> metadata -> every array's header -> arrays

A zip has a CRC-32 of every member. The zip's comment is our seal: "numpylm:" and the SHA-256 digest of all names, sizes
and CRC-32s. So a changed bit shows, and so does a member that another program exchanged.

The checksums find accidents, not enemies, who can compute them too. So a reader compares every size with the file's own
before it reads, and decompresses, unpickles and executes nothing.

Sources: zip (PKWARE, APPNOTE 6.3), npy (NumPy enhancement proposal 1, 2007), SHA-256 (FIPS 180-4, 2015).
"""

import hashlib
import io
import math
import os
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from numpylm.data.atomic import FileError, one_error, replacing

SEAL, OLD_SEAL = b"numpylm:", b"sha256:"
METADATA = "metadata.json"
BLOCK_BYTES = 2**18
MAX_READ_BYTES = 2**19  # the directory of 4,000 members fits
MAX_HEADER_BYTES = 1024


class CheckpointError(FileError):
    """A checkpoint that cannot be read or written."""


@contextmanager
def writing(path, kind):
    """An empty zip file to put members into; it is sealed, and takes path's place, when the block ends well."""
    with replacing(path, kind) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        yield archive
        archive.comment = seal(archive)


def seal(archive):
    """The seal of a zip file's members."""
    listing = [(member.filename, member.file_size, member.CRC) for member in archive.infolist()]
    return SEAL + hashlib.sha256(repr(listing).encode()).hexdigest().encode()


def new_member(archive, name):
    """A stream for a new member's bytes."""
    return archive.open(zipfile.ZipInfo(name), "w", force_zip64=True)  # dated 1980: the same bytes every time


def write_bytes(archive, name, content):
    """Write one member."""
    with new_member(archive, name) as stream:
        stream.write(content)


def write_array(archive, name, array):
    """Write an array as the member NAME.npy."""
    with new_member(archive, f"{name}.npy") as stream:
        npy.write_array(stream, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)


class _SmallReads(io.FileIO):
    """A file that refuses large reads: zipfile reads a directory as long as the file claims it to be."""

    def read(self, size=-1):
        block = super().read(MAX_READ_BYTES + 1 if size < 0 else min(size, MAX_READ_BYTES + 1))
        if len(block) > MAX_READ_BYTES:
            raise ValueError(f"its zip directory is longer than {MAX_READ_BYTES} bytes")
        return block


@contextmanager
def reading(path, kind, hint):
    """The zip file at path, its directory and seal checked. A failure in the block becomes a FileError of this kind."""
    with one_error(path, hint, kind):
        if Path(path).exists() and not Path(path).is_file():
            raise ValueError("it is a folder, a pipe or a device, not a file")
        with _SmallReads(path) as file:
            beginning = file.read(4)
            if beginning != b"PK\x03\x04":
                raise ValueError("it is not a numpylm file" if beginning else "it is empty")
            try:
                archive = zipfile.ZipFile(file)
                _check_directory(archive, file.seek(0, os.SEEK_END))
                yield archive
            except (zipfile.BadZipFile, EOFError) as error:
                raise ValueError(f"it is damaged or cut off ({error})") from None


def _check_directory(archive, file_size):
    members = archive.infolist()
    if archive.comment.startswith(OLD_SEAL):
        raise ValueError("it was written by an older numpylm, whose files this one cannot read")
    if not archive.comment.startswith(SEAL):
        raise ValueError("it is not a numpylm file, or another program has written it again")
    if archive.comment != seal(archive):
        raise ValueError("it was damaged or changed after it was written (its checksum does not match)")
    if any(m.compress_type != zipfile.ZIP_STORED or m.compress_size != m.file_size or m.flag_bits for m in members):
        raise ValueError("it has a member that is compressed or encrypted")
    if sum(member.file_size for member in members) > file_size:
        raise ValueError("its members claim to be larger than the file")
    if len(set(archive.namelist())) < len(members):
        raise ValueError("it has two members of one name")


def read_bytes(archive, name, most):
    """A member's content. Raises ValueError if it is missing or has more than `most` bytes."""
    if name not in archive.namelist():
        raise ValueError(f"it lacks its member {name}")
    size = archive.getinfo(name).file_size
    if size > most:
        raise ValueError(f"its member {name} has {size:,} bytes; expected at most {most:,}")
    with archive.open(name) as stream:
        return b"".join(iter(lambda: stream.read(BLOCK_BYTES), b""))


def read_layout(archive):
    """What the .npy members' headers say, name -> (shape, dtype). ValueError for what write_array never writes."""
    layout = {}
    for name in archive.namelist():
        if not name.endswith(".npy"):
            continue
        with archive.open(name) as stream:
            if npy.read_magic(stream) != (1, 0):
                raise ValueError(f"{name} has a header of a later version")
            shape, in_columns, dtype = npy.read_array_header_1_0(stream, max_header_size=MAX_HEADER_BYTES)
            if in_columns or archive.getinfo(name).file_size != stream.tell() + math.prod(shape) * dtype.itemsize:
                raise ValueError(f"{name} is not as long as its header says")
            layout[name[:-4]] = (shape, dtype)
    return layout


def check_layout(found, expected):
    """Raise ValueError, with the first difference, unless the layout that was found is the one expected."""
    for name in expected:
        if name not in found:
            raise ValueError(f"the array {name} is missing")
    for name, (shape, dtype) in found.items():
        if name not in expected:
            raise ValueError(f"the array {name[:100]} belongs to nothing")
        if (shape, dtype) != expected[name]:
            raise ValueError(f"the array {name} is {dtype} {shape}; expected {expected[name][1]} {expected[name][0]}")


def read_array(archive, name, shape, dtype):
    """The array NAME.npy, whose layout was checked. Raises ValueError if it changed since, or its CRC-32 is wrong."""
    with archive.open(f"{name}.npy") as stream:
        array = npy.read_array(stream, allow_pickle=False, max_header_size=MAX_HEADER_BYTES)
        if stream.read(1) or (array.shape, array.dtype) != (shape, dtype):  # zipfile compares the CRC-32 at the end
            raise ValueError(f"the array {name} changed while it was read")
        return array
