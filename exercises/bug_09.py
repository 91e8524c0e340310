"""Find the bug, number 9     difficulty **

Called once, this is right. Called twice, it is not.

    loss = -1/(T N) Σ log y_t[target_t]      dlogits = (y - onehot(targets)) / (T N)

logits, y and dlogits (T, N, V)   targets (T, N) integers

The forward pass is right. Mend the backward pass; change as little as you can.

Check it:  python -m numpylm check exercises/bug_09.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["cross_entropy_forward", "cross_entropy_backward"]


def cross_entropy_forward(logits, targets):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_y = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))  # (T, N, V)
    at_target = np.take_along_axis(log_y, targets[..., None], axis=-1)
    return -at_target.mean(), (np.exp(log_y), targets)


def cross_entropy_backward(cache):
    y, targets = cache
    T, N = targets.shape
    dlogits = y
    for t in range(T):
        for n in range(N):
            dlogits[t, n, targets[t, n]] -= 1
    dlogits /= T * N
    return dlogits


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. What is in the cache after the first call?
2. dlogits = y gives the same array a second name.
"""
