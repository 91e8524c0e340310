"""Find the bug, number 6: mended."""

import numpy as np


def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h = [h_0]
    for t in range(len(x)):
        h.append(np.tanh(x[t] @ W_xh + h[t] @ W_hh + b_h))
    h = np.stack(h)  # (T + 1, N, H): h[0] is h_0
    return h[1:], (x, h, W_xh, W_hh)


def rnn_backward(dh, cache):
    x, h, W_xh, W_hh = cache  # h[t + 1] is what step t has made of h[t]
    dx = np.zeros_like(x)
    dW_xh, dW_hh, db_h = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))
    dh_next = np.zeros_like(dh[0])
    for t in reversed(range(len(x))):
        da_t = (dh[t] + dh_next) * (1 - h[t + 1] ** 2)
        dx[t] = da_t @ W_xh.T
        dW_xh += x[t].T @ da_t
        dW_hh += h[t].T @ da_t
        db_h += da_t.sum(axis=0)
        dh_next = da_t @ W_hh.T
    return dx, dh_next, dW_xh, dW_hh, db_h
