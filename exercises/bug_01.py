"""Find the bug, number 1     difficulty *

With one hidden unit this step's backward passed its gradient check. With two it does not.

    h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)      (1)

x (T, N, D)   h (T, N, H)   W_xh (D, H)   W_hh (H, H)   b_h (H,)

The forward pass is right. Mend the backward pass; change as little as you can.

Check it:  python -m numpylm check exercises/bug_01.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["rnn_step", "rnn_step_backward"]


def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    h_t = np.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)
    return h_t, (x_t, h_prev, h_t, W_xh, W_hh)


def rnn_step_backward(dh_t, cache):
    x_t, h_prev, h_t, W_xh, W_hh = cache
    da_t = dh_t * (1 - h_t**2)
    dx_t = da_t @ W_xh.T
    dh_prev = da_t @ W_hh
    dW_xh = x_t.T @ da_t
    dW_hh = h_prev.T @ da_t
    db_h = da_t.sum(axis=0)
    return dx_t, dh_prev, dW_xh, dW_hh, db_h


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. W_hh is square: its shape cannot warn you.
2. h_{t-1} is multiplied by W_hh on the way forward. What is the way back?
"""
