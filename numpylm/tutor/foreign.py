"""Judges a forward and a backward of another convention, whatever their layout.

The forward runs in every layout that its names allow, until it gives what ours gives. Then our own gradients, moved
into that layout, are the truth, and the diagnosis knows every line. Where no layout fits, the student's own forward is
differentiated numerically: the backward must be its derivative.
"""

import numpy as np

from numpylm.tutor.conventions import plain, role_of
from numpylm.tutor.crash import crash_sentence, missing_name
from numpylm.tutor.diagnosis import diagnose, said_alone
from numpylm.tutor.fits import best_fit, problem_of
from numpylm.tutor.layouts import theirs, to_ours
from numpylm.tutor.loss_mistakes import loss_words, step_words
from numpylm.tutor.numeric import Program, derivative, roughness
from numpylm.tutor.results import FLOAT32, ROUGH, compare, is_float32, without_keepdims
from numpylm.tutor.sentences import Finding
from numpylm.tutor.stop import Stop

EXACT = 1e-8  # relative error up to which a gradient is right


def judge_unit(file, unit):
    """Name -> finding, of the backward, and of the forward where that can be judged."""
    try:
        unit, ours, fit, rng = fitted(file, unit)
    except Stop as stop:
        return {unit.name: {"convention": unit.convention} | stop.finding}
    is_told = (
        unit.form != "free" and unit.forward_name != unit.name and (unit.form != "loss" or fit.precision is not None)
    )
    found = {unit.forward_name: forward_finding(unit, fit)} if is_told else {}
    if unit.backward is None:
        return {unit.forward_name: {"convention": unit.convention} | forward_finding(unit, fit)}
    try:
        finding = backward_finding(file, unit, ours, fit, rng)
    except Stop as stop:
        finding = stop.finding
    return {name: {"convention": unit.convention} | f for name, f in (found | {unit.name: finding}).items()}


def fitted(file, unit):
    """(unit, our problem, fit, generator): of the other cells too, where no name says which cell it is. Raises Stop."""
    cells, found, stop = [unit.cell], [], None
    if unit.cell == "rnn" and not unit.is_named and unit.form != "free":
        cells += ["lstm", "gru"]
    for cell in cells:
        tried, rng = unit._replace(cell=cell), file.rng(unit.name, 0)
        ours = problem_of(tried, rng)
        try:
            fit = best_fit(file, tried, ours, rng)
        except Stop as why:
            stop = stop or why
            if why.finding["status"] == "timeout":
                raise
            continue
        if fit.precision is not None:
            return tried, fit.ours or ours, fit, rng
        found.append((tried, ours, fit, rng))
    if found:
        return found[0]
    raise stop


def forward_finding(unit, fit):
    """The finding on a forward."""
    if fit.precision is None:
        words = "its values are those of the equations in no layout that the check knows"
        rest = "; its backward is compared with this very forward" if unit.backward else ""
        return {"status": "not checked", "sentences": [words + rest]}
    return {"status": "ok", "sentences": [FLOAT32.format(fit.precision)] if fit.precision > EXACT else []}


def backward_finding(file, unit, ours, fit, rng):
    """The finding on a backward. Raises Stop where it cannot be judged."""
    steps = [*unit.forward, *unit.backward(cache_path(fit))]
    for claimed in (*unit.claims, unit.updates):
        paths = [["returned"], *claimed.values()]
        reply = file.child.ask({"steps": steps, "inputs": fit.inputs, "outputs": paths})
        if "error" not in reply:
            break
    told = {"printed": str(reply.get("printed", ""))}
    if "error" in reply:
        code = [str(line) for line in reply["error"].get("lines", [])]
        raise Stop("crash", crash_sentence(reply["error"]), *missing_name(reply["error"], file.contents["failures"]),
                   code=code, **told)  # fmt: skip
    returned, *elsewhere = reply["outputs"]
    claims = matched_claims(unit, returned) | dict(zip(claimed, elsewhere, strict=True))
    claims = {slot: np.asarray(v, float) for slot, v in claims.items() if isinstance(v, np.ndarray | float)}
    if claimed is unit.updates and claimed:
        claims = steps_of_descent(fit, claims)
    if not claims:
        raise Stop("not checked", "it returns no gradient whose name or place the check knows", **told)
    truths, rtol, remarks = truth(file, unit, ours, fit, claims, rng)
    remarks += written_into(reply, unit)
    named = {gradient_name(unit, slot): claim for slot, claim in claims.items()}
    right = {gradient_name(unit, slot): truths[slot] for slot in claims}
    named, shape_remarks = without_keepdims(named, right)
    rows, sentences = compare(named, right, rtol)
    remarks += shape_remarks
    limit = clip_limit(named, right, rows) if not sentences else None
    if limit and unit.form == "loss":
        remarks.append(f"it clips its gradients to ±{limit:g}: the rest is right. Clip in the training loop")
    mean = mean_words(unit, ours, fit, named, right, rows)
    if mean and not sentences:
        return {"status": "ok", "sentences": [*remarks, mean]}
    if not rows and not sentences and "dh" in fit.inputs:
        check_linear(file, fit, steps, paths, returned, elsewhere)
    if not sentences and (not rows or limit and unit.form == "loss"):
        return {"status": "ok", "sentences": remarks + not_used(file, unit, fit, ours)}
    hints = explained(unit, ours, fit, claims, rows, named, right)
    diagnosis = [renamed(unit, hint.words) for hint in hints] + remarks
    return {"status": "wrong", "sentences": sentences, "table": [row._asdict() for row in rows],
            "diagnosis": diagnosis, "lines": [h.code for h in hints], **told}  # fmt: skip


