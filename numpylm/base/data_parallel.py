"""Data-parallel training: K processes, the ranks 0 … K-1, share the N sequences of each batch (mpiexec -n K).

The loss of a batch is the mean over its M predicted targets. Rank k has M_k of them, and the mean over its own is
loss_k. The mean of all is a weighted mean of these, and so is every gradient:

    loss = Σ_k (M_k / M) loss_k          dW = Σ_k (M_k / M) dW_k

Each rank adds up one K-th of these numbers and sends the sums to all. So every rank gets the same bits, and takes the
same step by itself. Each rank draws dropout masks and restarts for all N sequences and takes its own, so that K does
not change what is drawn.
"""

import numpy as np

from numpylm.base.ranks import length, part_of


class PartOfDraws(np.random.Generator):
    """A Generator that draws for all N sequences, as rng would, and returns those of one part.

    The sequences are the last axis but one of what is drawn, or the only one: (T, N, D), (N, H), (N,).
    """

    def __init__(self, rng, N, part):
        super().__init__(rng.bit_generator)
        self.N, self.part = N, part

    def random(self, shape):
        """Uniform values in [0, 1) of the part's shape."""
        shape = tuple(np.atleast_1d(shape))
        axis = max(len(shape) - 2, 0)
        return along(axis, super().random((*shape[:axis], self.N, *shape[axis + 1 :])), self.part)


def along(axis, q, part):
    """q[:, …, part], with the slice on that axis."""
    return q[(slice(None),) * axis + (part,)]


def columns(batch, axes, part):
    """The batch of a part of the sequences; axes[i] is their axis in the batch's i-th item, None where it has none."""
    items = [item if axis is None else along(axis, item, part) for item, axis in zip(batch, axes, strict=True)]
    return batch._make(items) if hasattr(batch, "_make") else tuple(items)


def own_rows(ranks, state):
    """The rows of a state of N sequences that a rank carries on: of its own ones, or of all where it has none."""
    N = len(state[0][0])
    part = part_of(N, ranks.rank, ranks.size)
    return tuple(type(layer)(*[q[part if length(part) else slice(N)] for q in layer]) for layer in state)


def all_rows(ranks, state, N):
    """The state of all N sequences, from what each rank carries on; None where there is none."""
    states = ranks.everybodys(state)
    if state is None:
        return None
    states = [one for k, one in enumerate(states) if length(part_of(N, k, ranks.size))]
    layers = zip(*states, strict=True)
    return tuple(type(parts[0])(*map(np.concatenate, zip(*parts, strict=True))) for parts in layers)


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

    Every rank computes something, so that all draw the same numbers: one without sequences computes all of them, with
    weight 0. Where the sequences of some rank have no targets, their mean would divide by 0 (silence has a loss, but no
    label): then rank 0 computes the batch.
    """
    parts = [part_of(N, k, ranks.size) for k in range(ranks.size)]
    M = [num_targets(part) if length(part) else None for part in parts]
    if 0 in M:
        return slice(0, N), float(ranks.rank == 0)
    if M[ranks.rank] is None:
        return slice(0, N), 0.0
    return parts[ranks.rank], M[ranks.rank] / sum(filter(None, M))


def weighted_sum(ranks, out, weight):
    """The sum over the ranks of weight times loss and gradients, in a record like out; the state is the rank's own."""
    gradients, dtype = out.gradients, np.result_type(*out.gradients.values())
    sizes = [1, *[gradient.size for gradient in gradients.values()]]
    flat = np.concatenate([np.array([out.loss], dtype), *[q.ravel() for q in gradients.values()]])
    flat *= weight
    (loss,), *pieces = np.split(ranks.total(flat), np.cumsum(sizes)[:-1])
    summed = {name: piece.reshape(gradients[name].shape) for name, piece in zip(gradients, pieces, strict=True)}
    return out._replace(loss=float(loss.real), gradients=summed)
