"""Find the bug, number 9: mended."""

import numpy as np


def cross_entropy_forward(logits, targets):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_y = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))  # (T, N, V)
    at_target = np.take_along_axis(log_y, targets[..., None], axis=-1)
    return -at_target.mean(), (np.exp(log_y), targets)


def cross_entropy_backward(cache):
    y, targets = cache
    T, N = targets.shape
    dlogits = y.copy()
    for t in range(T):
        for n in range(N):
            dlogits[t, n, targets[t, n]] -= 1
    dlogits /= T * N
    return dlogits