def check_linear(file, fit, steps, paths, *before):
    """Raises Stop where gradients that come in a thousand times as large do not make all that goes out so."""
    larger = fit.inputs | {name: 1e3 * fit.inputs[name] for name in ("dh", "dc") if name in fit.inputs}
    reply = file.child.ask({"steps": steps, "inputs": larger, "outputs": paths})
    pairs = zip(arrays_in(before), arrays_in(reply.get("outputs", [])), strict=False)
    if any(
        np.abs(after - 1e3 * q).max() > 1e-2 * np.abs(q).max() * 1e3
        for q, after in pairs
        if q.size and q.shape == after.shape
    ):
        raise Stop("wrong", "with incoming gradients a thousand times as large, what it returns is not a thousand times as "
                   "large: something is clipped inside the backward. Clip in the training loop")  # fmt: skip


def arrays_in(tree):
    """All real arrays of a tree, in order."""
    if isinstance(tree, np.ndarray):
        return [tree] if tree.dtype.kind == "f" else []
    items = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else []
    return [array for item in items for array in arrays_in(item)]


def steps_of_descent(fit, after):
    """Slot -> old - new, the gradient of a backward that updates its weights at a learning rate of 1. Raises Stop."""
    claims = {slot: fit.inputs[slot] - value for slot, value in after.items() if value.shape == fit.inputs[slot].shape}
    claims = claims if any(claim.any() for claim in claims.values()) else {}
    if any(claim.any() and claim.size > 2 and np.ptp(np.abs(claim[claim != 0])) < 1e-6 for claim in claims.values()):
        raise Stop(
            "not checked", "it returns no gradient, and it does not update its weights by plain gradient descent"
        )
    return claims


def cache_path(fit):
    """Where the forward's cache is: the last of what it returned."""
    value = fit.made[0]
    if isinstance(value, tuple | list):
        return ["made", len(value) - 1]
    return ["made", "cache"] if isinstance(value, dict) and "cache" in value else ["made"]


def gradient_name(unit, slot):
    """The user's name of a gradient."""
    text = next((t for t in unit.texts if plain(t) == plain(f"d{slot}")), None)
    return text if text and text.isidentifier() else f"d{slot}"


def matched_claims(unit, returned):
    """Slot -> gradient, by the names of what the backward returns, else by the order of the forward's parameters."""
    if isinstance(returned, tuple | list):
        returned, texts = spread(list(returned), list(unit.texts))
        unit = unit._replace(texts=tuple(texts))
    if not isinstance(returned, dict):
        values = list(returned) if isinstance(returned, tuple | list) else [returned]
        texts = unit.texts if len(unit.texts) == len(values) else [""] * len(values)
        slots = [slot for slot, role in unit.roles.items() if role not in ("inputs", "targets")]
        found = [slot_of(unit, text) for text in texts]
        rest = iter([slot for slot in slots if slot not in found])
        found = [slot or next(rest) for slot in found] if len(values) == len(slots) else found
        return {slot: value for slot, value in reversed(list(zip(found, values, strict=True))) if slot}
    found = {slot_of(unit, str(name)): value for name, value in reversed(list(returned.items()))}
    return {slot: value for slot, value in found.items() if slot}


