"""Data-parallel training: K processes, the ranks 0 … K-1, share the N sequences of each batch (mpiexec -n K).

The loss of a batch is the mean over its M predicted targets. Rank k has M_k of them, and the mean over its own is
loss_k. The mean of all is a weighted mean of these, and so is every gradient:

    loss = Σ_k (M_k / M) loss_k          dW = Σ_k (M_k / M) dW_k

Rank 0 adds them up and sends the sum to all. So every rank has the same bits, and takes the same step by itself. Each
rank draws dropout masks and restarts for all N sequences and takes its own, so that K does not change what is drawn.

Alone and Together have the same methods: code that is written for K processes runs in one as it is.
"""

import time
import zlib
from contextlib import contextmanager

import numpy as np

from numpylm.model import LossOutput


class Alone:
    """The only process: it has all sequences, and its word counts."""

    rank, size, waiting_since = 0, 1, None

    def part(self, N):
        """The slice of N sequences that this rank has; empty on some ranks if N < K."""
        return part_of(N, self.rank, self.size)

    def total(self, values):
        """The sum of an array over all ranks, the same bits on each."""
        return values

    def on_first(self, action):
        """What action() returns on rank 0, which alone calls it. An error there ends all ranks."""
        return action()

    def on_each(self, action):
        """action() on each rank: every rank gets its own result, or all get an error."""
        return action()

    def any(self, *flags):
        """For each flag whether it is True on one rank or more."""
        return flags

    def require_same(self, what, value):
        """Raises RanksDiffer, on all ranks, unless value is the same on all."""

    def gather(self, carried, N):
        """The states of all N sequences, on rank 0, from the ranks' own; None where there is none."""
        return carried

    def clock(self):
        """Rank 0's seconds: all ranks decide alike by them."""
        return time.perf_counter()


ALONE = Alone()


class RanksDiffer(ValueError):
    """The ranks do not agree, or one of them failed; the message says which."""


class Together(Alone):
    """One of the ranks of an mpi4py communicator. waiting_since: since when it has waited for others, or None."""

    def __init__(self, comm):
        self.comm, self.rank, self.size = comm, comm.Get_rank(), comm.Get_size()

    @contextmanager
    def _waiting(self):
        self.waiting_since = time.monotonic()
        yield
        self.waiting_since = None

    def total(self, values):
        """See Alone; one reduction to rank 0 and one broadcast."""
        values, found = np.ascontiguousarray(values), np.empty_like(values)
        with self._waiting():
            self.comm.Reduce(values, found)
            self.comm.Bcast(found)
        return found

    def on_first(self, action):
        """See Alone."""
        result = error = None
        if self.rank == 0:
            try:
                result = action()
            except BaseException as caught:
                error = caught
        with self._waiting():
            failed, result = self.comm.bcast((error is not None, result))
        if error is not None:
            raise error
        if failed:
            raise RanksDiffer("process 0 failed, and says why")
        return result

    def on_each(self, action):
        """See Alone."""
        result = error = None
        try:
            result = action()
        except Exception as caught:
            error = caught
        failed = next(((k, text) for k, text in enumerate(self._all(error and str(error))) if text is not None), None)
        if error is not None:
            raise error
        if failed:
            raise RanksDiffer("process {}: {}".format(*failed))
        return result

    def any(self, *flags):
        """See Alone."""
        return tuple(self.total(np.array(flags, int)) > 0)

    def require_same(self, what, value):
        """See Alone."""
        values = self._all(value)
        others = [k for k in range(self.size) if values[k] != values[0]]
        if others:
            raise RanksDiffer(f"{what} of process {others[0]} and of process 0 differ: all must have the same")

    def gather(self, carried, N):
        """See Alone."""
        with self._waiting():
            pieces = self.comm.gather(carried)
        if self.rank > 0 or carried is None:
            return None
        pieces = [piece for k, piece in enumerate(pieces) if length(part_of(N, k, self.size))]
        return tuple(joined(layers) for layers in zip(*pieces, strict=True))

    def clock(self):
        """See Alone."""
        return self.on_first(time.perf_counter)

    def _all(self, value):
        with self._waiting():
            return self.comm.allgather(value)


