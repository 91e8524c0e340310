"""A sequence x (T, D) without an axis for a batch, and a state (1, H) that has one."""

import numpy as np


def rnn_forward(x, prev_h, Wx, Wh, b):
    hs = [prev_h]
    for row in x:
        hs.append(np.tanh(row[None] @ Wx + hs[-1] @ Wh + b))
    return np.concatenate(hs[1:]), (x, hs, Wx, Wh)


def rnn_backward(dh, cache):
    x, hs, Wx, Wh = cache
    dx, dWx, dWh, db, dprev_h = np.zeros(x.shape), np.zeros(Wx.shape), np.zeros(Wh.shape), 0, 0
    for t in range(len(x))[::-1]:
        da = (dh[t] + dprev_h) * (1 - hs[t + 1] ** 2)
        dx[t] = da @ Wx.T
        dWx += np.outer(x[t], da)
        dWh += hs[t].T @ da
        db = db + da[0]
        dprev_h = da @ Wh.T
    return dx, dprev_h, dWx, dWh, db