def spread(values, texts):
    """The values that a backward returned, and their names, with those of an inner list or dict among them."""
    texts = texts if len(texts) == len(values) else [""] * len(values)
    found = []
    for value, text in zip(values, texts, strict=True):
        names = [name.strip() for name in text.strip("[]()").split(",")]
        if isinstance(value, dict):
            found += [(item, key if str(key)[:1] in "dg" else f"d{key}") for key, item in value.items()]
        elif isinstance(value, list | tuple) and len(names) == len(value) > 1:
            found += list(zip(value, names, strict=True))
        else:
            found.append((value, text))
    return [value for value, _ in found], [str(text) for _, text in found]


def slot_of(unit, text):
    """Which input a gradient's name belongs to; None for none."""
    name = plain(text.removeprefix("self.").split("[")[0])
    for head in ("dldd", "dld", "d", "grad", "g"):
        rest = name.removeprefix(head)
        exact = [slot for slot in unit.roles if plain(slot.removeprefix("self.")) == rest]
        role = role_of(rest, unit.cell)
        alike = [slot for slot, other in unit.roles.items() if role and other == role]
        if rest != name and (exact or alike):
            return (exact or alike)[0]
    return None


def truth(file, unit, ours, fit, claims, rng):
    """(slot -> right gradient in the user's layout, its relative precision, remarks)."""
    if fit.precision is not None and all(unit.roles[slot] in ours.gradients or ":" in unit.roles[slot]
                                         or unit.roles[slot] == "W" for slot in claims):  # fmt: skip
        truths = {slot: fit.scale * theirs(unit.roles[slot], ours.gradients, fit.layout) for slot in claims}
        is_rough = fit.precision > EXACT or all(is_float32(claim) for claim in claims.values())
        remarks = [FLOAT32.format(max(fit.precision, 6e-8))] if is_rough else []
        return truths, ROUGH if is_rough else EXACT, remarks
    program = own_program(file, unit, fit)
    noise = roughness(program, next(iter(claims)), rng)
    step = 1e-3 if noise < 1e-10 else 0.03
    found = {slot: derivative(program, slot, step) for slot in claims}
    if not all(np.isfinite(slope).all() for slope, _ in found.values()):
        raise Stop(
            "not checked", f"{unit.forward_name} gives values that are not finite: there is nothing to compare with"
        )
    remarks = [FLOAT32.format(noise)] if noise > 1e-10 else []
    return {slot: slope for slot, (slope, _) in found.items()}, 1e-6 if noise < 1e-10 else 1e-3, remarks


def own_program(file, unit, fit):
    """The student's own forward, to be differentiated."""
    return Program(file.child, unit.forward, fit.inputs, fit.outputs, fit.weights)


def written_into(reply, unit):
    """A remark on an incoming gradient that the backward changed: it was a copy, and nothing was spoilt here."""
    changed = [str(name) for name in reply.get("changed", []) if str(name).split(".")[0].split("[")[0] in unit.has]
    changed += [
        str(name) for name in reply.get("changed", []) if str(name).lstrip("d").startswith(("next", "h", "c_n", "a_n"))
    ]
    if not changed:
        return []
    return [f"your backward wrote into the gradient it was given ({changed[0]}): whoever uses that array again gets a "
            "wrong value. Write `a = a + b` in place of `a += b`"]  # fmt: skip


def explained(unit, ours, fit, claims, rows, named, right):
    """Hints on wrong gradients, in our names."""
    limit = clip_limit(named, right, rows)
    said = [f"every entry is clipped to ±{limit:g}: clip in the training loop, not here"] if limit else []
    said = said or shared_words(named, right, rows, ours.problem.sizes, unit.form == "loss")
    if fit.precision is not None:
        said = said or loss_words(unit, ours, fit, claims) or step_words(unit, ours, fit, claims, rows)
    if said:
        return [Finding(words, explains=True) for words in said]
    fine = {slot: claim for slot, claim in claims.items() if claim.shape == fit.inputs[slot].shape}
    if fit.precision is not None:
        q = {role: ours.arrays[role] for role in ours.names if role in ours.arrays}
        fine = {slot: claim for slot, claim in fine.items() if unit.roles[slot].partition(":")[0] in {*q, "W"}}
        fine = {slot: claim / fit.scale for slot, claim in fine.items()}
        moved = to_ours(fine, unit.roles, q, fit.layout)
        values = {f"d{ours.names[role]}": gradient for role, gradient in moved.items()}
        rough = fit.precision > EXACT or all(is_float32(claim) for claim in claims.values())
        values = {n: v.astype("f" if rough else "d") for n, v in values.items() if n in ours.problem.answers}
        ours_rows, _ = compare(values, ours.problem.answers, EXACT)
        if ours_rows:
            hints = diagnose(ours.assignment, ours.problem, values, ours_rows)
            if hints:
                return hints
    return said_alone(named, right, ours.problem.sizes)


