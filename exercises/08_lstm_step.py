"""Exercise 8: one step of the LSTM, and its backward     difficulty ***

    i_t = σ(x_t W_xi + h_{t-1} W_hi + b_i)        (3)
    f_t = σ(x_t W_xf + h_{t-1} W_hf + b_f)        (4)
    o_t = σ(x_t W_xo + h_{t-1} W_ho + b_o)        (5)
    c̃_t = tanh(x_t W_xc + h_{t-1} W_hc + b_c)     (6)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t               (7)
    h_t = o_t ⊙ tanh(c_t)                         (8)

x_t (N, D)   all other quantities (N, H)   W_x (D, 4H)   W_h (H, 4H)   b (4H,): the gates' columns in the
order i, f, o, c̃

lstm_step returns (h_t, c_t, cache). lstm_step_backward gets dh_t, the whole gradient of h_t, and dc_next, the
part of c_t's gradient from step t + 1. It returns (dx_t, dh_prev, dc_prev, dW_x, dW_h, db), or a dict with
these names. A dict may also hold any of do_t dc_t df_t di_t dc_tilde_t da_i da_f da_o da_c da_t: each is
checked, and the report says which is wrong first.

Check it:  python -m numpylm check exercises/08_lstm_step.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["lstm_step", "lstm_step_backward"]


def lstm_step(x_t, h_prev, c_prev, W_x, W_h, b):
    """Returns (h_t, c_t, cache)."""
    raise NotImplementedError


def lstm_step_backward(dh_t, dc_next, cache):
    """Returns (dx_t, dh_prev, dc_prev, dW_x, dW_h, db)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. np.split(a_t, 4, axis=1) cuts (N, 4H) into the four gates; np.concatenate puts their gradients together
   again.
2. Go backwards, one equation at a time, from (8) to (3). Each line's derivative has the name of a quantity in
   the equations.
3. c_t reaches the loss on two paths: through h_t in (8), and through c_{t+1}, which gives dc_next. Add the two
   gradients before you go on.
4. dc_t = dc_next + dh_t ⊙ o_t ⊙ (1 - tanh(c_t)²). All gradients of (7) use this sum.
5. The gates' derivatives are those of exercise 1: s (1 - s), of the gate's output. After da_t (N, 4H), the rest
   is exercise 4.
"""
