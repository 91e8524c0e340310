"""Find the bug, number 6: mended."""

import numpy as np

from numpylm.activations import tanh_backward


def rnn_backward(parameters, dh, dstate_T, trace):
    dh_next = dstate_T.h
    dx, dW_xh, dW_hh, db_h = [], 0, 0, 0
    for t in reversed(range(len(dh))):
        da_t = tanh_backward(dh[t] + dh_next, trace.h[t])
        dh_next = da_t @ parameters.W_hh.T
        dx.insert(0, da_t @ parameters.W_xh.T)
        dW_xh = dW_xh + trace.x[t].T @ da_t
        dW_hh = dW_hh + trace.h_prev[t].T @ da_t
        db_h = db_h + da_t.sum(axis=0)
    return {"dx": np.stack(dx), "dh_0": dh_next, "dW_xh": dW_xh, "dW_hh": dW_hh, "db_h": db_h}
