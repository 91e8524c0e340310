"""What the recurrent cells share: records for their arguments and results, and named views of packed arrays.

    T time steps · N sequences in a batch · D embedding size · H hidden size

Each cell has four functions in a file of its own (rnn.py, lstm.py, gru.py):

    *_step            xW_t, the state at t - 1       ->  record of every intermediate at t
    *_step_backward   gradients of h_t (and c_t)     ->  record of every intermediate's gradient
    *_forward         x (T, N, D), state_0           ->  Output: h (T, N, H), state_T, trace
    *_backward        dh (T, N, H), dstate_T, trace  ->  Gradients: of the parameters, of x, of state_0

The functions keep nothing between calls. If a text has several windows, each window starts from the last state of the
window before. Full backpropagation passes dstate_0 back to the window before; truncated backpropagation passes zeros.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpylm.affine import affine_forward


class Output(NamedTuple):
    """h (T, N, H), after every step; state, after the last step; trace, the record for the backward pass."""

    h: np.ndarray
    state: Any
    trace: Any


class Gradients(NamedTuple):
    """dparameters, with the parameters' type and names; dx (T, N, D); dstate_0, with the state's type.

    If the forward folded the input projection (projection.py), dx is None, and dE (V, D) takes its place. If the caller
    asked for steps, it has the T records of *_step_backward, in the order of t. For a stack of layers (stack.py),
    dparameters is a dict by name, dstate_0 has one entry a layer, and steps has each layer's Gradients.
    """

    dparameters: Any
    dx: np.ndarray | None
    dstate_0: Any
    dE: np.ndarray | None = None
    steps: list | None = None


class Cell(NamedTuple):
    """What a language model needs to know about a cell: its name, its records' types and its functions."""

    name: str
    Parameters: type
    State: type
    shapes: Callable  # (D, H) -> {parameter's name: shape}
    initialize: Callable  # (rng, D, H) -> Parameters
    forward: Callable  # (parameters, x, state_0, mask, recurrent_dropout, lookup) -> Output
    backward: Callable  # (parameters, dh, dstate_T, trace, keep_steps) -> Gradients
    step: Callable | None  # (xW_t, *state, W_h, *b_hn) -> the record of one step; only the GRU has b_hn
    options: dict  # the arguments that made the cell, such as the forget gate's bias


def project(parameters, x):
    """The input's share of a cell's pre-activations: x (…, D) gives x W_x + b (…, ·). W_x, W_h and b come first among
    the parameters of every cell."""
    W_x, _, b, *_ = parameters
    return affine_forward(x, W_x, b)


def next_state(cell, parameters, xW_t, state):
    """The state at t from xW_t (N, ·) and the state at t - 1: a step of generation."""
    _, W_h, _, *b_hn = parameters
    step = cell.step(xW_t, *state, W_h, *b_hn)
    return cell.State(*[getattr(step, f"{name}_t") for name in cell.State._fields])


def map_state(f, *states):
    """f of the arrays of one or several states of one form: a state of this form, a nested tuple of arrays."""
    if not isinstance(states[0], tuple):
        return f(*states)
    parts = [map_state(f, *parts) for parts in zip(*states, strict=True)]
    return states[0]._make(parts) if hasattr(states[0], "_make") else tuple(parts)


def gates(packed, num_gates):
    """Cut a packed array (..., num_gates H) into its gates: a list of views (..., H), never copies."""
    H = packed.shape[-1] // num_gates
    return [packed[..., k * H : (k + 1) * H] for k in range(num_gates)]


def gate_views(packed_name, num_gates):
    """Properties that give each gate of a record's packed array its own name: W_xi, W_xf, … for W_x."""

    def gate_view(k):
        return property(lambda record: gates(getattr(record, packed_name), num_gates)[k])

    return [gate_view(k) for k in range(num_gates)]


def over_time(*step_names):
    """Properties that stack a field of a trace's T steps, each (N, H), into one array (T, N, H)."""

    def stacked(name):
        return property(lambda trace: np.stack([getattr(step, name) for step in trace.steps]))

    return [stacked(name) for name in step_names]


def flatten_time(q):
    """Return the matrix (T N, H) of all rows of an array (T, N, H), or of a list of T arrays (N, H)."""
    q = np.asarray(q)
    return q.reshape(-1, q.shape[-1])
