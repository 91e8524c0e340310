"""Find the bug, number 9: mended."""

import numpy as np


def cross_entropy_backward(trace):
    y, targets = trace
    dlogits = y.copy()
    for t, n in np.ndindex(targets.shape):
        dlogits[t, n, targets[t, n]] -= 1
    dlogits /= targets.size
    return dlogits
