"""Gated recurrent unit (Cho et al., 2014), in the variant that PyTorch and cuDNN compute: the reset gate acts after
the product with W_hn, not before it.

    r_t = σ(x_t W_xr + h_{t-1} W_hr + b_r)                             (10)
    z_t = σ(x_t W_xz + h_{t-1} W_hz + b_z)                             (11)
    n_t = tanh(x_t W_xn + b_n + r_t ⊙ (h_{t-1} W_hn + b_hn))           (12)
    h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}                              (13)

    x_t (N, D)   every other quantity (N, H)   W_x· (D, H)   W_h· (H, H)   b_· (H,)

The arguments of σ and tanh in (10) to (12) are the pre-activations a_r, a_z and a_n; da_t (N, 3H) has their gradients
side by side. The weights of r, z and n lie side by side too, in this order, in W_x (D, 3H), W_h (H, 3H) and b (3H,);
W_xr, W_hz, … are views of these arrays. The input's share, xW = x W_x + b, is one matrix product for the whole
sequence. The state's share is hW_t = h_{t-1} W_h.
"""

from typing import NamedTuple

import numpy as np

from numpylm.activations import sigmoid, sigmoid_backward, tanh, tanh_backward
from numpylm.dropout import drop
from numpylm.initialization import glorot_uniform, orthogonal
from numpylm.masking import freeze, freeze_backward
from numpylm.projection import Lookup, projection_backward, projection_forward
from numpylm.recurrence import Cell, Gradients, Output, flatten_time, gate_views, gates, over_time


class GRUParameters(NamedTuple):
    """W_x (D, 3H), W_h (H, 3H) and b (3H,), packed, with a view for each symbol; b_hn (H,) is not packed."""

    W_x: np.ndarray
    W_h: np.ndarray
    b: np.ndarray
    b_hn: np.ndarray
    W_xr, W_xz, W_xn = gate_views("W_x", 3)
    W_hr, W_hz, W_hn = gate_views("W_h", 3)
    b_r, b_z, b_n = gate_views("b", 3)


class GRUState(NamedTuple):
    """h (N, H): what one step hands to the next."""

    h: np.ndarray


class GRUStep(NamedTuple):
    """Every intermediate of one step: hW_t (N, 3H), all others (N, H). hWb_n is h_{t-1} W_hn + b_hn."""

    h_prev: np.ndarray
    hW_t: np.ndarray
    a_r: np.ndarray
    r_t: np.ndarray
    a_z: np.ndarray
    z_t: np.ndarray
    hWb_n: np.ndarray
    a_n: np.ndarray
    n_t: np.ndarray
    h_t: np.ndarray


class GRUStepGradients(NamedTuple):
    """The loss's gradient with respect to each intermediate of one step: da_t, dhW_t (N, 3H), all others (N, H)."""

    dh_t: np.ndarray
    dz_t: np.ndarray
    dn_t: np.ndarray
    da_n: np.ndarray
    dr_t: np.ndarray
    dhWb_n: np.ndarray
    da_z: np.ndarray
    da_r: np.ndarray
    da_t: np.ndarray
    dhW_t: np.ndarray
    dh_prev: np.ndarray


class GRUTrace(NamedTuple):
    """The record of gru_forward, for gru_backward; .r .z .n .h_prev stack the steps' fields: (T, N, H)."""

    x: np.ndarray
    h: np.ndarray
    steps: list
    mask: np.ndarray | None
    recurrent_dropout: np.ndarray | None
    lookup: Lookup | None
    r, z, n, h_prev = over_time("r_t", "z_t", "n_t", "h_prev")


def gru_step(xW_t, h_prev, W_h, b_hn, recurrent_dropout=None):
    """Return a GRUStep from xW_t = x_t W_x + b (N, 3H), h_prev (N, H), W_h (H, 3H) and b_hn (H,).

    recurrent_dropout (N, H), if given, multiplies h_prev in the product only: (13) uses h_prev itself.
    """
    hW_t = drop(h_prev, recurrent_dropout) @ W_h  # (N, 3H)
    xW_r, xW_z, xW_n = gates(xW_t, 3)  # (N, H) each
    hW_r, hW_z, hW_n = gates(hW_t, 3)
    a_r = xW_r + hW_r
    r_t = sigmoid(a_r)  # (10)
    a_z = xW_z + hW_z
    z_t = sigmoid(a_z)  # (11)
    hWb_n = hW_n + b_hn  # the bracket of (12)
    a_n = xW_n + r_t * hWb_n
    n_t = tanh(a_n)  # (12)
    h_t = (1 - z_t) * n_t + z_t * h_prev  # (13)
    return GRUStep(h_prev, hW_t, a_r, r_t, a_z, z_t, hWb_n, a_n, n_t, h_t)


