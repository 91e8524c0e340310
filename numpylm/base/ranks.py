"""The processes that work together, the ranks 0 … K-1: how they add up numbers, agree, and fail together.

mpi4py carries what they send. Without mpiexec there is one rank, ALONE, and code that is written for K of them runs as
it is. data_parallel.py trains with them.
"""

import time
import zlib
from contextlib import contextmanager

import numpy as np


class RanksDiffer(ValueError):
    """The ranks do not agree, or one of them failed; the message says which."""


class Ranks:
    """The ranks of an mpi4py communicator; without one, this process alone. Every rank calls the same methods."""

    def __init__(self, comm=None):
        self.comm = comm
        self.rank, self.size = (0, 1) if comm is None else (comm.Get_rank(), comm.Get_size())
        self.waiting_since = None  # when this rank began to wait for the others, in seconds

    def everybodys(self, value):
        """The values of all ranks, in their order."""
        if self.comm is None:
            return [value]
        with self._waiting():
            return self.comm.allgather(value)

    def total(self, values):
        """The sum of an array (·,) over all ranks, the same bits on each; it is written over the array.

        Each rank adds up one K-th of the numbers, and sends the sums to all. An array whose size is no multiple of K is
        copied, and stays as it was.
        """
        if self.comm is None:
            return values
        rest = -values.size % self.size
        if rest:
            return self.total(np.append(values, np.zeros(rest, values.dtype)))[:-rest]
        from mpi4py.MPI import IN_PLACE

        share = values.size // self.size
        with self._waiting():
            self.comm.Reduce_scatter_block(IN_PLACE, values)  # leaves the sums of this rank's K-th in front
            values[self.rank * share : (self.rank + 1) * share] = values[:share]
            self.comm.Allgather(IN_PLACE, values)
        return values

    def on_each(self, action):
        """action() on each rank: every rank gets its own result, or all get an error."""
        result = error = None
        try:
            result = action()
        except BaseException as caught:
            error = caught
        messages = self.everybodys(None if error is None else str(error))
        if error is not None:
            raise error
        for k, message in enumerate(messages):
            if message is not None:
                raise RanksDiffer(f"process {k}: {message}")
        return result

    def on_first(self, action):
        """What action() returns on rank 0, which alone calls it; or all get an error."""
        return self.everybodys(self.on_each(lambda: action() if self.rank == 0 else None))[0]

    def any(self, *flags):
        """For each flag whether it is True on one rank or more."""
        return tuple(any(values) for values in zip(*self.everybodys(flags), strict=True))

    def require_same(self, what, value):
        """Raises RanksDiffer, on all ranks, unless value is the same on all."""
        values = self.everybodys(value)
        others = [k for k in range(self.size) if values[k] != values[0]]
        if others:
            raise RanksDiffer(f"{what} of process {others[0]} and of process 0 differ: all must have the same")

    def clock(self):
        """Rank 0's seconds: all ranks decide alike by them."""
        return self.everybodys(time.perf_counter())[0]

    @contextmanager
    def _waiting(self):
        self.waiting_since = time.monotonic()
        yield
        self.waiting_since = None


ALONE = Ranks()


def part_of(N, rank, size):
    """The slice of range(N) that a rank has, as even as can be; empty on some ranks if N < K."""
    return slice(N * rank // size, N * (rank + 1) // size)


def length(part):
    """How many a slice takes."""
    return part.stop - part.start


def checksum(arrays):
    """A number that differs if a bit of the arrays does."""
    found = 0
    for array in arrays:
        found = zlib.crc32(np.ascontiguousarray(array), found)
    return found
