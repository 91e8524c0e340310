"""The simple recurrent network (Elman, 1990), one step and a whole sequence, forward and backward.

    h_t = f(x_t W_xh + h_{t-1} W_hh + b_h)      f is tanh or ReLU                       (1)

    x (T, N, D)   h (T, N, H)   W_xh (D, H)   W_hh (H, H)   b_h (H,)

The argument of f is the pre-activation a_t, and da_t is its gradient. The input's share x_t W_xh + b_h does not need
h_{t-1}: one matrix product computes it for the whole sequence, as xW. Backpropagation through time: Rumelhart, Hinton
and Williams (1986); Werbos (1990).
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from numpylm.activations import relu, relu_backward, tanh, tanh_backward
from numpylm.base import require
from numpylm.dropout import drop
from numpylm.initialization import glorot_uniform, orthogonal
from numpylm.masking import freeze, freeze_backward
from numpylm.projection import Lookup, projection_backward, projection_forward
from numpylm.recurrence import Cell, Gradients, Output, flatten_time, over_time

NONLINEARITIES = {"tanh": (tanh, tanh_backward), "relu": (relu, relu_backward)}


class RNNParameters(NamedTuple):
    """W_xh (D, H), W_hh (H, H) and b_h (H,) of equation (1)."""

    W_xh: np.ndarray
    W_hh: np.ndarray
    b_h: np.ndarray


class RNNState(NamedTuple):
    """h (N, H): what one step hands to the next."""

    h: np.ndarray


class RNNStep(NamedTuple):
    """Every intermediate of one step, each (N, H); h_prev is h_{t-1}."""

    h_prev: np.ndarray
    a_t: np.ndarray
    h_t: np.ndarray


class RNNStepGradients(NamedTuple):
    """The loss's gradient with respect to each intermediate of one step, each (N, H)."""

    dh_t: np.ndarray
    da_t: np.ndarray
    dh_prev: np.ndarray


class RNNTrace(NamedTuple):
    """The record of rnn_forward, for rnn_backward; .a and .h_prev stack the steps' fields: (T, N, H)."""

    x: np.ndarray
    h: np.ndarray
    steps: list
    nonlinearity: str
    mask: np.ndarray | None
    recurrent_dropout: np.ndarray | None
    lookup: Lookup | None
    a, h_prev = over_time("a_t", "h_prev")


def rnn_step(xW_t, h_prev, W_hh, nonlinearity="tanh", recurrent_dropout=None):
    """Return an RNNStep from xW_t = x_t W_xh + b_h (N, H), h_prev (N, H) and W_hh (H, H).

    recurrent_dropout (N, H), if given, multiplies h_prev in the product (dropout.py).
    """
    f, _ = NONLINEARITIES[nonlinearity]
    a_t = xW_t + drop(h_prev, recurrent_dropout) @ W_hh
    h_t = f(a_t)  # (1)
    return RNNStep(h_prev, a_t, h_t)


def rnn_step_backward(dh_t, step, W_hh, nonlinearity="tanh", recurrent_dropout=None):
    """Return RNNStepGradients from dh_t (N, H), the whole gradient of h_t. da_t is the gradient of xW_t too."""
    _, f_backward = NONLINEARITIES[nonlinearity]
    da_t = f_backward(dh_t, step.h_t)  # (1)
    dh_prev = drop(da_t @ W_hh.T, recurrent_dropout)  # (1)
    return RNNStepGradients(dh_t, da_t, dh_prev)


def rnn_forward(parameters, x, state_0, mask=None, recurrent_dropout=None, lookup=None, nonlinearity="tanh"):
    """Run a whole sequence: from x (T, N, D) and state_0, return Output(h, state, trace).

    mask (T, N), booleans, freezes sequences that have ended (masking.py). recurrent_dropout (N, H) multiplies h_{t-1}
    in each step's product (dropout.py). If x = E[tokens], a lookup folds the input projection (projection.py).
    """
    xW = projection_forward(x, parameters.W_xh, parameters.b_h, lookup)  # (T, N, H)
    h_t = state_0.h
    h, steps = [], []
    for t in range(len(x)):
        step = rnn_step(xW[t], h_t, parameters.W_hh, nonlinearity, recurrent_dropout)
        h_t = freeze(mask, t, step.h_t, h_t)
        h.append(h_t)
        steps.append(step)
    h = np.stack(h)  # (T, N, H)
    return Output(h, RNNState(h_t), RNNTrace(x, h, steps, nonlinearity, mask, recurrent_dropout, lookup))


def rnn_backward(parameters, dh, dstate_T, trace, keep_steps=False):
    """Backpropagate through time: from dh (T, N, H) and dstate_T, return Gradients. keep_steps adds each step's record.

    The output at t and the step t + 1 both use h_t: dh_t is the sum of the two gradients. Every step uses W_hh: dW_hh
    is the sum over t of h_{t-1}ᵀ da_t, one matrix product after the loop.
    """
    W_hh = np.asfortranarray(parameters.W_hh)  # every step reads W_hh.T: now it is contiguous
    dh_next = dstate_T.h
    da = np.empty_like(dh)  # (T, N, H)
    steps = [None] * len(dh) if keep_steps else None
    for t in reversed(range(len(dh))):
        dh_t, dh_frozen = freeze_backward(trace.mask, t, dh[t] + dh_next)
        gradients = rnn_step_backward(dh_t, trace.steps[t], W_hh, trace.nonlinearity, trace.recurrent_dropout)
        da[t] = gradients.da_t
        dh_next = gradients.dh_prev + dh_frozen
        if keep_steps:
            steps[t] = gradients
    dx, dW_xh, db_h, dE = projection_backward(da, trace.x, parameters.W_xh, trace.lookup)
    dW_hh = flatten_time(drop(trace.h_prev, trace.recurrent_dropout)).T @ flatten_time(da)
    return Gradients(RNNParameters(dW_xh, dW_hh, db_h), dx, RNNState(dh_next), dE, steps)


def rnn_shapes(D, H):
    """Each parameter's name and shape."""
    return {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}


def rnn_initialize(rng, D, H, nonlinearity="tanh"):
    """Glorot's W_xh; W_hh orthogonal for tanh and the identity for ReLU; b_h zero. Sources: initialization.py."""
    W_hh = np.eye(H) if nonlinearity == "relu" else orthogonal(rng, H)
    return RNNParameters(glorot_uniform(rng, D, H), W_hh, np.zeros(H))


def rnn_cell(nonlinearity="tanh"):
    """The RNN as a language model uses it, with f = "tanh" or "relu"."""
    require.one_of("nonlinearity", nonlinearity, NONLINEARITIES)
    return Cell(
        name="rnn",
        Parameters=RNNParameters,
        State=RNNState,
        shapes=rnn_shapes,
        initialize=partial(rnn_initialize, nonlinearity=nonlinearity),
        forward=partial(rnn_forward, nonlinearity=nonlinearity),
        step=partial(rnn_step, nonlinearity=nonlinearity),
        backward=rnn_backward,
        options={"nonlinearity": nonlinearity},
    )