class PartOfDraws(np.random.Generator):
    """A Generator that draws for all N sequences, as rng would, and returns those of one part.

    The sequences are the last axis but one of what is drawn, or the only one: (T, N, D), (N, H), (N,).
    """

    def __init__(self, rng, N, part):
        super().__init__(rng.bit_generator)
        self.N, self.part = N, part

    def random(self, shape):
        """Uniform values in [0, 1) of the part's shape."""
        before, after = tuple(np.atleast_1d(shape))[:-2], tuple(np.atleast_1d(shape))[-1:]
        after = after if np.ndim(shape) and len(shape) > 1 else ()
        drawn = super().random((*before, self.N, *after))
        return drawn[(slice(None),) * len(before) + (self.part,)]


def part_of(N, rank, size):
    """The slice of range(N) that a rank has: as even as can be."""
    return slice(N * rank // size, N * (rank + 1) // size)


def rows(state, part):
    """The state of a part of the sequences: rows of each layer's arrays."""
    return tuple(type(layer)(*[array[part] for array in layer]) for layer in state)


def joined(states):
    """The ranks' states of one layer, one below the other."""
    return type(states[0])(*[np.concatenate(arrays) for arrays in zip(*states, strict=True)])


def length(part):
    """How many a slice takes."""
    return part.stop - part.start


def columns(batch, axes, part):
    """The batch of a part of the sequences; axes[i] is their axis in the batch's i-th item, None where it has none."""
    items = [
        item if axis is None else item[(slice(None),) * axis + (part,)] for item, axis in zip(batch, axes, strict=True)
    ]
    return batch._make(items) if hasattr(batch, "_make") else tuple(items)


def data_parallel(task, ranks):
    """The Task that computes what task does, with the batch and the carried state of each rank a part of the whole."""
    if ranks.size == 1:
        return task

    def loss_and_gradients(model, batch, carried, rng):
        axes = task.axes or (1,) * len(batch)
        N = batch[0].shape[axes[0]]
        part, weight = work_of(ranks, N, lambda part: task.num_targets(columns(batch, axes, part)))
        out = task.loss_and_gradients(model, columns(batch, axes, part), carried, PartOfDraws(rng, N, part))
        return weighted_sum(ranks, out, weight)

    return task._replace(loss_and_gradients=loss_and_gradients, validate=lambda model: task.validate(model, ranks))


def work_of(ranks, N, num_targets):
    """The slice of N sequences that a rank computes, and its weight M_k / M.

    Every rank computes something, so that all draw the same numbers. A rank without a sequence repeats the first one,
    with weight 0. Where some rank's sequences have no targets, which would have no mean, rank 0 computes all of them.
    """
    parts = [part_of(N, k, ranks.size) for k in range(ranks.size)]
    M = [num_targets(part) if length(part) else 0 for part in parts]
    if any(length(part) and M_k == 0 for part, M_k in zip(parts, M, strict=True)):
        return slice(0, N), float(ranks.rank == 0)
    part = own_part(ranks, N)
    return part, M[ranks.rank] / sum(M)


def own_part(ranks, N):
    """The slice of N sequences whose state a rank carries: its own, or the first one where it has none."""
    part = ranks.part(N)
    return part if length(part) else slice(0, 1)


def weighted_sum(ranks, out, weight):
    """loss and gradients as LossOutput, each the sum over the ranks of weight times its own; the state is its own."""
    gradients = out.gradients
    dtype = np.result_type(*gradients.values())
    flat = np.concatenate([np.array([out.loss], dtype), *[gradient.ravel() for gradient in gradients.values()]])
    flat = ranks.total(np.multiply(flat, weight, dtype=dtype))
    ends = 1 + np.cumsum([gradient.size for gradient in gradients.values()])
    pieces = np.split(flat[1:], ends[:-1] - 1)
    summed = {name: piece.reshape(gradients[name].shape) for name, piece in zip(gradients, pieces, strict=True)}
    return LossOutput(float(flat[0].real), summed, out.state)


def checksum(arrays):
    """A number that differs if a bit of the arrays does."""
    found = 0
    for array in arrays:
        found = zlib.crc32(np.ascontiguousarray(array), found)
    return found
