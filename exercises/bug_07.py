"""Find the bug, number 7     difficulty *

On sequences of one step this passes every check.

    h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)      (1)

x (T, N, D)   h (T, N, H)   W_xh (D, H)   W_hh (H, H)   b_h (H,)

The forward pass is right. Mend the backward pass; change as little as you can.

Check it:  python -m numpylm check exercises/bug_07.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["rnn_forward", "rnn_backward"]


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
        dW_hh = h[t].T @ da_t
        db_h += da_t.sum(axis=0)
        dh_next = da_t @ W_hh.T
    return dx, dh_next, dW_xh, dW_hh, db_h


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. What is different when there is more than one step?
2. W_hh serves every step: its gradient is a sum.
"""
