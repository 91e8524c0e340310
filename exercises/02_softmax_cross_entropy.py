"""Exercise 2: softmax, and cross-entropy on top of it     difficulty **

    y_v     = e^a_v / Σ_u e^a_u                    along the last axis, the vocabulary          (2), (9)
    da_v    = y_v (dy_v - Σ_u y_u dy_u)
    loss    = -1/(T N) Σ_{t,n} log y_t[n, target_t[n]]                   y_t = softmax(logits_t)
    dlogits = (y - onehot(targets)) / (T N)

a (N, V)   logits (T, N, V)   targets (T, N) integers in 0..V-1   loss: one number, in nats per token

cross_entropy_forward returns two things: the loss, and a cache of your choice. cross_entropy_backward gets
this cache.

Check it:  python -m numpylm check exercises/02_softmax_cross_entropy.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["softmax", "softmax_backward", "cross_entropy_forward", "cross_entropy_backward"]


def softmax(a):
    """Returns y, of a's shape; also for entries of ±1000."""
    raise NotImplementedError


def softmax_backward(dy, y):
    """Returns da, from dy and the output y = softmax(a)."""
    raise NotImplementedError


def cross_entropy_forward(logits, targets):
    """Returns (loss, cache), both finite; also for logits of ±1000."""
    raise NotImplementedError


def cross_entropy_backward(cache):
    """Returns dlogits (T, N, V)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. softmax(a) = softmax(a - m) for any number m. Which m keeps e^a from overflowing?
2. keepdims=True in a.max(axis=-1, keepdims=True) leaves an axis of length 1, which broadcasts.
3. ∂y_u/∂a_v = y_u (1[u = v] - y_v): the Jacobian has off-diagonal terms, they are the sum in da_v.
4. log y_v = (a_v - m) - log Σ_u e^(a_u - m). Do not take the log of a probability: it may be rounded to 0. At
   logits of ±1000 the loss must be 2000, and not infinite.
5. np.take_along_axis(q, targets[..., None], axis=-1)[..., 0] picks q[t, n, targets[t, n]].
6. The cache may be (y, targets). Copy y before you subtract 1 from some of its entries.
"""
