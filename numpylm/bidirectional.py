"""A bidirectional layer (Schuster and Paliwal, 1997): one cell reads a sequence forwards, another one backwards.

    h→_j = cell(x_j, h→_{j-1})                             (14)
    h←_j = cell(x_j, h←_{j+1})                             (15)
    h_j  = [h→_j, h←_j]                                    (16)

    x (T, N, D)   h→, h← (T, N, H/2)   h (T, N, H): the two lie side by side, each with half of the H columns

The cell is an RNN, an LSTM or a GRU, with parameters of its own in each direction. In a batch of unequal lengths the
backward direction starts at each sequence's own last step, not in the padding: we reverse each sequence where it
stands, run the cell from t = 0 as ever, and reverse its states in the same way. So the states of a sequence are those
that it has alone. The last state of h→ is that of the last real step, and the last one of h← that of the first step.
"""

from typing import Any, NamedTuple

import numpy as np

from numpylm.recurrence import Gradients, Output, gates


class Directions(NamedTuple):
    """What each of the two directions has: Parameters, a State or a trace of the cell."""

    forwards: Any
    backwards: Any


class BidirectionalTrace(NamedTuple):
    """The forward pass as bidirectional_backward reads it. cells.backwards runs from each sequence's end."""

    cells: Directions
    mask: np.ndarray | None
    h: np.ndarray


def bidirectional_forward(cell, parameters, x, state_0, mask=None):
    """A whole sequence: x (T, N, D) gives Output(h (T, N, H), state, trace).

    parameters, state_0 and Output's state are Directions. mask (T, N) is True for each sequence's steps, which come
    first. h repeats the last state in h→ where a sequence has ended, and the same in h←.
    """
    x_reversed = reverse_sequences(x, mask)
    forwards = cell.forward(parameters.forwards, x, state_0.forwards, mask)  # (14)
    backwards = cell.forward(parameters.backwards, x_reversed, state_0.backwards, mask)  # (15)
    h = np.concatenate((forwards.h, reverse_sequences(backwards.h, mask)), axis=-1)  # (16)
    trace = BidirectionalTrace(Directions(forwards.trace, backwards.trace), mask, h)
    return Output(h, Directions(forwards.state, backwards.state), trace)


def bidirectional_backward(cell, parameters, dh, dstate_T, trace):
    """dh (T, N, H) and dstate_T, Directions, give Gradients; x serves both directions, so that dx is a sum."""
    dh_forwards, dh_backwards = gates(dh, 2)  # (16)
    dh_reversed = reverse_sequences(dh_backwards, trace.mask)
    backwards = cell.backward(parameters.backwards, dh_reversed, dstate_T.backwards, trace.cells.backwards)  # (15)
    forwards = cell.backward(parameters.forwards, dh_forwards, dstate_T.forwards, trace.cells.forwards)  # (14)
    dx = forwards.dx + reverse_sequences(backwards.dx, trace.mask)
    dparameters = Directions(forwards.dparameters, backwards.dparameters)
    return Gradients(dparameters, dx, Directions(forwards.dstate_0, backwards.dstate_0))


def reverse_sequences(q, mask):
    """q (T, N, ·) with each sequence's own steps in reverse order; padding stays where it is. Twice gives q again."""
    if mask is None:
        return q[::-1]
    T, N = mask.shape
    t = np.arange(T)[:, None]
    place = np.where(mask, mask.sum(axis=0) - 1 - t, t)  # (T, N)
    return q[place, np.arange(N)]


def join(state):
    """The state of one cell of H units, from a Directions of two states of H/2 units each."""
    return type(state.forwards)(*[np.concatenate(pair, axis=-1) for pair in zip(*state, strict=True)])


def join_backward(dstate):
    """The gradients of the two states from the gradient of the joint one: its left and its right half."""
    halves = [gates(array, 2) for array in dstate]
    return Directions(*[type(dstate)(*[half[direction] for half in halves]) for direction in (0, 1)])
