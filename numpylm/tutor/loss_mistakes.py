"""Mistakes in the loss's gradient at the logits, which the gradients of W_y and b_y show in any layout."""

import numpy as np

from numpylm.proof.evidence import same
from numpylm.tutor.layouts import theirs

DIAGONAL = "the softmax's derivative is taken for σ's: the Jacobian's off-diagonal terms are missing"


def loss_words(unit, fit, claims):
    """A list with the sentence on a wrong gradient at the logits, where W_y's or b_y's gradient shows which it is."""
    shown = {s: claims[s] for s in claims if unit.roles[s] in ("W_y", "b_y")}
    ours = fit.ours
    if fit.form != "loss" or not shown or "y" not in ours.arrays or unit.incoming:
        return []
    for words, dlogits in wrong_dlogits(ours.arrays["y"], ours.arrays["targets"]):
        made = {"W_y": np.einsum("tnh,tnv->hv", ours.arrays["h"], dlogits), "b_y": dlogits.sum(axis=(0, 1))}
        if all(same(claim, fit.scale * theirs(unit.roles[s], made, fit.layout)) for s, claim in shown.items()):
            return [words]
    return []


def wrong_dlogits(y, targets):
    """(what was written, the loss's gradient at the logits (T, N, V) that it gives)."""
    onehot = np.eye(y.shape[-1])[targets][:, None]
    right = y - onehot
    steps = np.arange(len(y))[:, None, None]
    yield "the 1 at the target is not subtracted: the gradient at the logits is y - onehot(target)", y
    yield "the last step's gradient of the loss is added at every t: each step has its own", right[-1] + 0 * right
    yield "only the last step's loss is followed back: the loss is a sum over all steps", right * (steps == len(y) - 1)
    yield "the last step is skipped: its loss adds nothing to any gradient", right * (steps < len(y) - 1)
    yield "the first step is skipped: its loss adds nothing to any gradient", right * (steps > 0)
    for q in (y, onehot * y, right * y, -onehot):
        yield DIAGONAL, q * (1 - y)
    yield "this is the gradient with respect to the probabilities y, and not to the logits", -onehot / y
