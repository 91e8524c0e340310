"""Reference solutions of what no single function of ours answers; mistakes.txt has rows for them as well.

The GRU of other code (cho_step, …) differs from ours (gru.py): b_hn is missing, and two things are written in two ways:

    n_t = tanh(x_t W_xn + b_n + (r_t ⊙ h_{t-1}) W_hn)     resets_first (Cho et al., 2014)
    n_t = tanh(x_t W_xn + b_n + r_t ⊙ (h_{t-1} W_hn))     otherwise, as in (12)
    h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ n_t                 keeps_z (Cho et al., 2014), as in (13)
    h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ n_t                 otherwise (Chung et al., 2014)
"""

from typing import NamedTuple

import numpy as np

from numpylm.activations import sigmoid, sigmoid_backward, tanh, tanh_backward
from numpylm.affine import affine_backward, affine_forward
from numpylm.ctc import ctc_backward, ctc_forward
from numpylm.gru import GRUState as CHOState
from numpylm.recurrence import Gradients, Output, flatten_time, gate_views, gates, over_time
from numpylm.rnn import RNNState, rnn_backward, rnn_forward


def truncated_bptt(parameters, x, state_0, dh, window):
    """Windows of `window` steps: the state goes on, and no gradient goes back over a window's start."""
    state, parts = state_0, []
    for start in range(0, len(x), window):
        out = rnn_forward(parameters, x[start : start + window], state)
        state = out.state
        zeros = RNNState(np.zeros_like(state.h))
        parts.append(rnn_backward(parameters, dh[start : start + window], zeros, out.trace).dparameters)
    return {f"d{name}": sum(arrays) for name, arrays in zip(parameters._fields, zip(*parts, strict=True), strict=True)}


def ctc_utterance(y, labels):
    """alpha, beta, gamma and dlogits of one utterance; dlogits is that of its own loss, no mean over labels."""
    _, trace = ctc_forward(np.log(y)[:, None], np.asarray(labels)[:, None])
    found = ctc_backward(trace)
    return {
        "alpha": np.exp(trace.alpha[:, 0]),
        "beta": np.exp(found.beta[:, 0]),
        "gamma": found.gamma[:, 0],
        "dlogits": len(labels) * found.dlogits[:, 0],
    }


class CHOParameters(NamedTuple):
    """W_x (D, 3H), W_h (H, 3H) and b (3H,), packed in the order r, z, n, with a view for each symbol."""

    W_x: np.ndarray
    W_h: np.ndarray
    b: np.ndarray
    W_xr, W_xz, W_xn = gate_views("W_x", 3)
    W_hr, W_hz, W_hn = gate_views("W_h", 3)
    b_r, b_z, b_n = gate_views("b", 3)


class CHOStep(NamedTuple):
    """Every intermediate of one step, (N, H). rh_t is what meets W_hn, r_t ⊙ h_{t-1} or h_{t-1}; hW_n the product."""

    h_prev: np.ndarray
    r_t: np.ndarray
    z_t: np.ndarray
    rh_t: np.ndarray
    hW_n: np.ndarray
    n_t: np.ndarray
    h_t: np.ndarray


class CHOStepGradients(NamedTuple):
    """The loss's gradients of one step: da_t (N, 3H), dh_prev (N, H)."""

    da_t: np.ndarray
    dh_prev: np.ndarray


class CHOTrace(NamedTuple):
    """The record of cho_forward, for cho_backward; .r .z .n .h_prev stack the steps' fields: (T, N, H)."""

    x: np.ndarray
    h: np.ndarray
    steps: list
    resets_first: bool
    keeps_z: bool
    r, z, n, h_prev, rh = over_time("r_t", "z_t", "n_t", "h_prev", "rh_t")


def cho_shapes(D, H):
    """Each parameter's name and shape."""
    return {"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b": (3 * H,)}


