"""What people write in place of an activation, a loss, an affine map or clipping: function -> (words, formula).

A formula's parameters are the names of the problem's symbols.
"""

import numpy as np

from numpylm.activations import log_softmax, sigmoid, softmax
from numpylm.clipping import array_norm, global_norm


def surprisals(logits, targets):
    """-log y[target], (T, N)."""
    return -np.take_along_axis(log_softmax(logits), targets[..., None], -1)[..., 0]


def probabilities(logits, targets):
    """y[target], (T, N)."""
    return np.exp(-surprisals(logits, targets))


def floor_words(logits, targets, loss):
    """What to say of a loss whose probabilities have a small ε added, or are kept above one; None of another."""
    for exponent in range(5, 17):
        y, floor = probabilities(logits, targets), 10.0**-exponent
        if any(np.isclose(loss, -np.log(floored).mean(), 1e-9) for floored in (y + floor, np.maximum(y, floor))):
            return (
                f"y has a floor of 1e-{exponent} before its logarithm is taken (it is clipped, or an ε is added), so "
                f"that no loss exceeds {exponent * np.log(10):.1f} nats: compute log y from the logits, as a - max a - "
                "log Σ e^(a - max a)"
            )
    return None


def scaled(gradients, factor, norm):
    """Clipped gradients and a norm as the problem names them."""
    return {f"clipped.{name}": factor(gradient) * gradient for name, gradient in gradients.items()} | {"norm": norm}


def clipped_each(gradients, max_norm, last=None):
    """Each array clipped by its own norm."""
    norms = [array_norm(gradient) for gradient in gradients.values()]
    norm = norms[-1] if last else global_norm(gradients)
    return scaled(gradients, lambda g: min(1, max_norm / array_norm(g)), norm)


def always_scaled(gradients, max_norm):
    """Scaled to max_norm, smaller gradients too."""
    norm = global_norm(gradients)
    return scaled(gradients, lambda g: max_norm / norm, norm)


def square_norm(gradients, max_norm):
    """The norm without its root."""
    norm = global_norm(gradients) ** 2
    return scaled(gradients, lambda g: min(1, max_norm / norm), norm)


def norm_after(gradients, max_norm):
    """Right gradients, and the norm that they have when they are clipped."""
    norm = global_norm(gradients)
    return scaled(gradients, lambda g: min(1, max_norm / norm), min(norm, max_norm))


def absolute_norm(gradients, max_norm):
    """The sum of absolute values for a norm."""
    norm = sum(np.abs(gradient).sum() for gradient in gradients.values())
    return scaled(gradients, lambda g: min(1, max_norm / norm), norm)


def sum_of_norms(gradients, max_norm):
    """The norms of all arrays, added."""
    norm = sum(array_norm(gradient) for gradient in gradients.values())
    return scaled(gradients, lambda g: min(1, max_norm / norm), norm)


def value_clipped(gradients, clip):
    """Every array clipped alike."""
    return {f"clipped.{name}": clip(gradient) for name, gradient in gradients.items()}


