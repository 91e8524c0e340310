"""What a process does with memory that it has freed.

A training step frees all its arrays at its end, and the next step asks for as many again. In between, glibc's malloc
gives the memory back to the system, which must hand it out page by page, cleared, once more: up to a quarter of a small
RNN's step (`python -m numpylm bench --cells rnn --shapes A B`). A process that trains had better keep it.
"""

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt, in glibc's malloc.h
KEPT = 64 * 2**20  # bytes of freed memory that are not given back
LARGEST_KEPT = 32 * 2**20  # bytes of the largest array that is taken from what was kept: glibc allows no more


def keep_freed_memory():
    """Tells malloc to keep freed memory, for the rest of this process; whether it could. Other systems than Linux, and
    other C libraries than glibc, are left as they are (source: the manual page mallopt(3))."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        return bool(mallopt(M_TRIM_THRESHOLD, KEPT) and mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT))
    return False
