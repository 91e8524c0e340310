"""Find the bug, number 9     difficulty **

Called once, this is right. Called twice, it is not.

    loss = -1/(T N) Σ log y_t[target_t]      dlogits = (y - onehot(targets)) / (T N)

logits, y and dlogits (T, N, V)   targets (T, N) integers   trace, of the package's cross_entropy_forward: (y, targets)

Mend the function; change as little as you can.

Check it:  python -m numpylm check exercises/bug_09.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["cross_entropy_backward"]


def cross_entropy_backward(trace):
    y, targets = trace
    dlogits = y
    for t, n in np.ndindex(targets.shape):
        dlogits[t, n, targets[t, n]] -= 1
    dlogits /= targets.size
    return dlogits


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. What is in the trace after the first call?
2. dlogits = y gives the same array a second name.
"""
