"""Long short-term memory (Hochreiter and Schmidhuber, 1997; forget gate: Gers, Schmidhuber and Cummins, 2000).

    i_t = σ(x_t W_xi + h_{t-1} W_hi + b_i)                     (3)
    f_t = σ(x_t W_xf + h_{t-1} W_hf + b_f)                     (4)
    o_t = σ(x_t W_xo + h_{t-1} W_ho + b_o)                     (5)
    c̃_t = tanh(x_t W_xc + h_{t-1} W_hc + b_c)                  (6)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t                            (7)
    h_t = o_t ⊙ tanh(c_t)                                      (8)

    x_t (N, D)   every other quantity (N, H)   W_x· (D, H)   W_h· (H, H)   b_· (H,)

The arguments of σ and tanh in (3) to (6) are the pre-activations a_i, a_f, a_o and a_c, the columns of a_t (N, 4H). The
weights of i, f, o and c̃ lie side by side, in this order, in W_x (D, 4H), W_h (H, 4H) and b (4H,), so that a step is one
matrix product; W_xi, W_hf, … are views of these arrays. The input's share x_t W_x + b does not need h_{t-1}: one
product computes it for the whole sequence, as xW.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from numpylm.activations import sigmoid, sigmoid_backward, tanh, tanh_backward
from numpylm.base import require
from numpylm.dropout import drop
from numpylm.initialization import glorot_uniform, orthogonal
from numpylm.masking import freeze, freeze_backward
from numpylm.projection import Lookup, projection_backward, projection_forward
from numpylm.recurrence import Cell, Gradients, Output, flatten_time, gate_views, gates, over_time


class LSTMParameters(NamedTuple):
    """W_x (D, 4H), W_h (H, 4H) and b (4H,), packed, with a view for each symbol of equations (3) to (6)."""

    W_x: np.ndarray
    W_h: np.ndarray
    b: np.ndarray
    W_xi, W_xf, W_xo, W_xc = gate_views("W_x", 4)
    W_hi, W_hf, W_ho, W_hc = gate_views("W_h", 4)
    b_i, b_f, b_o, b_c = gate_views("b", 4)


class LSTMState(NamedTuple):
    """h and c, each (N, H): what one step hands to the next."""

    h: np.ndarray
    c: np.ndarray


class LSTMStep(NamedTuple):
    """Every intermediate of one step: a_t (N, 4H), all others (N, H). h_prev is h_{t-1}, and c_prev is c_{t-1}."""

    h_prev: np.ndarray
    c_prev: np.ndarray
    a_t: np.ndarray
    i_t: np.ndarray
    f_t: np.ndarray
    o_t: np.ndarray
    c_tilde_t: np.ndarray
    c_t: np.ndarray
    tanh_c_t: np.ndarray
    h_t: np.ndarray


class LSTMStepGradients(NamedTuple):
    """The loss's gradient with respect to each intermediate of one step: da_t (N, 4H), all others (N, H)."""

    dh_t: np.ndarray
    do_t: np.ndarray
    dtanh_c_t: np.ndarray
    dc_t: np.ndarray
    df_t: np.ndarray
    dc_prev: np.ndarray
    di_t: np.ndarray
    dc_tilde_t: np.ndarray
    da_c: np.ndarray
    da_o: np.ndarray
    da_f: np.ndarray
    da_i: np.ndarray
    da_t: np.ndarray
    dh_prev: np.ndarray


class LSTMTrace(NamedTuple):
    """The record of lstm_forward, for lstm_backward.

    .i .f .o .c_tilde .c .tanh_c .h_prev stack the steps' fields: (T, N, H) each. With a mask, these are the values
    before freezing; h (T, N, H) has the values after freezing.
    """

    x: np.ndarray
    h: np.ndarray
    steps: list
    mask: np.ndarray | None
    recurrent_dropout: np.ndarray | None
    lookup: Lookup | None
    i, f, o, c_tilde, c, tanh_c, h_prev = over_time("i_t", "f_t", "o_t", "c_tilde_t", "c_t", "tanh_c_t", "h_prev")


def lstm_step(xW_t, h_prev, c_prev, W_h, recurrent_dropout=None):
    """Return an LSTMStep from xW_t = x_t W_x + b (N, 4H), h_prev and c_prev (N, H) and W_h (H, 4H).

    recurrent_dropout (N, H), if given, multiplies h_prev in the product (dropout.py).
    """
    a_t = xW_t + drop(h_prev, recurrent_dropout) @ W_h  # (N, 4H)
    a_i, a_f, a_o, a_c = gates(a_t, 4)  # (N, H) each
    i_t = sigmoid(a_i)  # (3)
    f_t = sigmoid(a_f)  # (4)
    o_t = sigmoid(a_o)  # (5)
    c_tilde_t = tanh(a_c)  # (6)
    c_t = f_t * c_prev + i_t * c_tilde_t  # (7)
    tanh_c_t = tanh(c_t)
    h_t = o_t * tanh_c_t  # (8)
    return LSTMStep(h_prev, c_prev, a_t, i_t, f_t, o_t, c_tilde_t, c_t, tanh_c_t, h_t)


