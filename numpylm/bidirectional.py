"""A bidirectional layer (Schuster and Paliwal, 1997): one cell reads a sequence forwards, another one backwards.

    h→_j = cell(x_j, h→_{j-1})                             (14)
    h←_j = cell(x_j, h←_{j+1})                             (15)
    h_j  = [h→_j, h←_j]                                    (16)

    x (T, N, D)   h→, h← (T, N, H/2)   h (T, N, H): the two lie side by side, each in half of the H columns

Each direction has a cell of its own, both RNNs, LSTMs or GRUs. bidirectional_cell makes one Cell of the two: its
parameters carry the direction in their names, and each array of its state (N, H) holds both directions' halves.

In a batch of unequal lengths the backward direction starts at each sequence's own last step, not in the padding: we
reverse each sequence in its place, run the cell from t = 0 as ever, and reverse its states in the same way. So the
states of a sequence are those that it has alone. The last state holds h→ of the last step and h← of the first.
"""

from collections import namedtuple
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from numpylm.recurrence import Gradients, Output, gates


class Directions(NamedTuple):
    """What each direction has: Parameters, a State or a trace of the cell. backwards runs from a sequence's end."""

    forwards: Any
    backwards: Any


class BidirectionalTrace(NamedTuple):
    """The forward pass as bidirectional_backward reads it: the Directions of two traces, and the mask."""

    cells: Directions
    mask: np.ndarray | None


def bidirectional_forward(cell, parameters, x, state_0, mask=None, recurrent_dropout=None, lookup=None):
    """A whole sequence: x (T, N, D) and state_0, of arrays (N, H), give Output(h (T, N, H), state, trace).

    mask (T, N) is True for each sequence's steps, which come first. After a sequence's end its h stays as it is.
    recurrent_dropout (N, H) is as in the cell, one half for each direction. A lookup changes nothing here: x is read.
    """
    own = parameters.directions
    first = halves(state_0)
    dropout = Directions(None, None) if recurrent_dropout is None else Directions(*gates(recurrent_dropout, 2))
    x_reversed = reverse_sequences(x, mask)
    forwards = cell.forward(own.forwards, x, first.forwards, mask, dropout.forwards)  # (14)
    backwards = cell.forward(own.backwards, x_reversed, first.backwards, mask, dropout.backwards)  # (15)
    h_backwards = reverse_sequences(backwards.h, mask)
    h = np.concatenate((forwards.h, h_backwards), axis=-1)  # (16)
    trace = BidirectionalTrace(Directions(forwards.trace, backwards.trace), mask)
    return Output(h, joined(forwards.state, backwards.state), trace)


def bidirectional_backward(cell, parameters, dh, dstate_T, trace, keep_steps=False):
    """dh (T, N, H) and dstate_T, of arrays (N, H), give Gradients. x serves both directions, so that dx is a sum. With
    keep_steps, its steps are the Directions of the two cells'."""
    own = parameters.directions
    dlast = halves(dstate_T)
    dh_forwards, dh_backwards = gates(dh, 2)  # (16)
    dh_reversed = reverse_sequences(dh_backwards, trace.mask)
    backwards = cell.backward(own.backwards, dh_reversed, dlast.backwards, trace.cells.backwards, keep_steps)  # (15)
    forwards = cell.backward(own.forwards, dh_forwards, dlast.forwards, trace.cells.forwards, keep_steps)  # (14)
    dx = forwards.dx + reverse_sequences(backwards.dx, trace.mask)
    dparameters = type(parameters)(*forwards.dparameters, *backwards.dparameters)
    steps = Directions(forwards.steps, backwards.steps) if keep_steps else None
    return Gradients(dparameters, dx, joined(forwards.dstate_0, backwards.dstate_0), steps=steps)


def reverse_sequences(q, mask):
    """q (T, N, ·) with each sequence's own steps in reverse order; padding stays where it is. Twice gives q again."""
    if mask is None:
        return q[::-1]
    T, N = mask.shape
    t = np.arange(T)[:, None]
    place = np.where(mask, mask.sum(axis=0) - 1 - t, t)  # (T, N)
    return q[place, np.arange(N)]


def joined(forwards, backwards):
    """One state of arrays (N, H) from two of arrays (N, H/2)."""
    return type(forwards)(*[np.concatenate(pair, axis=-1) for pair in zip(forwards, backwards, strict=True)])


def halves(state):
    """The Directions of a state of arrays (N, H): two states of arrays (N, H/2), views."""
    left, right = zip(*[gates(array, 2) for array in state], strict=True)
    return Directions(type(state)(*left), type(state)(*right))


@cache
def bidirectional_parameters(Parameters):
    """A record type with the fields of Parameters twice: forwards_W_x, …, backwards_W_x, …; .directions has both."""
    names, half = Parameters._fields, len(Parameters._fields)
    record = namedtuple("BidirectionalParameters", [f"{way}_{name}" for way in Directions._fields for name in names])
    record.directions = property(lambda p: Directions(Parameters(*p[:half]), Parameters(*p[half:])))
    return record


def bidirectional_cell(cell):
    """The Cell whose H units are two cells of H/2 units, one for each direction. It reads whole sequences only."""
    Parameters = bidirectional_parameters(cell.Parameters)

    def shapes(D, H):
        one = list(cell.shapes(D, H // 2).values())
        return dict(zip(Parameters._fields, one + one, strict=True))

    def initialize(rng, D, H):
        return Parameters(*cell.initialize(rng, D, H // 2), *cell.initialize(rng, D, H // 2))

    return cell._replace(
        name=f"bidirectional {cell.name}",
        Parameters=Parameters,
        shapes=shapes,
        initialize=initialize,
        forward=partial(bidirectional_forward, cell),
        backward=partial(bidirectional_backward, cell),
        step=None,
    )
