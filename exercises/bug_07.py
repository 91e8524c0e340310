"""Find the bug, number 7     difficulty *

On sequences of one step this passes every check.

    h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)      (1)

trace.x (T, N, D)   trace.h (T, N, H), every h_t   trace.h_prev (T, N, H), every h_{t-1}
dh (T, N, H), each h_t's gradient from the outputs   dstate_T.h (N, H), the gradient from beyond the last step

Mend the function; change as little as you can.

Check it:  python -m numpylm check exercises/bug_07.py

Hints stand at the end of this file.
"""

import numpy as np

from numpylm.activations import tanh_backward

EXERCISE = ["rnn_backward"]


def rnn_backward(parameters, dh, dstate_T, trace):
    dh_next = dstate_T.h
    dx, dW_xh, dW_hh, db_h = [], 0, 0, 0
    for t in reversed(range(len(dh))):
        da_t = tanh_backward(dh[t] + dh_next, trace.h[t])
        dh_next = da_t @ parameters.W_hh.T
        dx.insert(0, da_t @ parameters.W_xh.T)
        dW_xh = dW_xh + trace.x[t].T @ da_t
        dW_hh = trace.h_prev[t].T @ da_t
        db_h = db_h + da_t.sum(axis=0)
    return {"dx": np.stack(dx), "dh_0": dh_next, "dW_xh": dW_xh, "dW_hh": dW_hh, "db_h": db_h}


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. What is different when there is more than one step?
2. W_hh serves every step: its gradient is a sum.
"""
