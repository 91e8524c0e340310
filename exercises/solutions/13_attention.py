"""A solution of exercise 13: one step of attention, and its backward."""

import numpy as np


def attention_step(s_t, h, mask):
    e_t = np.where(mask.T, np.einsum("nh,jnh->nj", s_t, h), -np.inf)  # (17)
    weights = np.exp(e_t - e_t.max(axis=1, keepdims=True))
    alpha_t = weights / weights.sum(axis=1, keepdims=True)  # (19)
    return np.einsum("nj,jnh->nh", alpha_t, h), alpha_t, (s_t, h, alpha_t)  # (20)


def attention_step_backward(dctx_t, cache):
    s_t, h, alpha_t = cache
    dalpha_t = np.einsum("nh,jnh->nj", dctx_t, h)  # (20)
    de_t = alpha_t * (dalpha_t - (alpha_t * dalpha_t).sum(axis=1, keepdims=True))  # (19)
    ds_t = np.einsum("nj,jnh->nh", de_t, h)  # (17)
    dh = np.einsum("nj,nh->jnh", alpha_t, dctx_t) + np.einsum("nj,nh->jnh", de_t, s_t)  # (20) and (17)
    return ds_t, dh
