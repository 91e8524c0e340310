"""The simple recurrent network (Elman, 1990), one step and a whole sequence, forward and backward.

    h_t = f(x_t W_xh + h_{t-1} W_hh + b_h)      f is tanh or ReLU                       (1)

    x (T, N, D)   h (T, N, H)   W_xh (D, H)   W_hh (H, H)   b_h (H,)

What f is taken of is the pre-activation a_t, of which da_t is the gradient. The input's share x_t W_xh + b_h does not
wait for h_{t-1}: it is one matrix product for the whole sequence, named xW. Backpropagation through time: Rumelhart,
Hinton and Williams (1986); Werbos (1990).
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from numpylm import require
from numpylm.activations import relu, relu_backward, tanh, tanh_backward
from numpylm.dropout import drop
from numpylm.initialization import glorot_uniform, identity, orthogonal
from numpylm.masking import freeze, freeze_backward
from numpylm.projection import projection_backward, projection_forward
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
    """Every intermediate of one step, each (N, H); h_prev is h_{t-1} after recurrent dropout, if any."""

    h_prev: np.ndarray
    a_t: np.ndarray
    h_t: np.ndarray


class RNNStepGradients(NamedTuple):
    """The loss's gradient with respect to each intermediate of one step, each (N, H)."""

    dh_t: np.ndarray
    da_t: np.ndarray
    dh_prev: np.ndarray


class RNNTrace(NamedTuple):
    """The forward pass as rnn_backward reads it; .a is the T steps' a_t as one array (T, N, H)."""

    x: np.ndarray
    h: np.ndarray
    steps: list
    nonlinearity: str
    mask: Any
    recurrent_dropout: Any
    (a,) = over_time("a_t")


def rnn_step(xW_t, h_prev, W_hh, nonlinearity="tanh"):
    """One time step: xW_t = x_t W_xh + b_h (N, H), h_prev (N, H) and W_hh (H, H) give an RNNStep."""
    f, _ = NONLINEARITIES[nonlinearity]
    a_t = xW_t + h_prev @ W_hh
    h_t = f(a_t)  # (1)
    return RNNStep(h_prev, a_t, h_t)


def rnn_step_backward(dh_t, step, W_hh, nonlinearity="tanh"):
    """Gradients of one step from dh_t (N, H), all that reaches h_t, as RNNStepGradients. da_t is also xW_t's."""
    _, f_backward = NONLINEARITIES[nonlinearity]
    da_t = f_backward(dh_t, step.h_t)  # (1)
    dh_prev = da_t @ W_hh.T
    return RNNStepGradients(dh_t, da_t, dh_prev)


def rnn_forward(parameters, x, state_0, mask=None, recurrent_dropout=None, nonlinearity="tanh"):
    """A whole sequence: x (T, N, D) and state_0 give Output(h, state, trace).

    mask (T, N), booleans, freezes sequences that have ended (masking.py); recurrent_dropout (N, H) multiplies
    h_{t-1} at every step (dropout.py).
    """
    xW = projection_forward(x, parameters.W_xh, parameters.b_h)  # (T, N, H)
    h_t = state_0.h
    h, steps = [], []
    for t in range(len(x)):
        step = rnn_step(xW[t], drop(h_t, recurrent_dropout), parameters.W_hh, nonlinearity)
        h_t = freeze(mask, t, step.h_t, h_t)
        h.append(h_t)
        steps.append(step)
    h = np.stack(h)  # (T, N, H)
    return Output(h, RNNState(h_t), RNNTrace(x, h, steps, nonlinearity, mask, recurrent_dropout))


def rnn_backward(parameters, dh, dstate_T, trace):
    """Backpropagation through time: dh (T, N, H) and dstate_T give Gradients(dparameters, dx, dstate_0).

    h_t feeds the output at t and the step t + 1: two gradients meet in it. W_hh serves every step, so that its
    gradient is the sum over t of h_{t-1}ᵀ da_t: one matrix product after the loop.
    """
    W_hh = np.asfortranarray(parameters.W_hh)  # so that W_hh.T, in every step, is contiguous
    dh_next = dstate_T.h
    da = np.empty_like(dh)  # (T, N, H)
    for t in reversed(range(len(dh))):
        dh_t, dh_frozen = freeze_backward(trace.mask, t, dh[t] + dh_next)
        gradients = rnn_step_backward(dh_t, trace.steps[t], W_hh, trace.nonlinearity)
        da[t] = gradients.da_t
        dh_next = drop(gradients.dh_prev, trace.recurrent_dropout) + dh_frozen
    dx, dW_xh, db_h = projection_backward(da, trace.x, parameters.W_xh)
    dW_hh = flatten_time([step.h_prev for step in trace.steps]).T @ flatten_time(da)
    return Gradients(RNNParameters(dW_xh, dW_hh, db_h), dx, RNNState(dh_next))


def rnn_advance(parameters, xW_t, state, nonlinearity="tanh"):
    """The state at t from xW_t and the state at t - 1: a step for generation, which needs no record."""
    step = rnn_step(xW_t, state.h, parameters.W_hh, nonlinearity)
    return RNNState(step.h_t)


def rnn_shapes(D, H):
    """Each parameter's name and shape."""
    return {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}


def rnn_initialize(rng, D, H, nonlinearity="tanh"):
    """Glorot's W_xh; W_hh orthogonal for tanh and the identity for ReLU; b_h zero. Sources: initialization.py."""
    W_hh = identity(H) if nonlinearity == "relu" else orthogonal(rng, H)
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
        project=lambda parameters, x: projection_forward(x, parameters.W_xh, parameters.b_h),
        advance=partial(rnn_advance, nonlinearity=nonlinearity),
        backward=rnn_backward,
        options={"nonlinearity": nonlinearity},
    )
