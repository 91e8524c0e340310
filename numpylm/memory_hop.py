"""One hop of a memory network (Sukhbaatar, Szlam, Weston and Fergus, 2015): the question looks at the sentences once.

    e_ki    = u_k · m_i                                                     the score of sentence i             (43)
    p_ki    = exp(e_ki) / Σ_i exp(e_ki)                                     over the story's own sentences      (44)
    r_k     = Σ_i p_ki v_i                                                  what hop k has read                 (45)
    u_{k+1} = u_k + r_k       or, layer-wise,   u_k W_u + r_k                                                   (46)

    m, v (I, N, D), the sentences' vectors: compared, and read   u, r (N, D)   e, p (N, I)   mask (I, N)   W_u (D, D)

This is dot-product attention (attention.py) whose sources are sentences, with one vector to compare and one to read.
Linear start: with linear=True p is e itself, without (44); training that begins so is caught less early in a poor
optimum.
"""

from typing import NamedTuple

import numpy as np

from numpylm.activations import softmax_backward
from numpylm.attention import inner_products, masked_softmax, weighted_sum


class Hop(NamedTuple):
    """Every intermediate of one hop; m and v (I, N, D), e and p (N, I), the others (N, D)."""

    u: np.ndarray
    m: np.ndarray
    v: np.ndarray
    e: np.ndarray
    p: np.ndarray
    r: np.ndarray
    u_next: np.ndarray


class HopGradients(NamedTuple):
    """The loss's gradient with respect to each intermediate of one hop; dW_u (D, D) is None without W_u."""

    du_next: np.ndarray
    dr: np.ndarray
    dp: np.ndarray
    de: np.ndarray
    dv: np.ndarray
    dm: np.ndarray
    du: np.ndarray
    dW_u: np.ndarray | None


def hop_forward(u, m, v, mask, W_u=None, linear=False):
    """One hop as a Hop. mask (I, N) is True for a story's own sentences: all others have p = 0."""
    e = inner_products(u[None], m)[0]  # (43)
    p = e * mask.T if linear else masked_softmax(e[None], mask)[0]  # (44)
    r = weighted_sum(p[None], v)[0]  # (45)
    u_next = (u if W_u is None else u @ W_u) + r  # (46)
    return Hop(u, m, v, e, p, r, u_next)


def hop_backward(du_next, hop, mask, W_u=None, linear=False):
    """HopGradients from du_next (N, D). u has two uses, the score and the sum: du is the sum of both."""
    dr = du_next  # (46)
    du_kept = du_next if W_u is None else du_next @ W_u.T  # (46)
    dW_u = None if W_u is None else hop.u.T @ du_next  # (46)
    dp = inner_products(dr[None], hop.v)[0]  # (45)
    dv = hop.p.T[:, :, None] * dr  # (45)
    de = dp * mask.T if linear else softmax_backward(dp, hop.p)  # (44)
    dm = de.T[:, :, None] * hop.u  # (43)
    du = du_kept + weighted_sum(de[None], hop.m)[0]  # (43)
    return HopGradients(du_next, dr, dp, de, dv, dm, du, dW_u)