def clip_limit(named, right, rows):
    """The limit to which every wrong gradient is clipped; None where that is not all that is wrong."""
    wrong = {row.name for row in rows}
    limit = max((np.abs(named[name]).max() for name in wrong), default=0)
    if not limit or float(f"{limit:.3g}") != limit:
        return None
    return limit if all(np.abs(named[n] - np.clip(right[n], -limit, limit)).max() < 1e-6 for n in wrong) else None


def mean_words(unit, ours, fit, named, right, rows):
    """A remark on gradients of a mean, where the file's loss is only known by its probabilities; None for others."""
    sizes = ours.problem.sizes
    if unit.form != "loss" or not callable(fit.weights) or len(rows) < len(named):
        return None
    for name, size in {"T": sizes.T, "V": sizes.V, "T V": sizes.T * sizes.V}.items():
        if all(np.abs(named[n] * size - right[n]).max() < 1e-6 * np.abs(right[n]).max() for n in named):
            return (
                f"all gradients are 1/({name}) of those of the loss summed over time: right if your loss is such a mean"
            )
    return None


def not_used(file, unit, fit, ours):
    """Remarks on a forward that is not ours: which of its inputs its values do not depend on."""
    if fit.precision is not None or unit.form == "free":
        return []
    program = own_program(file, unit, fit)
    slots = [s for s, r in unit.roles.items() if r.partition(":")[0] not in ("W_y", "b_y") or unit.form == "loss"]
    unused = [s for s in slots if s in fit.inputs and not np.abs(derivative(program, s)[0]).max() > 1e-9]
    return [f"{unit.forward_name} gives values of its own, of which this is the derivative"
            + (f"; they do not depend on {', '.join(unused)}" if unused else "")]  # fmt: skip


def shared_words(named, right, rows, sizes, is_loss):
    """Sentences on one factor in all gradients, and on one array that is returned for two parameters."""
    wrong = {row.name for row in rows}
    factors = {name: factor_of(named[name], right[name]) for name in named if right[name].any()}
    (k, *others) = factors.values() if wrong == set(factors) and len(wrong) > 1 else (None,)
    if k and all(other and abs(other / k - 1) < 1e-6 for other in others):
        names = {"T": sizes.T, "V": sizes.V} if is_loss else {}
        inverse = [f"1/{name}" for name, size in names.items() if abs(k * size - 1) < 1e-6 and size > 1]
        direct = [name for name, size in names.items() if abs(k / size - 1) < 1e-6 and size > 1]
        why = f": the loss is a mean over {direct[0]}, and the gradient is not divided by it" if direct else ""
        why = (
            f", k = {inverse[0]}: the gradient is divided by {inverse[0][2:]}, and the loss is not" if inverse else why
        )
        return [f"all gradients are k times the right ones, k = {k:.6g}{why}"]
    pairs = [(a, b) for a in sorted(wrong) for b in named if b not in wrong and named[a].shape == named[b].shape]
    return [f"{a} equals {b}: the same array is returned for both" for a, b in pairs
            if named[a].size > 1 and np.array_equal(named[a], named[b])]  # fmt: skip


def factor_of(claim, truth):
    """The factor between two arrays; None where there is none."""
    largest = np.unravel_index(np.abs(truth).argmax(), truth.shape) if claim.shape == truth.shape else None
    k = claim[largest] / truth[largest] if largest is not None else 0
    return k if k and np.abs(claim - k * truth).max() < 1e-6 * np.abs(truth).max() * abs(k) else None


def renamed(unit, words):
    """A sentence with the user's names of the gradients, where each of ours has one name there."""
    for slot, role in unit.roles.items():
        if sum(other == role for other in unit.roles.values()) == 1 and ":" not in role:
            ours = {"x": "d(?:x_t|x)", "h_prev": "d(?:h_prev|h_0)", "c_prev": "d(?:c_prev|c_0)",
                    "W_x": "d(?:W_xh|W_x)", "W_h": "d(?:W_hh|W_h)", "b": "d(?:b_h|b)"}.get(role)  # fmt: skip
            if ours:
                import re

                words = re.sub(rf"\b{ours}\b", gradient_name(unit, slot), words)
    return words