def cho_step(xW_t, h_prev, W_h, resets_first, keeps_z):
    """Return a CHOStep from xW_t = x_t W_x + b (N, 3H), h_prev (N, H) and W_h (H, 3H)."""
    xW_r, xW_z, xW_n = gates(xW_t, 3)  # (N, H) each
    W_hr, W_hz, W_hn = gates(W_h, 3)
    r_t = sigmoid(xW_r + h_prev @ W_hr)
    z_t = sigmoid(xW_z + h_prev @ W_hz)
    rh_t = r_t * h_prev if resets_first else h_prev
    hW_n = rh_t @ W_hn
    n_t = tanh(xW_n + (hW_n if resets_first else r_t * hW_n))
    k_t = z_t if keeps_z else 1 - z_t
    h_t = k_t * h_prev + (1 - k_t) * n_t
    return CHOStep(h_prev, r_t, z_t, rh_t, hW_n, n_t, h_t)


def cho_step_backward(dh_t, step, W_h, resets_first, keeps_z):
    """Return CHOStepGradients from dh_t (N, H), the whole gradient of h_t."""
    W_hr, W_hz, W_hn = gates(W_h, 3)
    k_t = step.z_t if keeps_z else 1 - step.z_t
    dz_t = (1 if keeps_z else -1) * dh_t * (step.h_prev - step.n_t)
    dn_t = dh_t * (1 - k_t)
    dh_carried = dh_t * k_t
    da_n = tanh_backward(dn_t, step.n_t)
    if resets_first:
        drh_t = da_n @ W_hn.T  # of r_t ⊙ h_{t-1}
        dr_t = drh_t * step.h_prev
        dh_n = drh_t * step.r_t
    else:
        dr_t = da_n * step.hW_n
        dh_n = (da_n * step.r_t) @ W_hn.T
    da_z = sigmoid_backward(dz_t, step.z_t)
    da_r = sigmoid_backward(dr_t, step.r_t)
    da_t = np.concatenate((da_r, da_z, da_n), axis=1)  # (N, 3H)
    dh_prev = dh_carried + dh_n + da_r @ W_hr.T + da_z @ W_hz.T
    return CHOStepGradients(da_t, dh_prev)


def cho_forward(parameters, x, state_0, resets_first, keeps_z):
    """Run a whole sequence: from x (T, N, D) and state_0, return Output(h, state, trace)."""
    xW = affine_forward(x, parameters.W_x, parameters.b)  # (T, N, 3H)
    h_t = state_0.h
    steps = []
    for t in range(len(x)):
        step = cho_step(xW[t], h_t, parameters.W_h, resets_first, keeps_z)
        h_t = step.h_t
        steps.append(step)
    h = np.stack([step.h_t for step in steps])  # (T, N, H)
    return Output(h, CHOState(h_t), CHOTrace(x, h, steps, resets_first, keeps_z))


def cho_backward(parameters, dh, dstate_T, trace, keep_steps=False):
    """Backpropagate through time: from dh (T, N, H) and dstate_T, return Gradients. keep_steps adds each step's."""
    dh_next = dstate_T.h
    da = np.zeros((*dh.shape[:2], parameters.b.size))  # (T, N, 3H)
    steps = [None] * len(dh) if keep_steps else None
    for t in reversed(range(len(dh))):
        dh_t = dh[t] + dh_next
        gradients = cho_step_backward(dh_t, trace.steps[t], parameters.W_h, trace.resets_first, trace.keeps_z)
        da[t] = gradients.da_t
        dh_next = gradients.dh_prev
        if keep_steps:
            steps[t] = gradients
    dx, dW_x, db = affine_backward(da, trace.x, parameters.W_x)
    dW_h = flatten_time(trace.h_prev).T @ flatten_time(da)
    *_, da_n = gates(da, 3)
    dhW_n = da_n if trace.resets_first else da_n * trace.r
    dW_hn = flatten_time(trace.rh).T @ flatten_time(dhW_n)
    dW_h = np.concatenate((dW_h[:, : -len(dW_h)], dW_hn), axis=1)
    return Gradients(CHOParameters(dW_x, dW_h, db), dx, CHOState(dh_next), None, steps)
