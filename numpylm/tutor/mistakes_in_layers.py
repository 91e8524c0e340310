"""What people write in a layer, a loss, an activation or clipping, forward and backward, in place of the right line.

The rows are (right piece, wrong piece, what is wrong), as mistakes.py says.
"""

SIGMOID, TANH, RELU = "0.5 * (1 + np.tanh(0.5 * a))", "np.tanh(a)", "np.maximum(a, 0)"
ROW_SUM, ROW_MAX = "e.sum(axis=-1, keepdims=True)", "a.max(axis=-1, keepdims=True)"
SOFTMAX, LOG_SOFTMAX = f"e / {ROW_SUM}", "shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))"
SOFTMAX_DA, DZ_SUM = "y * (dy - (y * dy).sum(axis=-1, keepdims=True))", "dz.sum(axis=-1, keepdims=True)"
MEAN, AT_TARGET = "nats[predicted].mean().item()", "target_entries(y, targets)[predicted]"
ONE_HOT, Y_OVER_M = "dlogits[t, n, targets[t, n]] -= 1 / M", "np.divide(y, M, out=y if overwrite else None)"
NORM, SCALED, CLIP = "norm = global_norm(gradients)", "gradient * (max_norm / norm)", "np.clip(gradient, -limit, limit)"
CLIPPED = f"{SCALED} for name, gradient in gradients.items()}}, norm"
OVER_ALL = "the sum runs over all entries: it runs along the last axis, so that each row sums to 1"
FIRST_AXIS = "the sum runs along the first axis: it runs along the last, so that each row sums to 1"
NOT_DIVIDED, EACH = "it is not divided by its sum: each row must sum to 1", "each array is clipped by its own norm"

BACKWARD = {
    "affine_backward": [
        ("dy_rows.sum(axis=0)", "dy_rows.mean(axis=0)", "b meets every row: a sum, not a mean"),
        ("dy_rows.sum(axis=0)", "dy_rows[-1]", "the sum over rows is overwritten: only one is left"),
        ("rows(x).T @ dy_rows", "rows(x).T @ dy_rows / len(dy_rows)", "W meets every row: a sum, not a mean"),
        ("rows(x).T @ dy_rows", "rows(x)[-1:].T @ dy_rows[-1:]", "the sum over rows is overwritten: only one is left"),
    ],
    "embedding_backward": [
        ("dE[v] += dx_t", "dE[v] = dx_t", "the gradient of a token that occurs twice is assigned, not added"),
        ("dE[v] += dx_t", "dE[v] = dE[v] if dE[v].any() else dx_t", "only a token's first occurrence counts"),
    ],
    "cross_entropy_backward": [
        ("M = t.size", "M = targets.shape[1]", "dlogits: it is divided by N only: the loss is a mean over all tokens"),
        ("M = t.size", "M = targets.shape[0]", "dlogits: it is divided by T only: the loss is a mean over all tokens"),
        ("M = t.size", "M = targets.size", "dlogits: it is divided by T·N, which counts the targets of -1 too"),
        ("M = t.size", "M = 1", "dlogits: the loss is a mean, and its gradient that of the sum"),
        (Y_OVER_M, "np.where(np.arange(y.shape[-1]) == targets[..., None], y / M, 0)",
         "the softmax Jacobian's off-diagonal terms are missing: only the target's logit moves"),
        ("del y, trace  #", "#", "return dlogits", "return dlogits * y * (1 - y)",
         "it is multiplied by y (1 - y), σ's derivative, too: y - onehot(target) is through the softmax already"),
        (ONE_HOT, "dlogits[t, n, targets[t, n]] = -1 / (M * M * dlogits[t, n, targets[t, n]])\n"
         "    dlogits[np.arange(dlogits.shape[-1]) != targets[..., None]] = 0",
         "this is the gradient with respect to the probabilities y, not to the logits"),
        (ONE_HOT, "pass", "the one-hot target is not subtracted"),
        (ONE_HOT, "dlogits[t, n, targets[t, n]] -= 1", "y is divided by M, and the one-hot target is not"),
        (Y_OVER_M, "y.copy()", "the one-hot target is divided by M, and y is not"),
        ("return dlogits", "return -dlogits", "the sign: it is y minus the one-hot target"),
        ("dlogits[targets == IGNORED] = 0", "pass", "a target of -1 is not predicted: its logits get no gradient"),
    ],
    "tanh_backward": [("dy * (1 - y * y)", "dy * (1 - y)", "y is not squared")],
    "relu_backward": [
        ("dy * (y > 0)", "dy", "ReLU's derivative is left out (y >= 0 leaves it out too: no y is below 0)"),
        ("dy * (y > 0)", "dy * (y <= 0)", "the derivative is taken from the wrong side"),
        ("dy * (y > 0)", "np.maximum(dy, 0)", "the sign of the forward value decides, not the gradient's"),
    ],
    "softmax_backward": [
        (SOFTMAX_DA, "y * (1 - y) * dy",
         "the off-diagonal terms of the softmax's Jacobian are missing: this is σ's derivative"),
        (SOFTMAX_DA, "y * dy", "the sum over the vocabulary is left out"),
    ],
    "log_softmax_backward": [
        (f"dz - np.exp(z) * {DZ_SUM}", "dz", "the term e^z_v times the sum of dz is left out"),
        (DZ_SUM, "dz", "the sum is left out: e^z_v multiplies the sum of dz over the vocabulary, not dz_v alone"),
        (DZ_SUM, "1", "the sum of dz over the vocabulary is left out: it multiplies e^z_v"),
        ("np.exp(z)", "z", "z is the logarithm of the softmax, and e^z belongs here"),
    ],
}  # fmt: skip

