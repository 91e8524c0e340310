"""Find the bug, number 2     difficulty **

A model trained with this gradient learns, but worse than with the right one. After one pass over
300,000 words of the built-in grammar its perplexity is 9.5 to 9.7, with the right gradient 8.6 to 9.1 (four seeds each;
a 5-gram model has 10.2: python benchmarks/claims.py --bug).

    dh_t = dh[t] + dh_next        dh_next is dh_prev of step t + 1, and dc_next is dc_prev of step t + 1

dh (T, N, H), each h_t's gradient from the outputs
dstate_T.h and dstate_T.c (N, H), the gradients from beyond the last step
trace.x (T, N, D)   trace.h_prev (T, N, H), every h_{t-1}   trace.steps: the records of the package's lstm_step

Mend the function; change as little as you can.

Check it:  python -m numpylm check exercises/bug_02.py

Hints stand at the end of this file.
"""

import numpy as np

from numpylm.affine import affine_backward, rows
from numpylm.lstm import lstm_step_backward

EXERCISE = ["lstm_backward"]


def lstm_backward(parameters, dh, dstate_T, trace):
    dh_next, dc_next = dstate_T
    da = []
    for t in reversed(range(len(dh))):
        gradients = lstm_step_backward(dh[t] + dh_next, dc_next, trace.steps[t], parameters.W_h)
        da.insert(0, gradients.da_t)
        dh_0, dc_0 = gradients.dh_prev, gradients.dc_prev
    da = np.stack(da)  # (T, N, 4H)
    dx, dW_x, db = affine_backward(da, trace.x, parameters.W_x)
    dW_h = rows(trace.h_prev).T @ rows(da)
    return {"dx": dx, "dh_0": dh_0, "dc_0": dc_0, "dW_x": dW_x, "dW_h": dW_h, "db": db}


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. The report says at which time step dx is right. What is special about that step?
2. Follow dh_next through two turns of the loop.
"""
