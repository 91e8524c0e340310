"""Find the bug, number 2: mended."""

import numpy as np

from numpylm.affine import affine_backward, rows
from numpylm.lstm import lstm_step_backward


def lstm_backward(parameters, dh, dstate_T, trace):
    dh_next, dc_next = dstate_T
    da = []
    for t in reversed(range(len(dh))):
        gradients = lstm_step_backward(dh[t] + dh_next, dc_next, trace.steps[t], parameters.W_h)
        da.insert(0, gradients.da_t)
        dh_next, dc_next = dh_0, dc_0 = gradients.dh_prev, gradients.dc_prev
    da = np.stack(da)  # (T, N, 4H)
    dx, dW_x, db = affine_backward(da, trace.x, parameters.W_x)
    dW_h = rows(trace.h_prev).T @ rows(da)
    return {"dx": dx, "dh_0": dh_0, "dc_0": dc_0, "dW_x": dW_x, "dW_h": dW_h, "db": db}
