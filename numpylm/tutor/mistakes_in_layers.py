"""What people write in the backward of a layer or an activation, in place of the right line.

The rows are (correct, faulty, equation, quantity, why), as mistakes.py says.
"""

from numpylm.tutor.mistakes import step_mistakes

AFFINE = step_mistakes(
    "affine_backward",
    ("dy_rows.sum(axis=0)", "dy_rows.mean(axis=0)", "(2), (9)", "db", "b meets every row: a sum, not a mean"),
    ("dy_rows.sum(axis=0)", "dy_rows[-1]", "(2), (9)", "db", "the sum over rows is overwritten: only one is left"),
    ("dy_rows.sum(axis=0)", "dy_rows", "(2), (9)", "db", "the bias's gradient is not summed over the batch"),
    ("rows(x).T @ dy_rows", "rows(x).T @ dy_rows / len(dy_rows)", "(2), (9)", "dW",
     "W meets every row: a sum, not a mean"),
    ("rows(x).T @ dy_rows", "rows(x)[-1:].T @ dy_rows[-1:]", "(2), (9)", "dW",
     "the sum over rows is overwritten: only one is left"),
)  # fmt: skip


EMBEDDING = step_mistakes(
    "embedding_backward",
    ("dE[v] += dx_t", "dE[v] = dx_t", "x_t = E[token_t]", "dE",
     "the gradient of a token that occurs twice is assigned, not added"),
    ("dE[v] += dx_t", "dE[v] = dE[v] if dE[v].any() else dx_t", "x_t = E[token_t]", "dE",
     "only a token's first occurrence counts: every one adds its dx_t"),
    ("return dE", "return dE / np.maximum(np.bincount(tokens.ravel(), minlength=vocab_size), 1)[:, None]",
     "x_t = E[token_t]", "dE", "a token's occurrences are averaged, not added"),
)  # fmt: skip


CROSS_ENTROPY = step_mistakes(
    "cross_entropy_backward",
    ("M = t.size", "M = targets.shape[1]", "(2), (9)", "dlogits",
     "the loss is averaged over all predicted tokens, the gradient over the batch N only"),
    ("M = t.size", "M = targets.shape[0]", "(2), (9)", "dlogits",
     "the loss is averaged over all predicted tokens, the gradient over the time steps T only"),
    ("M = t.size", "M = targets.size", "(2), (9)", "dlogits",
     "the gradient is divided by T·N, which counts the targets of -1 too"),
    ("M = t.size", "M = 1", "(2), (9)", "dlogits", "the loss is a mean, and its gradient that of the sum"),
    ("dlogits = np.divide(y, M, out=out)",
     "dlogits = np.zeros_like(y)\n    dlogits[t, n, targets[t, n]] = y[t, n, targets[t, n]] / M",
     "(2), (9)", "dlogits", "the softmax Jacobian's off-diagonal terms are forgotten: only the target's logit moves"),
    ("dlogits[t, n, targets[t, n]] -= 1 / M", "dlogits[t, n, targets[t, n]] = -1 / (M * y[t, n, targets[t, n]])\n"
     "    dlogits[np.arange(y.shape[-1]) != targets[..., None]] = 0",
     "(2), (9)", "dlogits", "this is the gradient with respect to the probabilities y, not to the logits"),
    ("dlogits[t, n, targets[t, n]] -= 1 / M", "pass", "(2), (9)", "dlogits", "the one-hot target is not subtracted"),
    ("dlogits[t, n, targets[t, n]] -= 1 / M", "dlogits[t, n, targets[t, n]] -= 1", "(2), (9)", "dlogits",
     "y is divided by M, and the one-hot target is not"),
    ("dlogits = np.divide(y, M, out=out)", "dlogits = y.copy()", "(2), (9)", "dlogits",
     "the one-hot target is divided by M, and y is not"),
    ("return dlogits", "return -dlogits", "(2), (9)", "dlogits", "the sign: it is y minus the one-hot target"),
    ("dlogits[targets == IGNORED] = 0", "pass", "(2), (9)", "dlogits",
     "a target of -1 is not predicted: its logits get no gradient"),
)  # fmt: skip