def gru_step_backward(dh_t, step, W_h, recurrent_dropout=None):
    """Return GRUStepGradients from dh_t (N, H), the whole gradient of h_t. da_t is the gradient of xW_t too."""
    dz_t = dh_t * (step.h_prev - step.n_t)  # (13)
    dn_t = dh_t * (1 - step.z_t)  # (13)
    dh_carried = dh_t * step.z_t  # (13)
    da_n = tanh_backward(dn_t, step.n_t)  # (12)
    dr_t = da_n * step.hWb_n  # (12)
    dhWb_n = da_n * step.r_t  # (12)
    da_z = sigmoid_backward(dz_t, step.z_t)  # (11)
    da_r = sigmoid_backward(dr_t, step.r_t)  # (10)
    da_t = np.concatenate((da_r, da_z, da_n), axis=1)  # (N, 3H)
    dhW_t = np.concatenate((da_r, da_z, dhWb_n), axis=1)  # (N, 3H)
    dh_prev = dh_carried + drop(dhW_t @ W_h.T, recurrent_dropout)  # (10) to (13)
    return GRUStepGradients(dh_t, dz_t, dn_t, da_n, dr_t, dhWb_n, da_z, da_r, da_t, dhW_t, dh_prev)


def gru_forward(parameters, x, state_0, mask=None, recurrent_dropout=None, lookup=None):
    """Run a whole sequence: from x (T, N, D) and state_0, return Output(h, state, trace).

    mask (T, N), booleans, freezes sequences that have ended (masking.py). recurrent_dropout (N, H) multiplies h_{t-1}
    in each step's product (dropout.py). If x = E[tokens], a lookup folds the input projection (projection.py).
    """
    xW = projection_forward(x, parameters.W_x, parameters.b, lookup)  # (T, N, 3H)
    h_t = state_0.h
    h, steps = [], []
    for t in range(len(x)):
        step = gru_step(xW[t], h_t, parameters.W_h, parameters.b_hn, recurrent_dropout)
        h_t = freeze(mask, t, step.h_t, h_t)
        h.append(h_t)
        steps.append(step)
    h = np.stack(h)  # (T, N, H)
    return Output(h, GRUState(h_t), GRUTrace(x, h, steps, mask, recurrent_dropout, lookup))


def gru_backward(parameters, dh, dstate_T, trace, keep_steps=False):
    """Backpropagate through time: from dh (T, N, H) and dstate_T, return Gradients. keep_steps adds each step's record.

    The output at t and the step t + 1 both use h_t: dh_t is the sum of the two gradients. Every step uses W_h: dW_h is
    the sum over t of h_{t-1}ᵀ dhW_t, one matrix product after the loop.
    """
    W_h = np.asfortranarray(parameters.W_h)  # every step reads W_h.T: now it is contiguous
    dh_next = dstate_T.h
    da = np.empty((*dh.shape[:2], parameters.b.size), dtype=dh.dtype)  # (T, N, 3H)
    dhW = np.empty_like(da)
    steps = [None] * len(dh) if keep_steps else None
    for t in reversed(range(len(dh))):
        dh_t, dh_frozen = freeze_backward(trace.mask, t, dh[t] + dh_next)
        gradients = gru_step_backward(dh_t, trace.steps[t], W_h, trace.recurrent_dropout)
        da[t] = gradients.da_t
        dhW[t] = gradients.dhW_t
        dh_next = gradients.dh_prev + dh_frozen
        if keep_steps:
            steps[t] = gradients
    dx, dW_x, db, dE = projection_backward(da, trace.x, parameters.W_x, trace.lookup)
    dW_h = flatten_time(drop(trace.h_prev, trace.recurrent_dropout)).T @ flatten_time(dhW)
    _, _, dhWb_n = gates(dhW, 3)  # (T, N, H)
    db_hn = dhWb_n.sum(axis=(0, 1))
    return Gradients(GRUParameters(dW_x, dW_h, db, db_hn), dx, GRUState(dh_next), dE, steps)


def gru_shapes(D, H):
    """Each parameter's name and shape."""
    return {"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b": (3 * H,), "b_hn": (H,)}


def gru_initialize(rng, D, H):
    """Glorot's W_x and orthogonal W_h, gate by gate; biases zero. Sources: initialization.py."""
    W_x = np.concatenate([glorot_uniform(rng, D, H) for _ in range(3)], axis=1)
    W_h = np.concatenate([orthogonal(rng, H) for _ in range(3)], axis=1)
    return GRUParameters(W_x, W_h, np.zeros(3 * H), np.zeros(H))


def gru_cell():
    """The GRU as a language model uses it."""
    return Cell(
        name="gru",
        Parameters=GRUParameters,
        State=GRUState,
        shapes=gru_shapes,
        initialize=gru_initialize,
        forward=gru_forward,
        step=gru_step,
        backward=gru_backward,
        options={},
    )
