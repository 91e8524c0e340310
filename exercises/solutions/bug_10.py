"""Find two bugs, number 10: mended."""

import numpy as np

from numpylm.activations import sigmoid_backward, tanh_backward


def lstm_step_backward(dh_t, dc_next, step, W_h):
    do_t = dh_t * step.tanh_c_t
    dc_t = dc_next + tanh_backward(dh_t * step.o_t, step.tanh_c_t)
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
