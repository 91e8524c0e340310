"""Memory: how this process keeps what NumPy frees, and how much the machine has.

Each training step makes the same large arrays anew. glibc, Linux's C library, gives large blocks back to the system
when they are freed, and the system clears every page before it hands it out again: a fifth of an LSTM's step at shape
A of `numpylm bench`.
"""

import ctypes
import math
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h; see the manual page mallopt(3)


def keep_freed_memory():
    """From now on keep freed memory for the next arrays, where the C library is glibc; elsewhere do nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_MMAP_MAX, 0)


def machine_bytes():
    """How many bytes of memory this machine has; infinity where the system does not tell (Windows)."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError):
        return math.inf
