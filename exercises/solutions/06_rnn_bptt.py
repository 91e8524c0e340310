"""A solution of exercise 6: backpropagation through time in the RNN."""

import numpy as np


def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    h_t = np.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)
    return h_t, (x_t, h_prev, h_t, W_xh, W_hh)


def rnn_step_backward(dh_t, cache):
    x_t, h_prev, h_t, W_xh, W_hh = cache
    da_t = dh_t * (1 - h_t**2)
    return da_t @ W_xh.T, da_t @ W_hh.T, x_t.T @ da_t, h_prev.T @ da_t, da_t.sum(axis=0)


def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h_t, h, caches = h_0, [], []
    for x_t in x:
        h_t, cache = rnn_step(x_t, h_t, W_xh, W_hh, b_h)
        h.append(h_t)
        caches.append(cache)
    return np.stack(h), caches


def rnn_backward(dh, cache):
    dh_next, dx, totals = np.zeros_like(dh[0]), [], 0
    for t in reversed(range(len(dh))):
        dx_t, dh_next, *weights = rnn_step_backward(dh[t] + dh_next, cache[t])
        dx.insert(0, dx_t)
        totals = weights if t == len(dh) - 1 else [a + b for a, b in zip(totals, weights, strict=True)]
    return np.stack(dx), dh_next, *totals