FORWARD = {
    "sigmoid": [
        (SIGMOID, "1 / (1 + np.exp(a))", "the exponent's sign is wrong: it is e^-a, not e^a"),
        (SIGMOID, "1 / (1 - np.exp(-a))", "the sign in the denominator is wrong: it is 1 + e^-a"),
        (SIGMOID, TANH, "this is tanh(a); σ(a) runs from 0 to 1"),
        (SIGMOID, f"{SIGMOID} * (1 - {SIGMOID})", "this is the derivative, s (1 - s)"),
    ],
    "tanh": [
        (TANH, SIGMOID, "this is σ(a); tanh(a) runs from -1 to 1"),
        (TANH, "np.tanh(a / 2)", "this is tanh(a/2), which is 2 σ(a) - 1; tanh(a) is 2 σ(2a) - 1"),
        (TANH, "np.tan(a)", "this is the tangent, np.tan; the hyperbolic tangent is np.tanh"),
        (TANH, "1 - np.tanh(a) ** 2", "this is the derivative, 1 - y²"),
    ],
    "relu": [
        (RELU, f"{RELU}.astype(int)", "y is cut to whole numbers: is it of an integer dtype?"),
        (RELU, "np.abs(a)", "this is |a|: where a is below 0, y is 0"),
        (RELU, "np.minimum(a, 0)", "this is min(a, 0): y is the larger of a and 0"),
        (RELU, "(a > 0).astype(float)", "this is the derivative, 1 where a > 0"),
        (RELU, "a", "a is returned as it is: where a is below 0, y is 0"),
    ],
    "softmax": [
        (ROW_SUM, "e.sum()", OVER_ALL),
        (ROW_MAX, "a.max()", ROW_SUM, "e.sum()", OVER_ALL),
        (ROW_MAX, "a.max()", ROW_SUM, "e.sum(axis=0)", FIRST_AXIS),
        (ROW_MAX, "0", SOFTMAX, "e", NOT_DIVIDED),
        (SOFTMAX, "e", NOT_DIVIDED),
        (SOFTMAX, SIGMOID, "this is σ(a), entry by entry"),
        (SOFTMAX, f"np.log({SOFTMAX})", "this is the logarithm of the softmax"),
    ],
    "log_softmax": [
        (LOG_SOFTMAX, f"np.exp({LOG_SOFTMAX})", "the logarithm is left out: this is the softmax"),
        (LOG_SOFTMAX, "a - a.max() - np.log(np.exp(a - a.max()).sum())", OVER_ALL),
        (LOG_SOFTMAX, "a - a.max(0) - np.log(np.exp(a - a.max(0)).sum(0))", FIRST_AXIS),
        (LOG_SOFTMAX, "shifted", "the logarithm of the sum is left out"),
        (LOG_SOFTMAX, f"{LOG_SOFTMAX} + {ROW_MAX}", "subtract the largest entry from a too, not inside the sum alone"),
    ],
    "cross_entropy_forward": [
        (MEAN, "nats[predicted].sum()", "loss: the sum is not divided by T N: the loss is a mean over all tokens"),
        (MEAN, "nats[predicted].sum() / targets.shape[1]", "loss: the sum is divided by N alone, not by T N"),
        (MEAN, "nats[predicted].sum() / targets.shape[0]", "loss: the sum is divided by T alone, not by T N"),
        (MEAN, "nats[predicted].mean() / y.shape[-1]", "loss: the mean runs over the vocabulary too: divide by T N"),
        (MEAN, "-nats[predicted].mean()", "loss: the sign is wrong: the loss is -log y, above 0"),
        (MEAN, f"-{AT_TARGET}.mean()", "loss: the logarithm is left out: this is the mean of -y"),
        (MEAN, f"{AT_TARGET}.mean()", "loss: the logarithm is left out: this is the mean of y"),
        (MEAN, "nats[predicted].mean() / np.log(2)", "loss: the logarithm is to base 2: take the natural logarithm"),
        (MEAN, f"-np.log({AT_TARGET}.mean())", "loss: this is the logarithm of a mean: it is the mean of logarithms"),
        *[(MEAN, f"-np.log({floored}).mean()",
           f"loss: y has a floor of 1e-{k} before its logarithm (it is clipped, or an ε is added), so that no loss "
           f"exceeds {k * 2.302585:.1f} nats: compute log y from the logits, as a - max a - log Σ e^(a - max a)")
          for k in range(5, 17) for floored in (f"({AT_TARGET} + 1e-{k})", f"np.maximum({AT_TARGET}, 1e-{k})")],
    ],
    "affine_forward": [
        ("y += b", "pass", "the bias b is left out"),
        ("y += b", "y -= b", "the bias b is subtracted"),
    ],
    "clip_by_global_norm": [
        (CLIPPED, CLIPPED.replace("norm / norm)", "norm / max(max_norm, array_norm(gradient)))"),
         f"{EACH}: the global norm is one number, of all arrays together"),
        ("norm <= max_norm or ", "", "gradients are scaled up too: below max_norm they stay as they are"),
        (NORM, f"{NORM} ** 2", "the root is left out: this is the norm's square"),
        (CLIPPED, CLIPPED.replace("}, norm", "}, max_norm"), "return the norm before clipping, not the one after it"),
        (NORM, "norm = sum(map(array_norm, gradients.values()))",
         "the norm is the sum of the arrays' norms: it is the root of the sum of all their squares"),
    ],
    "clip_by_value": [
        (CLIP, "np.minimum(gradient, limit)", "entries below -limit are left as they are"),
        (CLIP, "np.maximum(gradient, -limit)", "entries above limit are left as they are"),
        (CLIP, "gradient * min(1, limit / np.abs(gradient).max())",
         "each array is scaled until its largest entry is the limit: only entries beyond the limit change"),
        (CLIP, "gradient * (np.abs(gradient) <= limit)", "entries beyond the limit become 0: they become the limit"),
    ],
}  # fmt: skip
LAYERS = {**BACKWARD, **FORWARD}
