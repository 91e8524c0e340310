"""Find the bug, number 1     difficulty *

With one hidden unit this step's backward passed its gradient check. With two it does not.

    h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)      (1)

`step` is the record that the package's rnn_step returns: h_prev, a_t and h_t, each (N, H). W_hh is (H, H).

Mend the function; change as little as you can.

Check it:  python -m numpylm check exercises/bug_01.py

Hints stand at the end of this file.
"""

from numpylm.activations import tanh_backward

EXERCISE = ["rnn_step_backward"]


def rnn_step_backward(dh_t, step, W_hh):
    da_t = tanh_backward(dh_t, step.h_t)
    dh_prev = da_t @ W_hh
    return {"da_t": da_t, "dh_prev": dh_prev}


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. W_hh is square: its shape cannot warn you.
2. h_{t-1} is multiplied by W_hh on the way forward. What is the way back?
"""
