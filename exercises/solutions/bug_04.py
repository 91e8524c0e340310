"""Find the bug, number 4: mended."""

import numpy as np


def sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))


def lstm_step(x_t, h_prev, c_prev, W_x, W_h, b):
    a_t = x_t @ W_x + h_prev @ W_h + b  # (N, 4H)
    a_i, a_f, a_o, a_c = np.split(a_t, 4, axis=1)
    i_t = sigmoid(a_i)
    f_t = sigmoid(a_f)
    o_t = sigmoid(a_o)
    c_tilde_t = np.tanh(a_c)
    c_t = f_t * c_prev + i_t * c_tilde_t
    tanh_c_t = np.tanh(c_t)
    h_t = o_t * tanh_c_t
    return h_t, c_t, (x_t, h_prev, c_prev, W_x, W_h, i_t, f_t, o_t, c_tilde_t, tanh_c_t)


def lstm_step_backward(dh_t, dc_next, cache):
    x_t, h_prev, c_prev, W_x, W_h, i_t, f_t, o_t, c_tilde_t, tanh_c_t = cache
    do_t = dh_t * tanh_c_t
    dc_t = dc_next + dh_t * o_t * (1 - tanh_c_t**2)
    df_t = dc_t * c_prev
    dc_prev = dc_t * f_t
    di_t = dc_t * c_tilde_t
    dc_tilde_t = dc_t * i_t
    da_i = di_t * i_t * (1 - i_t)
    da_f = df_t * f_t * (1 - f_t)
    da_o = do_t * o_t * (1 - o_t)
    da_c = dc_tilde_t * (1 - c_tilde_t**2)
    da_t = np.concatenate((da_i, da_f, da_o, da_c), axis=1)  # (N, 4H)
    dx_t = da_t @ W_x.T
    dh_prev = da_t @ W_h.T
    dW_x = x_t.T @ da_t
    dW_h = h_prev.T @ da_t
    db = da_t.sum(axis=0)
    return {
        "do_t": do_t, "dc_t": dc_t, "df_t": df_t, "di_t": di_t, "dc_tilde_t": dc_tilde_t,
        "da_i": da_i, "da_f": da_f, "da_o": da_o, "da_c": da_c, "da_t": da_t,
        "dx_t": dx_t, "dh_prev": dh_prev, "dc_prev": dc_prev, "dW_x": dW_x, "dW_h": dW_h, "db": db,
    }  # fmt: skip
