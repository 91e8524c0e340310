"""Mistakes in the loss's gradient at the logits, which the gradients of W_y and b_y show in any layout."""

import numpy as np

from numpylm.proof.evidence import same
from numpylm.tutor.claims import gradient_name
from numpylm.tutor.foreign_problems import with_dlogits
from numpylm.tutor.layouts import is_ours, theirs

DIAGONAL = "the softmax's derivative is taken for σ's: the Jacobian's off-diagonal terms are missing"


def loss_words(unit, fit, claims, wrong):
    """A list with the sentence on a wrong gradient at the logits, or on what the states are given of a right one.

    The gradients of the output layer show which it is, or those of the cell where the output layer's are right.
    """
    output = {s: claims[s] for s in claims if unit.roles[s] in ("W_y", "b_y")}
    ours = fit.ours
    if fit.form != "loss" or not output or "y" not in ours.arrays or unit.incoming:
        return []
    is_wrong = any(gradient_name(unit, slot) in wrong for slot in output)
    shown = {s: q for s, q in claims.items() if (s in output) == is_wrong and is_ours(fit, unit.roles[s])}
    for words, dlogits in wrong_dlogits(ours.arrays["y"], ours.arrays["targets"]):
        made = with_dlogits(ours, fit.cell, dlogits).gradients
        if shown and all(same(q, fit.scale * theirs(unit.roles[s], made, fit.layout)) for s, q in shown.items()):
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
