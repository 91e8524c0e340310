"""A solution of exercise 16: one hop of a memory network, and its backward."""

import numpy as np


def hop_forward(u, m, v, mask):
    e = np.where(mask.T, np.einsum("nd,ind->ni", u, m), -np.inf)  # (43)
    weights = np.exp(e - e.max(axis=1, keepdims=True))
    p = weights / weights.sum(axis=1, keepdims=True)  # (44)
    r = np.einsum("ni,ind->nd", p, v)  # (45)
    return u + r, p, (u, m, v, p)  # (46)


def hop_backward(du_next, cache):
    u, m, v, p = cache
    dr = du_next  # (46)
    dp = np.einsum("nd,ind->ni", dr, v)  # (45)
    dv = np.einsum("ni,nd->ind", p, dr)  # (45)
    de = p * (dp - (p * dp).sum(axis=1, keepdims=True))  # (44)
    dm = np.einsum("ni,nd->ind", de, u)  # (43)
    du = du_next + np.einsum("ni,ind->nd", de, m)  # (46) and (43)
    return du, dm, dv
