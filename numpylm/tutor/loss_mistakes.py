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
    last = np.zeros_like(right)
    last[-1] = right[-1]
    yield "the 1 at the target is not subtracted: the gradient at the logits is y - onehot(target)", y
    yield "the last step's gradient of the loss is added at every t: each step has its own", right[-1] + 0 * right
    yield "only the last step's loss is followed back: the loss is a sum over all steps", last
    yield from ((f"the softmax's derivative is taken for σ's: the Jacobian's off-diagonal terms are missing{more}", q)
                for more, q in (("", y * (1 - y)), ("", onehot * y * (1 - y)), ("", right * y * (1 - y)),
                                ("", -onehot * (1 - y)), ("", onehot * (y - 1))))  # fmt: skip
    yield "this is the gradient with respect to the probabilities y, and not to the logits", -onehot / y


def step_words(unit, fit, claims, rows):
    """Sentences on weights of which one step alone contributes, or one step does not."""
    ours = fit.ours
    wrong = [s for s in claims if str(unit.roles[s]).partition(":")[0] in ("W_x", "W_h", "W", "W1", "b")
             and not same(claims[s], fit.scale * theirs(unit.roles[s], ours.gradients, fit.layout))]  # fmt: skip
    if fit.form == "step" or not wrong or (len(wrong) == len(claims) > 1 and len(wrong) < 2):
        return []
    parts, said = list(contributions(fit.cell, ours)), {}
    for slot in wrong:
        each = [fit.scale * theirs(unit.roles[slot], part, fit.layout) for part in parts]
        total, last = sum(each), len(each) - 1
        alone = [t for t in (0, last) if same(claims[slot], each[t]) and each[t].any()]
        lacks = [t for t in (0, last) if same(claims[slot], total - each[t])]
        if alone:
            why = "the sum over time is overwritten at each step" if alone[0] == 0 else "only the last step counts"
            said.setdefault(f"{why}: it is what step t = {alone[0]} alone contributes. Add the steps up", []).append(
                slot
            )
        elif stops := [k for k in range(2, last) if same(claims[slot], sum(each[-k:]))]:
            said.setdefault(f"the last {stops[0]} steps alone contribute: the backward stops there", []).append(slot)
        elif lacks:
            said.setdefault(f"step {'T - 1, the last,' if lacks[0] else 't = 0, the first,'} contributes nothing: "
                            "does the loop leave it out?", []).append(slot)  # fmt: skip
    if sum(map(len, said.values())) < len(wrong):
        return []
    return [f"{', '.join(f'd{slot}' for slot in slots)}: {words}" for words, slots in said.items()]


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
