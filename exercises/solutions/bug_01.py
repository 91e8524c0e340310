"""Find the bug, number 1: mended."""

from numpylm.activations import tanh_backward


def rnn_step_backward(dh_t, step, W_hh):
    da_t = tanh_backward(dh_t, step.h_t)
    dh_prev = da_t @ W_hh.T
    return {"da_t": da_t, "dh_prev": dh_prev}
