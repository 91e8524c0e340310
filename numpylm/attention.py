"""Attention: at each target step the decoder reads a weighted mean of all source positions.

    e_tj     = s_t · h_j                                     dot-product score (Luong et al., 2015)         (17)
    e_tj     = v_a · tanh(s_t W_sa + h_j W_ha + b_a)         additive score (Bahdanau et al., 2015)         (18)
    alpha_tj = exp(e_tj) / Σ_k exp(e_tk)                     j and k over the real source positions         (19)
    ctx_t    = Σ_j alpha_tj h_j                              the context vector                             (20)

    T_x source steps · T_y target steps · N sequences · H hidden size · A size of the additive score

    h (T_x, N, H) encoder states   s (T_y, N, H) decoder states   mask (T_x, N), False at padding, or None
    e, alpha (T_y, N, T_x)   ctx (T_y, N, H)   W_sa, W_ha (H, A)   b_a, v_a (A,)

Given s, a sentence's T_y steps do not depend on each other: each equation is one product for each sentence.
Padding has e = -infinity, so its weight is exactly 0; its h and its score get no gradient.

Sources: Bahdanau, Cho and Bengio, Neural Machine Translation by Jointly Learning to Align and Translate (2015),
section 3.1; Luong, Pham and Manning, Effective Approaches to Attention-based Neural Machine Translation (2015),
equations 7 and 8. As in Luong's, the score reads the state s_t, not s_{t-1}.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpylm.activations import softmax, softmax_backward, tanh, tanh_backward
from numpylm.affine import affine_backward, affine_forward, rows
from numpylm.initialization import glorot_uniform
from numpylm.parameters import Part, bias, matrix


class DotParameters(NamedTuple):
    """The dot-product score has no parameters."""


class AdditiveParameters(NamedTuple):
    """W_sa (H, A), W_ha (H, A), b_a (A,) and v_a (A,) of equation (18)."""

    W_sa: np.ndarray
    W_ha: np.ndarray
    b_a: np.ndarray
    v_a: np.ndarray


class AttentionTrace(NamedTuple):
    """Every intermediate: e, alpha (T_y, N, T_x) and ctx (T_y, N, H) from s, h and the mask.

    q is the tanh of (18), (T_y, T_x, N, A), and None for the dot-product score. The trace of one step has no axis T_y.
    """

    s: np.ndarray
    h: np.ndarray
    mask: np.ndarray | None
    q: np.ndarray | None
    e: np.ndarray
    alpha: np.ndarray
    ctx: np.ndarray


class AttentionGradients(NamedTuple):
    """dparameters, of the parameters' type; ds and dh of the shapes of s and h; dalpha and de (T_y, N, T_x)."""

    dparameters: Any
    ds: np.ndarray
    dh: np.ndarray
    dalpha: np.ndarray
    de: np.ndarray


class Attention(NamedTuple):
    """What a model needs to know of a kind of attention. The kinds differ only in their scores."""

    name: str
    Parameters: type
    parts: Callable  # (H, A) -> the Parts (parameters.py) of its parameters, in their order
    scores: Callable  # (parameters, s, h) -> (e, q)
    scores_backward: Callable  # (parameters, de, s, h, q) -> (dparameters, ds, dh)


def attention_forward(attention, parameters, s, h, mask=None):
    """s (T_y, N, H), h (T_x, N, H) and the mask (T_x, N), booleans, give an AttentionTrace."""
    e, q = attention.scores(parameters, s, h)  # (17) or (18)
    alpha = masked_softmax(e, mask)  # (19)
    ctx = weighted_sum(alpha, h)  # (20)
    return AttentionTrace(s, h, mask, q, e, alpha, ctx)


def attention_backward(attention, parameters, dctx, trace):
    """AttentionGradients from dctx (T_y, N, H). h has two uses, in ctx and in the scores: dh is the sum of both."""
    dalpha = inner_products(dctx, trace.h)  # (20)
    dh = weighted_sum(np.swapaxes(trace.alpha, 0, 2), dctx)  # (20)
    de = softmax_backward(dalpha, trace.alpha)  # (19)
    dparameters, ds, dh_scores = attention.scores_backward(parameters, de, trace.s, trace.h, trace.q)  # (17) or (18)
    return AttentionGradients(dparameters, ds, dh + dh_scores, dalpha, de)


def attention_step(attention, parameters, s_t, h, mask=None):
    """One target step: s_t (N, H) and h (T_x, N, H) give an AttentionTrace with e, alpha (N, T_x) and ctx (N, H)."""
    trace = attention_forward(attention, parameters, s_t[None], h, mask)
    q_t = None if trace.q is None else trace.q[0]
    return AttentionTrace(s_t, h, mask, q_t, trace.e[0], trace.alpha[0], trace.ctx[0])


