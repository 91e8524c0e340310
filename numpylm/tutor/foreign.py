"""Judges a forward and a backward of another convention, whatever their layout.

The forward runs in every layout that its names allow, until it gives what ours gives. Then our own gradients, moved
into that layout, are the truth, and the diagnosis knows every line. Where no layout fits, the student's own forward is
differentiated numerically: the backward must be its derivative.
"""

import numpy as np

from numpylm.tutor.claims import gradient_name, matched_claims, steps_of_descent
from numpylm.tutor.fits import best_fit
from numpylm.tutor.foreign_words import clip_limit, explained, mean_words, renamed
from numpylm.tutor.judge import ask
from numpylm.tutor.layouts import theirs
from numpylm.tutor.numeric import Program, derivative, roughness
from numpylm.tutor.results import EXACT, FLOAT32, ROUGH, compare, is_float32, without_keepdims
from numpylm.tutor.stop import Stop
from numpylm.tutor.unit import problem_of


def judge_unit(file, unit):
    """Name -> finding, of the backward, and of the forward where that can be judged."""
    try:
        unit, ours, fit, rng = fitted(file, unit)
    except Stop as stop:
        return {unit.name: {"convention": unit.convention} | stop.finding}
    is_told = fit.precision is not None or (unit.form in ("step", "sequence") and unit.cell != "gru")
    is_told = is_told and unit.form != "free" and unit.forward_name != unit.name
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
        try:
            outputs, reply = ask(file, steps, fit.inputs, paths)
            break
        except Stop as stop:
            failed = stop
            if file.child.process is None:
                raise
    else:
        raise failed
    printed, claims = str(reply.get("printed", "")), claims_in(unit, fit, claimed, outputs)
    if not claims:
        raise Stop("not checked", "it returns no gradient whose name or place the check knows", printed=printed)
    truths, rtol, remarks = truth(file, unit, ours, fit, claims, rng)
    finding = verdict(unit, ours, fit, claims, truths, rtol, remarks + written_into(reply, unit))
    if finding["status"] == "wrong":
        return finding | {"printed": printed}
    if "dh" in fit.inputs:
        check_linear(file, fit, steps, paths, outputs)
    finding["sentences"] += own_values(unit, fit)
    return finding


def claims_in(unit, fit, claimed, outputs):
    """Slot -> gradient, of what the backward returned, and of what was found elsewhere. Raises Stop."""
    returned, *elsewhere = outputs
    claims = matched_claims(unit, returned) | dict(zip(claimed, elsewhere, strict=True))
    claims = {slot: np.asarray(v, float) for slot, v in claims.items() if isinstance(v, np.ndarray | float)}
    return steps_of_descent(fit, claims) if claimed and claimed is unit.updates else claims


def verdict(unit, ours, fit, claims, truths, rtol, remarks):
    """The finding on claimed gradients, given the right ones and how precise these are."""
    named = {gradient_name(unit, slot): claim for slot, claim in claims.items()}
    right = {gradient_name(unit, slot): truths[slot] for slot in claims}
    named, shapes = without_keepdims(named, right)
    rows, sentences = compare(named, right, rtol)
    limit, mean = clip_limit(named, right, rows), mean_words(unit, ours, fit, named, right, rows)
    if rows and not sentences and unit.form == "loss" and (limit or mean):
        clipped = f"it clips its gradients to ±{limit or 0:g}: the rest is right. Clip in the training loop"
        rows, remarks = [], [*remarks, mean or clipped]
    if not rows and not sentences:
        return {"status": "ok", "sentences": remarks + shapes}
    hints = explained(unit, ours, fit, claims, rows, named, right)
    diagnosis = [renamed(unit, hint.words) for hint in hints] + remarks + shapes
    told = {"diagnosis": diagnosis, "lines": [hint.code for hint in hints]}
    return {"status": "wrong", "sentences": sentences, "table": [row._asdict() for row in rows]} | told


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
        raise Stop(
            "wrong",
            "with incoming gradients a thousand times as large, what it returns is not a thousand times as "
            "large: something is clipped inside the backward. Clip in the training loop",
        )


def arrays_in(tree):
    """All real arrays of a tree, in order."""
    if isinstance(tree, np.ndarray):
        return [tree] if tree.dtype.kind == "f" else []
    items = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else []
    return [array for item in items for array in arrays_in(item)]


def cache_path(fit):
    """Where the forward's cache is: the last of what it returned."""
    value = fit.made[0]
    if isinstance(value, tuple | list):
        return ["made", len(value) - 1]
    return ["made", "cache"] if isinstance(value, dict) and "cache" in value else ["made"]


def truth(file, unit, ours, fit, claims, rng):
    """(slot -> right gradient in the user's layout, its relative precision, remarks)."""
    if fit.precision is not None and all(
        unit.roles[slot] in ours.gradients or ":" in unit.roles[slot] or unit.roles[slot] == "W" for slot in claims
    ):
        truths = {slot: fit.scale * theirs(unit.roles[slot], ours.gradients, fit.layout) for slot in claims}
        is_rough = fit.precision > EXACT or all(is_float32(claim) for claim in claims.values())
        remarks = [FLOAT32.format(max(fit.precision, 6e-8))] if is_rough else []
        return truths, ROUGH if is_rough else EXACT, remarks
    program = Program(file.child, unit.forward, fit.inputs, fit.outputs, fit.weights)
    noise = roughness(program, next(iter(claims)), rng)
    if noise > 1e-4:
        raise Stop("not checked", f"{unit.forward_name} gives other values for almost the same inputs: is it random?")
    step = 1e-3 if noise < 1e-10 else 0.03
    found = {slot: derivative(program, slot, step) for slot in claims}
    if not all(np.isfinite(slope).all() for slope, _ in found.values()):
        raise Stop(
            "not checked", f"{unit.forward_name} gives values that are not finite: there is nothing to compare with"
        )
    remarks = [FLOAT32.format(noise)] if noise > 1e-10 else []
    return {slot: slope for slot, (slope, _) in found.items()}, 1e-6 if noise < 1e-10 else 1e-3, remarks


def written_into(reply, unit):
    """A remark on an incoming gradient that the backward changed: it was a copy, and nothing was spoilt here."""
    changed = [str(name) for name in reply.get("changed", []) if str(name).split(".")[0].split("[")[0] in unit.has]
    changed += [
        str(name) for name in reply.get("changed", []) if str(name).lstrip("d").startswith(("next", "h", "c_n", "a_n"))
    ]
    if not changed:
        return []
    return [
        f"your backward wrote into the gradient it was given ({changed[0]}): whoever uses that array again gets a "
        "wrong value. Write `a = a + b` in place of `a += b`"
    ]


def own_values(unit, fit):
    """A remark on a forward that is not ours: only the agreement of the two is shown."""
    if fit.precision is not None or unit.form == "free":
        return []
    return [f"{unit.forward_name} gives values of its own, of which this is the derivative"]
