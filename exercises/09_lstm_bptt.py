"""Exercise 9: backpropagation through time in the LSTM     difficulty ***

    i_t = σ(x_t W_xi + h_{t-1} W_hi + b_i)        (3)
    f_t = σ(x_t W_xf + h_{t-1} W_hf + b_f)        (4)
    o_t = σ(x_t W_xo + h_{t-1} W_ho + b_o)        (5)
    c̃_t = tanh(x_t W_xc + h_{t-1} W_hc + b_c)     (6)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t               (7)
    h_t = o_t ⊙ tanh(c_t)                         (8)

x (T, N, D)   h_0 and c_0 (N, H)   h, c and dh (T, N, H)   W_x (D, 4H)   W_h (H, 4H)   b (4H,), gates in the
order i, f, o, c̃

dh[t] is the gradient of h_t from the outputs of step t alone. Two gradients go back from step t + 1 to
step t. lstm_forward returns (h, c, cache). lstm_backward returns (dx, dh_0, dc_0, dW_x, dW_h, db), or a dict
with these names.

Check it:  python -m numpylm check exercises/09_lstm_bptt.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["lstm_forward", "lstm_backward"]


def lstm_forward(x, h_0, c_0, W_x, W_h, b):
    """Returns (h, c, cache): h and c (T, N, H), all steps' h_t and c_t."""
    raise NotImplementedError


def lstm_backward(dh, cache):
    """Returns (dx, dh_0, dc_0, dW_x, dW_h, db)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. Paste your lstm_step and lstm_step_backward from exercise 8, and write the two loops of exercise 6 around
   them.
2. The loop carries dh_next and dc_next back. Both start at zero; then they are dh_prev and dc_prev of the last
   call.
3. Add only dh_next to dh[t]. dc_next goes into lstm_step_backward as it is: c_t reaches an output only through
   h_t.
"""