def attention_step_backward(attention, parameters, dctx_t, step):
    """AttentionGradients of one step from dctx_t (N, H): ds is (N, H), dh (T_x, N, H), dalpha and de (N, T_x)."""
    q = None if step.q is None else step.q[None]
    trace = AttentionTrace(step.s[None], step.h, step.mask, q, step.e[None], step.alpha[None], step.ctx[None])
    dparameters, ds, dh, dalpha, de = attention_backward(attention, parameters, dctx_t[None], trace)
    return AttentionGradients(dparameters, ds[0], dh, dalpha[0], de[0])


def masked_softmax(e, mask):
    """Softmax over j, the last axis of e (T_y, N, T_x), with weights of exactly 0 where mask (T_x, N) is False."""
    return softmax(e if mask is None else np.where(mask.T, e, -np.inf))


def inner_products(s, h):
    """s_t · h_j for every t and j of each sequence: s (T_y, N, H) and h (T_x, N, H) give (T_y, N, T_x)."""
    products = s.swapaxes(0, 1) @ h.transpose(1, 2, 0)  # (N, T_y, T_x)
    return products.swapaxes(0, 1)


def weighted_sum(alpha, h):
    """Σ_j alpha_tj h_j: alpha (T_y, N, T_x) and h (T_x, N, H) give (T_y, N, H)."""
    sums = alpha.swapaxes(0, 1) @ h.swapaxes(0, 1)  # (N, T_y, H)
    return sums.swapaxes(0, 1)


def dot_scores(parameters, s, h):
    """e (T_y, N, T_x) of equation (17); there is no q."""
    return inner_products(s, h), None


def dot_scores_backward(parameters, de, s, h, q):
    """(dparameters, ds, dh) of equation (17)."""
    ds = weighted_sum(de, h)
    dh = weighted_sum(np.swapaxes(de, 0, 2), s)
    return DotParameters(), ds, dh


def additive_scores(parameters, s, h):
    """e (T_y, N, T_x) and q (T_y, T_x, N, A), the tanh, of equation (18). One t at a time stays in the cache."""
    sW = s @ parameters.W_sa  # (T_y, N, A)
    hW = affine_forward(h, parameters.W_ha, parameters.b_a)  # (T_x, N, A)
    q = np.empty((len(s), *hW.shape), hW.dtype)
    e = np.empty((len(s), *hW.shape[:2]), hW.dtype)  # (T_y, T_x, N)
    for t in range(len(s)):
        q[t] = tanh(sW[t] + hW)
        e[t] = q[t] @ parameters.v_a
    return e.swapaxes(1, 2), q


def additive_scores_backward(parameters, de, s, h, q):
    """(dparameters, ds, dh) of equation (18). sW_t serves every j and hW_j every t: their gradients are sums, and v_a,
    which is a factor of every term, waits until after them."""
    de = np.ascontiguousarray(de.swapaxes(1, 2))  # (T_y, T_x, N)
    dv_a = de.ravel() @ rows(q)
    sums_j = np.empty((len(s), *q.shape[2:]), q.dtype)  # (T_y, N, A)
    sums_t = np.zeros(q.shape[1:], q.dtype)  # (T_x, N, A)
    for t in range(len(s)):
        term_t = tanh_backward(de[t][..., None], q[t])  # (T_x, N, A): da_t / v_a
        sums_j[t] = term_t.sum(axis=0)
        sums_t += term_t
    dh, dW_ha, db_a = affine_backward(parameters.v_a * sums_t, h, parameters.W_ha)
    ds, dW_sa, _ = affine_backward(parameters.v_a * sums_j, s, parameters.W_sa)
    return AdditiveParameters(dW_sa, dW_ha, db_a, dv_a), ds, dh


def additive_parts(H, A):
    """The Parts of W_sa, W_ha, b_a and v_a: Glorot's values, but b_a is zero."""
    v_a = Part({"v_a": (A,)}, lambda rng: [glorot_uniform(rng, A, 1)[:, 0]])
    return [matrix("W_sa", H, A), matrix("W_ha", H, A), bias("b_a", A), v_a]


ATTENTIONS = {
    "dot": Attention("dot", DotParameters, lambda H, A: [], dot_scores, dot_scores_backward),
    "additive": Attention("additive", AdditiveParameters, additive_parts, additive_scores, additive_scores_backward),
}
