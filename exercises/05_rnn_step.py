"""Exercise 5: one step of the RNN, and its backward     difficulty **

    h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)                                            (1)

x_t (N, D)   h_prev and h_t (N, H)   W_xh (D, H)   W_hh (H, H)   b_h (H,)   each gradient has its quantity's
shape

rnn_step returns (h_t, cache). The cache is what your rnn_step_backward needs: rnn_step_backward gets it back.
rnn_step_backward returns the tuple (dx_t, dh_prev, dW_xh, dW_hh, db_h), or a dict with these names. A dict
may hold more, such as da_t, the gradient of the tanh's argument a_t. Then da_t is checked too, and this helps
you to find a mistake.

Check it:  python -m numpylm check exercises/05_rnn_step.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["rnn_step", "rnn_step_backward"]


def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    """Returns (h_t, cache)."""
    raise NotImplementedError


def rnn_step_backward(dh_t, cache):
    """Returns (dx_t, dh_prev, dW_xh, dW_hh, db_h), from dh_t (N, H), the whole gradient of h_t."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. Name the tanh's argument a_t, and find da_t first: exercise 1 did it.
2. a_t is a sum of three terms, so da_t reaches each of them unchanged. Two of them are products with a matrix:
   exercise 4.
3. dh_prev is to da_t what dx_t is: da_t times a transposed matrix.
4. The cache may be (x_t, h_prev, h_t, W_xh, W_hh).
"""
