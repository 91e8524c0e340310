"""Memory-mapped arrays: a file's bytes in the place of memory, read page by page when they are looked at.

What was read stays in the process's resident memory until the system needs the room, so that a pass over a large file
looks like a process as large as the file. Whoever has read a part, and will not come back soon, gives its pages back.
They stay in the system's own cache of the file; the array can be read again at any time.
"""

import mmap
from collections.abc import Iterator

import numpy as np

BLOCK_BYTES = 2**22


def release(array: np.ndarray) -> None:
    """Gives the pages of a memory-mapped array that cannot be written to back to the system, as far as the array
    reaches. Does nothing for any other array (pages that were written to could be lost), and where the system has no
    such call (Windows).
    """
    mapped, read_only = array, False
    while isinstance(mapped, np.ndarray):
        read_only = read_only or (isinstance(mapped, np.memmap) and mapped.mode == "r")
        mapped = mapped.base
    if not (array.size and read_only and isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED")):
        return
    first, stop = _bytes_of(array)
    offset = _bytes_of(np.frombuffer(mapped, np.uint8))[0]
    start = (first - offset) // mmap.PAGESIZE * mmap.PAGESIZE
    mapped.madvise(mmap.MADV_DONTNEED, start, stop - offset - start)


def blocks(array: np.ndarray) -> Iterator[np.ndarray]:
    """An array (S,) in order, in views of a few MiB, each of which is given back after it was used."""
    length = max(1, BLOCK_BYTES // array.itemsize)
    for start in range(0, len(array), length):
        block = array[start : start + length]
        yield block
        release(block)


def value_range(array: np.ndarray) -> tuple:
    """(smallest, largest) of an array (S,) that is not empty."""
    ranges = [(block.min(), block.max()) for block in blocks(array)]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _bytes_of(array: np.ndarray) -> tuple[int, int]:
    """The addresses of an array's first byte and of the one after its last."""
    reaches = [(length - 1) * stride for length, stride in zip(array.shape, array.strides, strict=True)]
    first = array.ctypes.data + sum(min(0, reach) for reach in reaches)
    last = array.ctypes.data + sum(max(0, reach) for reach in reaches)
    return first, last + array.itemsize