EACH = "each array is clipped by its own norm: the global norm is one number, of all arrays together"
LAYER_SLIPS = {
    "sigmoid": [
        ("the exponent's sign is wrong: it is e^-a, not e^a", lambda a: 1 / (1 + np.exp(a))),
        ("the sign in the denominator is wrong: it is 1 + e^-a", lambda a: 1 / (1 - np.exp(-a))),
        ("this is tanh(a); σ(a) runs from 0 to 1", lambda a: np.tanh(a)),
        ("the minus sign of the exponent is left out, above the line alone", lambda a: np.exp(a) / (1 + np.exp(-a))),
        ("this is e^-a / (1 + e^-a), which is 1 - σ(a)", lambda a: np.exp(-a) / (1 + np.exp(-a))),
        ("this is the derivative, s (1 - s)", lambda a: sigmoid(a) * (1 - sigmoid(a))),
    ],
    "tanh": [
        ("this is σ(a); tanh(a) runs from -1 to 1", lambda a: sigmoid(a)),
        ("this is ReLU, max(a, 0)", lambda a: np.maximum(a, 0)),
        ("this is tanh(a/2), which is 2 σ(a) - 1; tanh(a) is 2 σ(2a) - 1", lambda a: np.tanh(a / 2)),
        ("this is the tangent, np.tan; the hyperbolic tangent is np.tanh", lambda a: np.tan(a)),
        ("this is the derivative, 1 - y²", lambda a: 1 - np.tanh(a) ** 2),
    ],
    "relu": [
        ("y is cut to whole numbers: is it of an integer dtype?", lambda a: np.maximum(a, 0).astype(int)),
        ("this is |a|: where a is below 0, y is 0", lambda a: np.abs(a)),
        ("this is min(a, 0): it is the larger of a and 0 that is wanted", lambda a: np.minimum(a, 0)),
        ("this is the derivative, 1 where a > 0", lambda a: (a > 0).astype(float)),
        ("a is returned as it is: where a is below 0, y is 0", lambda a: a),
    ],
    "softmax": [
        ("the sum runs over all entries: it runs along the last axis, so that each row sums to 1",
         lambda a: np.exp(a - a.max()) / np.exp(a - a.max()).sum()),
        ("the sum runs over all entries: it runs along the last axis, so that each row sums to 1",
         lambda a: np.exp(a - a.max(-1, keepdims=True)) / np.exp(a - a.max(-1, keepdims=True)).sum()),
        ("the sum runs along the first axis: it runs along the last, so that each row sums to 1",
         lambda a: np.exp(a - a.max(0)) / np.exp(a - a.max(0)).sum(0)),
        ("it is not divided by its sum: each row must sum to 1", lambda a: np.exp(a)),
        ("it is not divided by its sum: each row must sum to 1", lambda a: np.exp(a - a.max(-1, keepdims=True))),
        ("this is σ(a), entry by entry", lambda a: sigmoid(a)),
        ("this is the logarithm of the softmax", lambda a: log_softmax(a)),
        ("the exponent's sign is wrong: it is e^a", lambda a: softmax(-a)),
        ("e^a is left out: it is a / Σ a here", lambda a: a / a.sum(-1, keepdims=True)),
    ],
    "log_softmax": [
        ("the logarithm is left out: this is the softmax", lambda a: softmax(a)),
        ("the sum runs over all entries: it runs along the last axis",
         lambda a: a - a.max() - np.log(np.exp(a - a.max()).sum())),
        ("the sum runs along the first axis: it runs along the last",
         lambda a: a - a.max(0) - np.log(np.exp(a - a.max(0)).sum(0))),
        ("the logarithm of the sum is left out", lambda a: a - a.max(-1, keepdims=True)),
        ("the logarithm of the sum is added: it is subtracted", lambda a: 2 * a - log_softmax(a)),
        ("the largest entry was subtracted inside the sum alone: subtract it from a as well",
         lambda a: log_softmax(a) + a.max(-1, keepdims=True)),
    ],
    "cross_entropy_forward": [
        ("the sum is not divided by T N: the loss is a mean over all tokens",
         lambda logits, targets: surprisals(logits, targets).sum()),
        ("the sum is divided by N alone: the loss is a mean over all T N tokens",
         lambda logits, targets: surprisals(logits, targets).sum() / targets.shape[1]),
        ("the sum is divided by T alone: the loss is a mean over all T N tokens",
         lambda logits, targets: surprisals(logits, targets).sum() / targets.shape[0]),
        ("the mean runs over the vocabulary too: it is divided by T N V, and should be by T N",
         lambda logits, targets: surprisals(logits, targets).mean() / logits.shape[-1]),
        ("the sign is wrong: the loss is -log y, above 0",
         lambda logits, targets: -surprisals(logits, targets).mean()),
        ("the logarithm is left out: this is the mean of y, with a minus sign",
         lambda logits, targets: -probabilities(logits, targets).mean()),
        ("the logarithm is left out: this is the mean of y",
         lambda logits, targets: probabilities(logits, targets).mean()),
        ("the logarithm is to base 2: the loss is in nats, by the natural logarithm",
         lambda logits, targets: surprisals(logits, targets).mean() / np.log(2)),
        ("the logarithm is to base 10: the loss is in nats, by the natural logarithm",
         lambda logits, targets: surprisals(logits, targets).mean() / np.log(10)),
        ("the logarithm is taken of the mean: it is the logarithms that are averaged",
         lambda logits, targets: -np.log(probabilities(logits, targets).mean())),
        ("the softmax is left out: this is the mean of the targets' logits, with a minus sign",
         lambda logits, targets: -np.take_along_axis(logits, targets[..., None], -1).mean()),
    ],
    "affine_forward": [
        ("the bias b is left out", lambda x, W: x @ W),
        ("the bias b is subtracted", lambda x, W, b: x @ W - b),
        ("the product x W is left out", lambda x, W, b: np.zeros((*x.shape[:-1], W.shape[1])) + b),
    ],
    "clip_by_global_norm": [
        (EACH, lambda gradients, max_norm: clipped_each(gradients, max_norm)),
        (f"{EACH}; the norm that is returned is the last array's",
         lambda gradients, max_norm: clipped_each(gradients, max_norm, last=True)),
        ("gradients are scaled up too: where the norm is below max_norm they stay as they are", always_scaled),
        ("the root is left out: this is the norm's square", square_norm),
        ("the norm that is returned is that of the clipped gradients: return the one before clipping", norm_after),
        ("the norm is the sum of the arrays' norms: it is the root of the sum of all their squares", sum_of_norms),
        ("the norm is a sum of absolute values: it is the root of the sum of squares", absolute_norm),
    ],
    "clip_by_value": [
        ("entries below -limit are left as they are", lambda gradients, limit: value_clipped(
            gradients, lambda g: np.minimum(g, limit))),
        ("entries above limit are left as they are", lambda gradients, limit: value_clipped(
            gradients, lambda g: np.maximum(g, -limit))),
        ("each array is scaled until its largest entry is the limit: only entries beyond the limit change",
         lambda gradients, limit: value_clipped(gradients, lambda g: g * min(1, limit / np.abs(g).max()))),
        ("entries beyond the limit become 0: they become the limit, with their sign",
         lambda gradients, limit: value_clipped(gradients, lambda g: g * (np.abs(g) <= limit))),
    ],
}  # fmt: skip
