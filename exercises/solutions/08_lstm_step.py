"""A solution of exercise 8: one step of the LSTM, and its backward."""

import numpy as np


def sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))


def lstm_step(x_t, h_prev, c_prev, W_x, W_h, b):
    a_i, a_f, a_o, a_c = np.split(x_t @ W_x + h_prev @ W_h + b, 4, axis=1)
    i_t, f_t, o_t, c_tilde_t = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o), np.tanh(a_c)
    c_t = f_t * c_prev + i_t * c_tilde_t
    tanh_c_t = np.tanh(c_t)
    return o_t * tanh_c_t, c_t, (x_t, h_prev, c_prev, W_x, W_h, i_t, f_t, o_t, c_tilde_t, tanh_c_t)


def lstm_step_backward(dh_t, dc_next, cache):
    x_t, h_prev, c_prev, W_x, W_h, i_t, f_t, o_t, c_tilde_t, tanh_c_t = cache
    do_t = dh_t * tanh_c_t  # (8)
    dc_t = dc_next + dh_t * o_t * (1 - tanh_c_t**2)  # (7) at t + 1, and (8)
    df_t = dc_t * c_prev  # (7)
    dc_prev = dc_t * f_t  # (7)
    di_t = dc_t * c_tilde_t  # (7)
    dc_tilde_t = dc_t * i_t  # (7)
    da_i = di_t * i_t * (1 - i_t)  # (3)
    da_f = df_t * f_t * (1 - f_t)  # (4)
    da_o = do_t * o_t * (1 - o_t)  # (5)
    da_c = dc_tilde_t * (1 - c_tilde_t**2)  # (6)
    da_t = np.concatenate((da_i, da_f, da_o, da_c), axis=1)
    return da_t @ W_x.T, da_t @ W_h.T, dc_prev, x_t.T @ da_t, h_prev.T @ da_t, da_t.sum(axis=0)