ACTIVATIONS = (
    *step_mistakes(
        "sigmoid_backward",
        ("ds * s * (1 - s)", "ds * sigmoid(s) * (1 - sigmoid(s))", "s' = s (1 - s)", "da",
         "the sigmoid is applied to its own output as if it were its input"),
        ("ds * s * (1 - s)", "ds", "s' = s (1 - s)", "da", "the derivative of the sigmoid is left out"),
        ("ds * s * (1 - s)", "ds * (1 - s * s)", "s' = s (1 - s)", "da", "this is tanh's derivative"),
        ("ds * s * (1 - s)", "ds * (1 - s)", "s' = s (1 - s)", "da", "the factor s is left out"),
        ("ds * s * (1 - s)", "ds * s", "s' = s (1 - s)", "da", "the factor 1 - s is left out"),
    ),
    *step_mistakes(
        "tanh_backward",
        ("dy * (1 - y * y)", "dy * (1 - tanh(y) ** 2)", "tanh' = 1 - y²", "da",
         "tanh is applied twice: y went through it already"),
        ("dy * (1 - y * y)", "dy", "tanh' = 1 - y²", "da", "the derivative of tanh is left out"),
        ("dy * (1 - y * y)", "dy * y * (1 - y)", "tanh' = 1 - y²", "da", "this is the sigmoid's derivative"),
        ("dy * (1 - y * y)", "dy * (1 - y)", "tanh' = 1 - y²", "da", "y is not squared"),
        ("dy * (1 - y * y)", "dy * (y * y - 1)", "tanh' = 1 - y²", "da", "the sign: tanh' is positive"),
    ),
    *step_mistakes(
        "relu_backward",
        ("dy * (y > 0)", "dy", "relu' = 1 where y > 0", "da",
         "ReLU's derivative is left out (y >= 0 leaves it out too: no y is below 0)"),
        ("dy * (y > 0)", "dy * (y <= 0)", "relu' = 1 where y > 0", "da", "the derivative is taken from the wrong side"),
        ("dy * (y > 0)", "np.maximum(dy, 0)", "relu' = 1 where y > 0", "da",
         "it is the forward value's sign that decides, not the gradient's"),
    ),
    *step_mistakes(
        "softmax_backward",
        ("y * (dy - (y * dy).sum(axis=-1, keepdims=True))", "y * (1 - y) * dy", "da_v = y_v (dy_v - Σ_u y_u dy_u)",
         "da", "the off-diagonal terms of the softmax's Jacobian are forgotten"),
        ("y * (dy - (y * dy).sum(axis=-1, keepdims=True))", "y * dy", "da_v = y_v (dy_v - Σ_u y_u dy_u)", "da",
         "the sum over the vocabulary is left out"),
    ),
    *step_mistakes(
        "log_softmax_backward",
        ("dz - np.exp(z) * dz.sum(axis=-1, keepdims=True)", "dz", "da_v = dz_v - softmax(a)_v Σ_u dz_u", "da",
         "what the logarithm's argument is divided by depends on every logit: that term is left out"),
        ("dz.sum(axis=-1, keepdims=True)", "dz", "da_v = dz_v - softmax(a)_v Σ_u dz_u", "da",
         "the sum is left out: e^z_v multiplies the sum of dz over the vocabulary, not dz_v alone"),
        ("dz.sum(axis=-1, keepdims=True)", "1", "da_v = dz_v - softmax(a)_v Σ_u dz_u", "da",
         "the sum of dz over the vocabulary is left out: it multiplies e^z_v"),
        ("np.exp(z)", "z", "da_v = dz_v - softmax(a)_v Σ_u dz_u", "da", "z is the logarithm of the softmax"),
    ),
)  # fmt: skip
