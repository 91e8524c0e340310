"""Mistakes that show in any layout: in the loss's gradient at the logits, and in a weight's sum over the time steps."""

import numpy as np

from numpylm.tutor.case import CELLS
from numpylm.tutor.layouts import theirs


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
    yield from ((f"the softmax's derivative is taken for σ's: the Jacobian's off-diagonal terms are missing{more}", q)
                for more, q in (("", y * (1 - y)), ("", onehot * y * (1 - y)), ("", right * y * (1 - y)),
                                ("", -onehot * (1 - y)), ("", onehot * (y - 1))))  # fmt: skip
    yield "this is the gradient with respect to the probabilities y, and not to the logits", -onehot / y


def step_words(unit, fit, claims):
    """Sentences on weights of which some steps alone contribute."""
    wrong = [s for s in claims if str(unit.roles[s]).partition(":")[0] in ("W_x", "W_h", "W", "W1", "b")
             and not same(claims[s], fit.scale * theirs(unit.roles[s], fit.ours.gradients, fit.layout))]  # fmt: skip
    if fit.form == "step" or not wrong:
        return []
    parts, said, left = list(contributions(fit.cell, fit.ours)), [], set(wrong)
    for words, steps in wrong_steps(len(parts)):
        sums = {role: sum(parts[t][role] for t in steps) for role in parts[0]}
        made = {slot: fit.scale * theirs(unit.roles[slot], sums, fit.layout) for slot in left}
        slots = [slot for slot in wrong if slot in left and same(claims[slot], made[slot])]
        if any(made[slot].any() for slot in slots):
            said.append(f"{', '.join(f'd{slot}' for slot in slots)}: {words}")
            left -= set(slots)
    return [] if left else said


def wrong_steps(T):
    """(what is said, the steps that contribute) of each wrong sum over time."""
    last, add = T - 1, "alone contributes. Add the steps up"
    yield f"the sum over time is overwritten at each step: it is what step t = 0 {add}", [0]
    yield f"only the last step counts: it is what step t = {last} {add}", [last]
    yield from (
        (f"the last {k} steps alone contribute: the backward stops there", range(T - k, T)) for k in range(2, last)
    )
    yield "step T - 1, the last, contributes nothing: does the loop leave it out?", range(last)
    yield "step t = 0, the first, contributes nothing: does the loop leave it out?", range(1, T)


def contributions(cell, ours):
    """For each step, role -> what it adds to the gradients of the weights."""
    symbols = ours.problem.symbols
    backward = getattr(CELLS[cell], f"{cell}_backward")
    steps = backward(symbols["parameters"], symbols["dh"], symbols["dstate_T"], symbols["trace"], keep_steps=True).steps
    for x_t, h_prev, step in zip(symbols["trace"].x, symbols["trace"].h_prev, steps, strict=True):
        dhW = getattr(step, "dhW_t", step.da_t)
        yield {"W_x": x_t.T @ step.da_t, "W_h": h_prev.T @ dhW, "b": step.da_t.sum(axis=0)}


def same(claim, right):
    """Whether two arrays agree, to float32's rounding."""
    return claim.shape == right.shape and np.abs(claim - right).max() <= 1e-6 * max(np.abs(right).max(), 1e-300)
