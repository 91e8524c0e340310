"""What people write in a layer, a loss, an activation or clipping, forward and backward, in place of the right line.

The rows are (right piece, wrong piece, what is wrong), as mistakes.py says.
"""

SOFTMAX_SUM = "(y * dy).sum(axis=-1, keepdims=True)"
SIGMOID, RELU = "0.5 * (1 + np.tanh(0.5 * a))", "np.maximum(a, 0)"
LOG_SUM = "shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))"
NATS, MEAN = "np.log(total[..., 0]) - log_at_target", "nats[predicted].mean().item()"
Y_AT_TARGET = "target_entries(y, targets)"
TARGET = "dlogits[t, n, targets[t, n]] -= 1 / M"
Y_OVER_M = "np.divide(y, M, out=y if overwrite else None)"
NORM, SCALE = "norm = global_norm(gradients)", "gradient * (max_norm / norm)"
RETURN_CLIPPED = "return {name: gradient * (max_norm / norm) for name, gradient in gradients.items()}, norm"
EACH = "each array is clipped by its own norm: the global norm is one number, of all arrays together"
OVER_ALL = "the sum runs over all entries: it runs along the last axis, so that each row sums to 1"

LAYERS = {
    "affine_backward": [
        ("dy_rows.sum(axis=0)", "dy_rows.mean(axis=0)", "b meets every row: a sum, not a mean"),
        ("dy_rows.sum(axis=0)", "dy_rows[-1]", "the sum over rows is overwritten: only one is left"),
        ("dy_rows.sum(axis=0)", "dy_rows", "the bias's gradient is not summed over the batch"),
        ("rows(x).T @ dy_rows", "rows(x).T @ dy_rows / len(dy_rows)", "W meets every row: a sum, not a mean"),
        ("rows(x).T @ dy_rows", "rows(x)[-1:].T @ dy_rows[-1:]", "the sum over rows is overwritten: only one is left"),
    ],
    "embedding_backward": [
        ("dE[v] += dx_t", "dE[v] = dx_t", "the gradient of a token that occurs twice is assigned, not added"),
        ("dE[v] += dx_t", "dE[v] = dE[v] if dE[v].any() else dx_t",
         "only a token's first occurrence counts: every one adds its dx_t"),
        ("return dE", "return dE / np.maximum(np.bincount(tokens.ravel(), minlength=vocab_size), 1)[:, None]",
         "a token's occurrences are averaged, not added"),
    ],
    "cross_entropy_backward": [
        ("M = t.size", "M = targets.shape[1]",
         "dlogits: the loss is averaged over all predicted tokens, the gradient over the batch N only"),
        ("M = t.size", "M = targets.shape[0]",
         "dlogits: the loss is averaged over all predicted tokens, the gradient over the time steps T only"),
        ("M = t.size", "M = targets.size",
         "dlogits: the gradient is divided by T·N, which counts the targets of -1 too"),
        ("M = t.size", "M = 1", "dlogits: the loss is a mean, and its gradient that of the sum"),
        ("M = t.size", "M = y.size", "dlogits: the gradient is divided by T·N·V: the loss is no mean over V"),
        (Y_OVER_M, "np.where(np.arange(y.shape[-1]) == targets[..., None], y / M, 0)",
         "the softmax Jacobian's off-diagonal terms are missing: only the target's logit moves"),
        ("del y, trace  # a name whose array is overwritten goes", "pass", "return dlogits", "return dlogits * y * (1 - y)",
         "it is multiplied by y (1 - y), σ's derivative, too: y - onehot(target) is through the softmax already"),
        (TARGET, "dlogits[t, n, targets[t, n]] = -1 / (M * M * dlogits[t, n, targets[t, n]])\n"
         "    dlogits[np.arange(dlogits.shape[-1]) != targets[..., None]] = 0",
         "this is the gradient with respect to the probabilities y, not to the logits"),
        (TARGET, "pass", "the one-hot target is not subtracted"),
        (TARGET, "dlogits[t, n, targets[t, n]] -= 1", "y is divided by M, and the one-hot target is not"),
        (Y_OVER_M, "y.copy()", "the one-hot target is divided by M, and y is not"),
        ("return dlogits", "return -dlogits", "the sign: it is y minus the one-hot target"),
        ("dlogits[targets == IGNORED] = 0", "pass", "a target of -1 is not predicted: its logits get no gradient"),
    ],
    "sigmoid_backward": [
        ("ds * s * (1 - s)", "ds * sigmoid(s) * (1 - sigmoid(s))", "σ was applied a second time, to its own output s"),
        ("ds * s * (1 - s)", "ds * sigmoid(s)", "σ was applied to s; its derivative s (1 - s) belongs there"),
        ("ds * s * (1 - s)", "ds", "the derivative of the sigmoid is left out"),
        ("ds * s * (1 - s)", "ds * (1 - s * s)", "this is tanh's derivative"),
        ("ds * s * (1 - s)", "ds * (1 - s)", "the factor s is left out"),
        ("ds * s * (1 - s)", "ds * s", "the factor 1 - s is left out"),
        ("ds * s * (1 - s)", "ds / (s * (1 - s))", "ds is divided by the derivative, not multiplied by it"),
    ],
    "tanh_backward": [
        ("dy * (1 - y * y)", "dy * (1 - tanh(y) ** 2)", "tanh is applied twice: y went through it already"),
        ("dy * (1 - y * y)", "dy", "the derivative of tanh is left out"),
        ("dy * (1 - y * y)", "dy * y * (1 - y)", "this is the sigmoid's derivative"),
        ("dy * (1 - y * y)", "dy * (1 - y)", "y is not squared"),
        ("dy * (1 - y * y)", "dy - y * y", "a bracket is lost: dy multiplies the whole of 1 - y²"),
        ("dy * (1 - y * y)", "dy / (1 - y * y)", "dy is divided by the derivative, not multiplied by it"),
        ("dy * (1 - y * y)", "dy * (y * y - 1)", "the sign: tanh' is positive"),
    ],
    "relu_backward": [
        ("dy * (y > 0)", "dy", "ReLU's derivative is left out (y >= 0 leaves it out too: no y is below 0)"),
        ("dy * (y > 0)", "dy * (y <= 0)", "the derivative is taken from the wrong side"),
        ("dy * (y > 0)", "np.maximum(dy, 0)", "the sign of the forward value decides, not the gradient's"),
    ],
    "softmax_backward": [
        (f"y * (dy - {SOFTMAX_SUM})", "y * (1 - y) * dy",
         "the off-diagonal terms of the softmax's Jacobian are missing: this is σ's derivative"),
        (f"y * (dy - {SOFTMAX_SUM})", "y * dy", "the sum over the vocabulary is left out"),
    ],
    "log_softmax_backward": [
        ("dz - np.exp(z) * dz.sum(axis=-1, keepdims=True)", "dz",
         "log Σ_u e^a_u depends on every logit: its term, e^z_v times the sum of dz, is left out"),
        ("dz.sum(axis=-1, keepdims=True)", "dz",
         "the sum is left out: e^z_v multiplies the sum of dz over the vocabulary, not dz_v alone"),
        ("dz.sum(axis=-1, keepdims=True)", "1", "the sum of dz over the vocabulary is left out: it multiplies e^z_v"),
        ("np.exp(z)", "z", "z is the logarithm of the softmax, and e^z belongs here"),
    ],
    "sigmoid": [
        (SIGMOID, "1 / (1 + np.exp(a))", "the exponent's sign is wrong: it is e^-a, not e^a"),
        (SIGMOID, "1 / (1 - np.exp(-a))", "the sign in the denominator is wrong: it is 1 + e^-a"),
        (SIGMOID, "np.tanh(a)", "this is tanh(a); σ(a) runs from 0 to 1"),
        (SIGMOID, "np.exp(a) / (1 + np.exp(-a))", "the minus sign of the exponent is left out, above the line alone"),
        (SIGMOID, f"{SIGMOID} * (1 - {SIGMOID})", "this is the derivative, s (1 - s)"),
    ],
    "tanh": [
        ("np.tanh(a)", SIGMOID, "this is σ(a); tanh(a) runs from -1 to 1"),
        ("np.tanh(a)", RELU, "this is ReLU, max(a, 0)"),
        ("np.tanh(a)", "np.tanh(a / 2)", "this is tanh(a/2), which is 2 σ(a) - 1; tanh(a) is 2 σ(2a) - 1"),
        ("np.tanh(a)", "np.tan(a)", "this is the tangent, np.tan; the hyperbolic tangent is np.tanh"),
        ("np.tanh(a)", "1 - np.tanh(a) ** 2", "this is the derivative, 1 - y²"),
    ],
    "relu": [
        (RELU, "np.maximum(a, 0).astype(int)", "y is cut to whole numbers: is it of an integer dtype?"),
        (RELU, "np.abs(a)", "this is |a|: where a is below 0, y is 0"),
        (RELU, "np.minimum(a, 0)", "this is min(a, 0): y is the larger of a and 0"),
        (RELU, "(a > 0).astype(float)", "this is the derivative, 1 where a > 0"),
        (RELU, "a", "a is returned as it is: where a is below 0, y is 0"),
    ],
    "softmax": [
        ("e.sum(axis=-1, keepdims=True)", "e.sum()", OVER_ALL),
        ("a.max(axis=-1, keepdims=True)", "a.max()", "e.sum(axis=-1, keepdims=True)", "e.sum()", OVER_ALL),
        ("a.max(axis=-1, keepdims=True)", "a.max()", "e.sum(axis=-1, keepdims=True)", "e.sum(axis=0)",
         "the sum runs along the first axis: it runs along the last, so that each row sums to 1"),
        ("a.max(axis=-1, keepdims=True)", "0", "e / e.sum(axis=-1, keepdims=True)", "e",
         "it is not divided by its sum: each row must sum to 1"),
        ("e / e.sum(axis=-1, keepdims=True)", "e", "it is not divided by its sum: each row must sum to 1"),
        ("e / e.sum(axis=-1, keepdims=True)", "1 / (1 + np.exp(-a))", "this is σ(a), entry by entry"),
        ("e / e.sum(axis=-1, keepdims=True)", "np.log(e / e.sum(axis=-1, keepdims=True))",
         "this is the logarithm of the softmax"),
        ("np.exp(a - a.max(axis=-1, keepdims=True))", "np.exp(a.min(axis=-1, keepdims=True) - a)",
         "the exponent's sign is wrong: it is e^a"),
        ("e / e.sum(axis=-1, keepdims=True)", "a / a.sum(axis=-1, keepdims=True)",
         "e^a is left out: it is a / Σ a here"),
    ],
    "log_softmax": [
        (LOG_SUM, f"np.exp({LOG_SUM})", "the logarithm is left out: this is the softmax"),
        (LOG_SUM, "a - a.max() - np.log(np.exp(a - a.max()).sum())",
         "the sum runs over all entries: it runs along the last axis"),
        (LOG_SUM, "a - a.max(0) - np.log(np.exp(a - a.max(0)).sum(0))",
         "the sum runs along the first axis: it runs along the last"),
        (LOG_SUM, "shifted", "the logarithm of the sum is left out"),
        (LOG_SUM, f"2 * a - ({LOG_SUM})", "the logarithm of the sum is added: it is subtracted"),
        (LOG_SUM, f"{LOG_SUM} + a.max(axis=-1, keepdims=True)",
         "the largest entry was subtracted inside the sum alone: subtract it from a as well"),
    ],
    "cross_entropy_forward": [
        (MEAN, "nats[predicted].sum()", "loss: the sum is not divided by T N: the loss is a mean over all tokens"),
        (MEAN, "nats[predicted].sum() / targets.shape[1]",
         "loss: the sum is divided by N alone: the loss is a mean over all T N tokens"),
        (MEAN, "nats[predicted].sum() / targets.shape[0]",
         "loss: the sum is divided by T alone: the loss is a mean over all T N tokens"),
        (MEAN, "nats[predicted].mean() / y.shape[-1]",
         "loss: the mean runs over the vocabulary too: it is divided by T N V, and should be by T N"),
        (MEAN, "-nats[predicted].mean()", "loss: the sign is wrong: the loss is -log y, above 0"),
        (MEAN, f"-{Y_AT_TARGET}.mean()", "loss: the logarithm is left out: this is the mean of y, with a minus sign"),
        (MEAN, f"{Y_AT_TARGET}.mean()", "loss: the logarithm is left out: this is the mean of y"),
        (MEAN, "nats[predicted].mean() / np.log(2)",
         "loss: the logarithm is to base 2: the loss is in nats, by the natural logarithm"),
        (MEAN, "nats[predicted].mean() / np.log(10)",
         "loss: the logarithm is to base 10: the loss is in nats, by the natural logarithm"),
        (MEAN, f"-np.log({Y_AT_TARGET}.mean())",
         "loss: this is the logarithm of a mean: the loss is the mean of logarithms"),
        (MEAN, "-(log_at_target + largest[..., 0]).mean()",
         "loss: the softmax is left out: this is the mean of the targets' logits, with a minus sign"),
        *[(MEAN, f"-np.log({floored}).mean()",
           f"loss: y has a floor of 1e-{k} before its logarithm (it is clipped, or an ε is added), so that no loss "
           f"exceeds {k * 2.302585:.1f} nats: compute log y from the logits, as a - max a - log Σ e^(a - max a)")
          for k in range(5, 17) for floored in (f"({Y_AT_TARGET} + 1e-{k})", f"np.maximum({Y_AT_TARGET}, 1e-{k})")],
    ],
    "affine_forward": [
        ("y += b", "pass", "the bias b is left out"),
        ("y += b", "y -= b", "the bias b is subtracted"),
        ("rows(x) @ W", "0 * rows(x) @ W", "the product x W is left out"),
    ],
    "clip_by_global_norm": [
        (SCALE, "gradient * min(1, max_norm / array_norm(gradient))", EACH),
        (RETURN_CLIPPED, "norms = {name: array_norm(g) for name, g in gradients.items()}\n    return "
         "{name: g * min(1, max_norm / norms[name]) for name, g in gradients.items()}, list(norms.values())[-1]",
         f"{EACH}; the norm that is returned is the last array's"),
        ("norm <= max_norm or ", "", "gradients are scaled up too: where the norm is below max_norm they stay as they are"),
        (NORM, "norm = global_norm(gradients) ** 2", "the root is left out: this is the norm's square"),
        (f"{SCALE} for name, gradient in gradients.items()}}, norm",
         f"{SCALE} for name, gradient in gradients.items()}}, max_norm",
         "the norm that is returned is that of the clipped gradients: return the one before clipping"),
        (NORM, "norm = sum(map(array_norm, gradients.values()))",
         "the norm is the sum of the arrays' norms: it is the root of the sum of all their squares"),
        (NORM, "norm = sum(np.abs(g).sum() for g in gradients.values())",
         "the norm is a sum of absolute values: it is the root of the sum of squares"),
    ],
    "clip_by_value": [
        ("np.clip(gradient, -limit, limit)", "np.minimum(gradient, limit)",
         "entries below -limit are left as they are"),
        ("np.clip(gradient, -limit, limit)", "np.maximum(gradient, -limit)", "entries above limit are left as they are"),
        ("np.clip(gradient, -limit, limit)", "gradient * min(1, limit / np.abs(gradient).max())",
         "each array is scaled until its largest entry is the limit: only entries beyond the limit change"),
        ("np.clip(gradient, -limit, limit)", "gradient * (np.abs(gradient) <= limit)",
         "entries beyond the limit become 0: they become the limit, with their sign"),
    ],
}  # fmt: skip
