"""Exercise 6: backpropagation through time in the RNN     difficulty **

    h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)      t = 1 … T                             (1)

x (T, N, D), x[t] is one step   h_0 (N, H)   h and dh (T, N, H)

dh[t] is the gradient of h_t from the outputs of step t alone. The step t + 1 uses h_t too: add the gradient
that comes back from there. Every step uses the parameters: their gradients are sums over all steps.
rnn_forward returns (h, cache). rnn_backward returns (dx, dh_0, dW_xh, dW_hh, db_h), or a dict with these
names.

Check it:  python -m numpylm check exercises/06_rnn_bptt.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["rnn_forward", "rnn_backward"]


def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    """Returns (h, cache): h (T, N, H), all steps' h_t."""
    raise NotImplementedError


def rnn_backward(dh, cache):
    """Returns (dx, dh_0, dW_xh, dW_hh, db_h)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. Paste your rnn_step and rnn_step_backward from exercise 5, and call them in a loop; keep each step's cache
   in a list.
2. The backward's loop runs from the last step to the first, and carries one thing: dh_next, which starts at
   zero.
3. In each step: rnn_step_backward(dh[t] + dh_next, caches[t]); its dh_prev is the next dh_next.
4. Start dW_xh, dW_hh and db_h at zero and add in every step.
"""
