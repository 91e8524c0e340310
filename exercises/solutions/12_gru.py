"""A solution of exercise 12: one step of the GRU, and its backward."""

import numpy as np


def sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))


def gru_step(x_t, h_prev, W_x, W_h, b, b_hn):
    xW_r, xW_z, xW_n = np.split(x_t @ W_x + b, 3, axis=1)
    hW_r, hW_z, hW_n = np.split(h_prev @ W_h, 3, axis=1)
    r_t, z_t = sigmoid(xW_r + hW_r), sigmoid(xW_z + hW_z)
    hW_n = hW_n + b_hn
    n_t = np.tanh(xW_n + r_t * hW_n)
    return (1 - z_t) * n_t + z_t * h_prev, (x_t, h_prev, W_x, W_h, r_t, z_t, n_t, hW_n)


def gru_step_backward(dh_t, cache):
    x_t, h_prev, W_x, W_h, r_t, z_t, n_t, hW_n = cache
    da_z = dh_t * (h_prev - n_t) * z_t * (1 - z_t)  # (13), (11)
    da_n = dh_t * (1 - z_t) * (1 - n_t**2)  # (13), (12)
    da_r = da_n * hW_n * r_t * (1 - r_t)  # (12), (10)
    da_t = np.concatenate((da_r, da_z, da_n), axis=1)
    dhW_t = np.concatenate((da_r, da_z, da_n * r_t), axis=1)
    dh_prev = dh_t * z_t + dhW_t @ W_h.T  # (13), and (10) to (12)
    db_hn = (da_n * r_t).sum(axis=0)
    return da_t @ W_x.T, dh_prev, x_t.T @ da_t, h_prev.T @ dhW_t, da_t.sum(axis=0), db_hn
