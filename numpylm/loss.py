"""Softmax cross-entropy: a model's mean surprisal, in nats, of the targets.

    y_t  = softmax(logits_t)                                            (2), (9)
    loss = -(1/M) Σ_{t,n} log y_t[n, target_t[n]]

    logits (T, N, V)   targets (T, N) integers   y (T, N, V)   M: how many targets are predicted

A target of -1 is not predicted: it adds nothing to the loss, does not count in M and gets no gradient. We never take
the log of a probability: log y = logits - log Σ_v e^logits_v, after subtracting the largest logit.
"""

from typing import NamedTuple

import numpy as np

from numpylm.affine import affine_backward, affine_forward

IGNORED = -1


class CrossEntropyTrace(NamedTuple):
    """The record for cross_entropy_backward: the probabilities y (T, N, V) and the targets (T, N)."""

    y: np.ndarray
    targets: np.ndarray


def surprisal(logits, targets):
    """-log y[target] in nats, in the targets' shape (T, N); zero where the target is -1."""
    shifted = logits - logits.max(axis=-1, keepdims=True)  # (T, N, V)
    at_target = target_entries(shifted, targets)
    return np.where(targets == IGNORED, 0, np.log(np.exp(shifted).sum(axis=-1)) - at_target)


def cross_entropy_forward(logits, targets, overwrite=False):
    """Return the loss, a number in nats per predicted token, and the CrossEntropyTrace.

    overwrite=True writes y into the array of the logits: the caller must not use the logits again.
    Raises ValueError if every target is -1.
    """
    predicted = targets != IGNORED
    if not predicted.any():
        raise ValueError("every target is -1: no token is predicted, so there is no mean loss")
    largest = logits.max(axis=-1, keepdims=True)  # (T, N, 1)
    shifted = np.subtract(logits, largest, out=logits if overwrite else None)  # (T, N, V)
    del logits  # its array may have other values now
    log_at_target = target_entries(shifted, targets)  # (T, N)
    y = np.exp(shifted, out=shifted)
    del shifted
    total = y.sum(axis=-1, keepdims=True)  # (T, N, 1)
    y /= total
    nats = np.log(total[..., 0]) - log_at_target
    return nats[predicted].mean().item(), CrossEntropyTrace(y, targets)


def cross_entropy_backward(trace, overwrite=False):
    """Return dlogits (T, N, V): (y - onehot(target)) / M where a token is predicted, zero elsewhere.

    overwrite=True writes dlogits into the array of y: the caller must not use the trace again.
    """
    y, targets = trace
    t, n = np.nonzero(targets != IGNORED)
    M = t.size
    dlogits = np.divide(y, M, out=y if overwrite else None)  # (T, N, V)
    del y, trace  # their array may have other values now
    dlogits[t, n, targets[t, n]] -= 1 / M
    dlogits[targets == IGNORED] = 0
    return dlogits


def affine_cross_entropy(h, W, b, targets):
    """Return the loss of y = softmax(h W + b) and its gradients: (loss, dh, dW, db).

    logits, y and dlogits (T, N, V) are by far the largest arrays: they use the same memory one after the other.
    """
    loss, trace = cross_entropy_forward(affine_forward(h, W, b), targets, overwrite=True)
    dlogits = cross_entropy_backward(trace, overwrite=True)
    del trace
    return loss, *affine_backward(dlogits, h, W)


def num_predicted(targets):
    """How many targets are predicted: M, an integer."""
    return int((targets != IGNORED).sum())


def target_entries(q, targets):
    """Return the entries q[t, n, targets[t, n]] of q (T, N, V) as (T, N). The caller ignores those of target -1."""
    return np.take_along_axis(q, targets[..., None], axis=-1)[..., 0]
