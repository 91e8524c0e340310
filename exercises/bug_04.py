"""Find the bug, number 4     difficulty ***

Most checks use weights of 0.01, and they saw no error here. With weights of order one there is one.

The equations (3) to (8) are those of exercise 8. `step` is the record that the package's lstm_step returns. Its fields
are h_prev c_prev a_t i_t f_t o_t c_tilde_t c_t tanh_c_t h_t: a_t (N, 4H), all others (N, H). W_h is (H, 4H).

Mend the function; change as little as you can.

Check it:  python -m numpylm check exercises/bug_04.py

Hints stand at the end of this file.
"""

import numpy as np

from numpylm.activations import sigmoid_backward, tanh_backward

EXERCISE = ["lstm_step_backward"]


def lstm_step_backward(dh_t, dc_next, step, W_h):
    do_t = dh_t * step.tanh_c_t
    dc_t = dc_next + tanh_backward(dh_t * step.o_t, np.tanh(step.tanh_c_t))
    df_t = dc_t * step.c_prev
    di_t = dc_t * step.c_tilde_t
    dc_tilde_t = dc_t * step.i_t
    da_i = sigmoid_backward(di_t, step.i_t)
    da_f = sigmoid_backward(df_t, step.f_t)
    da_o = sigmoid_backward(do_t, step.o_t)
    da_c = tanh_backward(dc_tilde_t, step.c_tilde_t)
    da_t = np.concatenate((da_i, da_f, da_o, da_c), axis=1)  # (N, 4H)
    dh_prev = da_t @ W_h.T
    dc_prev = dc_t * step.f_t
    return {
        "do_t": do_t, "dc_t": dc_t, "df_t": df_t, "di_t": di_t, "dc_tilde_t": dc_tilde_t, "da_i": da_i, "da_f": da_f,
        "da_o": da_o, "da_c": da_c, "da_t": da_t, "dh_prev": dh_prev, "dc_prev": dc_prev,
    }  # fmt: skip


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. For small c, tanh(c) is nearly c. What would then go unnoticed?
2. tanh_backward takes the output of the tanh. Which field of the record is it?
"""