def lstm_step_backward(dh_t, dc_next, step, W_h, recurrent_dropout=None):
    """Return LSTMStepGradients from dh_t (N, H), the whole gradient of h_t, and dc_next (N, H).

    c_t reaches the loss on two paths: through c_{t+1}, which gives dc_next, and through h_t. dc_t is the sum of the two
    gradients. xW_t has the same gradient as a_t: da_t.
    """
    do_t = dh_t * step.tanh_c_t  # (8)
    dtanh_c_t = dh_t * step.o_t  # (8)
    dc_t = dc_next + tanh_backward(dtanh_c_t, step.tanh_c_t)  # (7) at t + 1, and (8)
    df_t = dc_t * step.c_prev  # (7)
    dc_prev = dc_t * step.f_t  # (7)
    di_t = dc_t * step.c_tilde_t  # (7)
    dc_tilde_t = dc_t * step.i_t  # (7)
    da_c = tanh_backward(dc_tilde_t, step.c_tilde_t)  # (6)
    da_o = sigmoid_backward(do_t, step.o_t)  # (5)
    da_f = sigmoid_backward(df_t, step.f_t)  # (4)
    da_i = sigmoid_backward(di_t, step.i_t)  # (3)
    da_t = np.concatenate((da_i, da_f, da_o, da_c), axis=1)  # (N, 4H)
    dh_prev = drop(da_t @ W_h.T, recurrent_dropout)  # (3) to (6)
    return LSTMStepGradients(
        dh_t, do_t, dtanh_c_t, dc_t, df_t, dc_prev, di_t, dc_tilde_t, da_c, da_o, da_f, da_i, da_t, dh_prev
    )


def lstm_forward(parameters, x, state_0, mask=None, recurrent_dropout=None, lookup=None):
    """Run a whole sequence: from x (T, N, D) and state_0, return Output(h, state, trace).

    mask (T, N), booleans, freezes sequences that have ended (masking.py). recurrent_dropout (N, H) multiplies h_{t-1}
    in each step's product (dropout.py). If x = E[tokens], a lookup folds the input projection (projection.py).
    """
    xW = projection_forward(x, parameters.W_x, parameters.b, lookup)  # (T, N, 4H)
    h_t, c_t = state_0
    h, steps = [], []
    for t in range(len(x)):
        step = lstm_step(xW[t], h_t, c_t, parameters.W_h, recurrent_dropout)
        h_t = freeze(mask, t, step.h_t, h_t)
        c_t = freeze(mask, t, step.c_t, c_t)
        h.append(h_t)
        steps.append(step)
    h = np.stack(h)  # (T, N, H)
    return Output(h, LSTMState(h_t, c_t), LSTMTrace(x, h, steps, mask, recurrent_dropout, lookup))


def lstm_backward(parameters, dh, dstate_T, trace, keep_steps=False):
    """Backpropagate through time: from dh (T, N, H) and dstate_T, return Gradients. keep_steps adds each step's record.

    The output at t and the step t + 1 both use h_t: dh_t is the sum of the two gradients. Every step uses W_h: dW_h is
    the sum over t of h_{t-1}ᵀ da_t, one matrix product after the loop.
    """
    W_h = np.asfortranarray(parameters.W_h)  # every step reads W_h.T: now it is contiguous
    dh_next, dc_next = dstate_T
    da = np.empty((*dh.shape[:2], parameters.b.size), dtype=dh.dtype)  # (T, N, 4H)
    steps = [None] * len(dh) if keep_steps else None
    for t in reversed(range(len(dh))):
        dh_t, dh_frozen = freeze_backward(trace.mask, t, dh[t] + dh_next)
        dc_t, dc_frozen = freeze_backward(trace.mask, t, dc_next)
        gradients = lstm_step_backward(dh_t, dc_t, trace.steps[t], W_h, trace.recurrent_dropout)
        da[t] = gradients.da_t
        dh_next = gradients.dh_prev + dh_frozen
        dc_next = gradients.dc_prev + dc_frozen
        if keep_steps:
            steps[t] = gradients
    dx, dW_x, db, dE = projection_backward(da, trace.x, parameters.W_x, trace.lookup)
    dW_h = flatten_time(drop(trace.h_prev, trace.recurrent_dropout)).T @ flatten_time(da)
    return Gradients(LSTMParameters(dW_x, dW_h, db), dx, LSTMState(dh_next, dc_next), dE, steps)


def lstm_shapes(D, H):
    """Each parameter's name and shape."""
    return {"W_x": (D, 4 * H), "W_h": (H, 4 * H), "b": (4 * H,)}


def lstm_initialize(rng, D, H, forget_bias=1.0):
    """Glorot's W_x and orthogonal W_h, gate by gate; b zero, except b_f = forget_bias. Sources: initialization.py."""
    W_x = np.concatenate([glorot_uniform(rng, D, H) for _ in range(4)], axis=1)
    W_h = np.concatenate([orthogonal(rng, H) for _ in range(4)], axis=1)
    parameters = LSTMParameters(W_x, W_h, np.zeros(4 * H))
    parameters.b_f[:] = forget_bias
    return parameters


def lstm_cell(forget_bias=1.0):
    """The LSTM as a language model uses it; forget_bias is b_f's initial value (1: Jozefowicz et al., 2015)."""
    require.finite_number("forget_bias", forget_bias)
    return Cell(
        name="lstm",
        Parameters=LSTMParameters,
        State=LSTMState,
        shapes=lstm_shapes,
        initialize=partial(lstm_initialize, forget_bias=forget_bias),
        forward=lstm_forward,
        step=lstm_step,
        backward=lstm_backward,
        options={"forget_bias": forget_bias},
    )
