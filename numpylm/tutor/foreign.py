"""Judges a forward and a backward of another convention, whatever their layout.

The forward runs in every layout that its names allow, until it gives what ours gives. Then our own gradients, moved
into that layout, are the truth, and the diagnosis knows every line. Where no layout fits, the student's own forward is
differentiated numerically: the backward must be its derivative.
"""

import numpy as np

from numpylm.tutor.claims import claims_in, gradient_name
from numpylm.tutor.fits import best_fit, free_fit, in_style, tokens_in
from numpylm.tutor.foreign_problems import with_dlogits
from numpylm.tutor.foreign_words import clip_limit, common_factor, explained, renamed
from numpylm.tutor.judge import ask
from numpylm.tutor.layouts import theirs
from numpylm.tutor.numeric import Program, derivative, roughness
from numpylm.tutor.results import EXACT, FLOAT32, ROUGH, compare, is_float32, without_keepdims
from numpylm.tutor.scopes import SIZES
from numpylm.tutor.stop import Stop
from numpylm.tutor.units import STYLES


def judge_unit(file, unit):
    """Name -> finding, of the backward, and of the forward where that can be judged."""
    try:
        fit, finding = judged(file, unit)
    except Stop as stop:
        return {unit.name: {"convention": unit.convention} | stop.finding}
    is_ours = fit.precision is not None or (not unit.free and fit.form != "loss" and fit.cell != "gru")
    has_own = unit.forward_name != unit.name and is_ours
    found = {unit.forward_name: forward_finding(unit, fit)} if has_own or unit.backward is None else {}
    found |= {unit.name: finding} if unit.backward else {}
    return {name: {"convention": unit.convention} | f for name, f in found.items()}


def judged(file, unit):
    """(Fit, finding on the backward). Raises Stop.

    What fails, or has wrong shapes, with a batch is tried with one sequence, unless its names are those of a course.
    """
    if unit.free or unit.backward is None:
        fit = free_fit(file, unit) if unit.free else best_fit(file, unit)
        return fit, finding_or_stop(file, unit, fit) if unit.backward else None
    first = None
    for batches in ((2, 0), (1,), (0,)):
        try:
            fit = best_fit(file, unit, batches)
        except Stop:
            if first is None:
                raise
            continue
        finding = finding_or_stop(file, unit, fit)
        first = first or (fit, finding)
        if finding["status"] == "ok" and batches == (1,):
            finding["sentences"].append("right for one sequence at a time: with a batch of several it is not")
        is_told = finding["status"] == "ok" or (finding.get("table") and "is of shape" not in str(finding["sentences"]))
        if is_told or unit.is_usual or fit.form == "loss":
            return fit, finding
    return first


def finding_or_stop(file, unit, fit):
    """The finding on a backward; one that cannot be judged, or fails, is such a finding too."""
    try:
        return backward_finding(file, unit, fit)
    except Stop as stop:
        finding = stop.finding
    is_guess = "is not defined" not in str(finding["sentences"])
    if finding["status"] == "crash" and is_guess and not unit.is_usual:
        words = f"it fails for all that the check gives it: {finding['sentences'][0]}"
        return finding | {"status": "not checked", "sentences": [words, *finding["sentences"][1:]]}
    return finding


def forward_finding(unit, fit):
    """The finding on a forward."""
    if fit.precision is None:
        words = "its values are those of the equations in no layout that the check knows"
        rest = "; its backward is compared with this very forward" if unit.backward else ""
        return {"status": "not checked", "sentences": [words + rest]}
    return {"status": "ok", "sentences": [FLOAT32.format(fit.precision)] if fit.precision > EXACT else []}


def backward_finding(file, unit, fit):
    """The finding on a backward. Raises Stop where it cannot be judged."""
    steps = [*unit.forward, *unit.backward] if unit.forward_name != unit.name else unit.forward
    paths = [["returned"], *([list(unit.snapshot)] if unit.snapshot else []), *unit.places.values()]
    tried = told = None
    for fit in with_other_targets(unit, fit):  # noqa: PLR1704 - the first that is understood
        try:
            outputs, reply = ask(file, steps, fit.inputs, paths)
            after = dict(zip(unit.places, outputs[len(outputs) - len(unit.places) :], strict=True))
            claims = claims_in(unit, fit, outputs[0], outputs[1] if unit.snapshot else None, after)
            if not claims:
                raise Stop("not checked", "it returns no gradient whose name or place the check knows")
            fit, said = with_loss(file, unit, fit, claims)
        except Stop as stop:
            told = told or stop
            if file.child.process is None:
                raise
            continue
        tried = (fit, said, claims, outputs, reply) if tried is None or said is not None else tried
        if said is not None:
            break
    if tried is None:
        raise told
    fit, said, claims, outputs, reply = tried
    if said is None and "cross" not in fit.losses[0].words:
        raise Stop("not checked", "no loss that the check knows has these gradients of the output layer")
    printed, said = str(reply.get("printed", "")), said or []
    truths, rtol, remarks = truth(file, unit, fit, claims)
    finding = verdict(unit, fit, claims, truths, rtol, said + remarks + written_into(reply, unit))
    if finding["status"] == "wrong":
        return finding | {"printed": printed}
    if unit.incoming and fit.form != "loss":
        check_linear(file, unit, fit, steps, paths[:1], outputs[:1])
    own = fit.precision is None and not unit.free
    finding["sentences"] += (
        [f"{unit.forward_name} gives values of its own, of which this is the derivative"] if own else []
    )
    return finding


def with_other_targets(unit, fit):
    """The Fit, then with its targets in other styles, where the forward is not given them."""
    yield fit
    if fit.form == "loss" and unit.has_targets and "'targets'" not in str(unit.forward):
        tokens = fit.ours.arrays["targets"]
        for style in dict.fromkeys(style for style, _ in STYLES):
            for part in (slice(None), slice(-1, None)):
                if fit.goal is None:
                    yield fit._replace(inputs=fit.inputs | {"targets": tokens_in(tokens[part], style, SIZES["V"])})
                elif style not in ("ids", "array"):
                    yield fit._replace(inputs=fit.inputs | {"targets": in_style(fit.goal[part], style)})
        if fit.goal is None:
            yield fit._replace(inputs=fit.inputs | {"targets": int(tokens[-1])})


def with_loss(file, unit, fit, claims):
    """(the Fit with that of its losses which the output layer's gradients belong to, remarks); None for none of them."""
    shown = [slot for slot in claims if unit.roles[slot] in ("W_y", "b_y")]
    for loss in fit.losses:
        tried = fit._replace(weights=loss.of)
        if fit.precision is not None:
            tried = tried._replace(ours=with_dlogits(fit.ours, fit.cell, loss.dlogits))
        truths, _, _ = truth(file, unit, tried, {slot: claims[slot] for slot in shown}) if shown else ({}, 0, [])
        factor = common_factor({s: claims[s] for s in shown}, truths) if shown else None
        factor = factor or (
            1.0 if shown and is_clipped([claims[s] for s in shown], [truths[s] for s in shown]) else None
        )
        if factor and factor > 0:
            factor = 1.0 if abs(factor - 1) < 1e-6 else float(factor)
            times = "" if factor == 1 else f", times {factor:.6g}"
            is_told = times or loss is not fit.losses[0]
            return tried._replace(scale=factor), [f"judged for {loss.words}{times}"] if is_told else []
    return fit, None if fit.losses else []


def is_clipped(claims, truths):
    """Whether claims are the right values, clipped to one limit."""
    limit = max(np.abs(claim).max() for claim in claims)
    pairs = list(zip(claims, truths, strict=True))
    return limit > 0 and float(f"{limit:.3g}") == limit and all(np.shape(t) == c.shape and np.abs(c - np.clip(t, -limit, limit)).max() < 1e-6 for c, t in pairs)


def verdict(unit, fit, claims, truths, rtol, remarks):
    """The finding on claimed gradients, given the right ones and how precise these are."""
    named = {gradient_name(unit, slot): claim for slot, claim in claims.items()}
    right = {gradient_name(unit, slot): truths[slot] for slot in claims}
    named, shapes = without_keepdims(named, right)
    rows, sentences = compare(named, right, rtol)
    limit = clip_limit(named, right, rows)
    if rows and not sentences and fit.form == "loss" and limit:
        rows, remarks = (
            [],
            [*remarks, f"it clips its gradients to ±{limit:g}: the rest is right. Clip in the training loop"],
        )
    if not rows and not sentences:
        return {"status": "ok", "sentences": remarks + shapes}
    hints = explained(unit, fit, claims, rows, named, right)
    diagnosis = [renamed(unit, hint.words) for hint in hints] + remarks + shapes
    told = {"diagnosis": diagnosis, "lines": [hint.code for hint in hints]}
    return {"status": "wrong", "sentences": sentences, "table": [row._asdict() for row in rows]} | told


def check_linear(file, unit, fit, steps, paths, before):
    """Raises Stop where gradients that come in a thousand times as large do not make all that goes out so."""
    larger = fit.inputs | {name: 1e3 * fit.inputs[name] for name in unit.incoming}
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


def truth(file, unit, fit, claims):
    """(slot -> right gradient in the user's layout, its relative precision, remarks)."""
    if fit.precision is not None and all(is_ours(fit, unit.roles[slot]) for slot in claims):
        truths = {slot: fit.scale * theirs(unit.roles[slot], fit.ours.gradients, fit.layout) for slot in claims}
        is_rough = fit.precision > EXACT or (claims and all(is_float32(claim) for claim in claims.values()))
        remarks = [FLOAT32.format(max(fit.precision, 6e-8))] if is_rough else []
        return truths, ROUGH if is_rough else EXACT, remarks
    program = Program(file.child, unit.forward, fit.inputs, fit.outputs, fit.weights)
    noise = roughness(program, next(iter(claims)), np.random.default_rng(0))
    if noise > 1e-4:
        raise Stop("not checked", f"{unit.forward_name} gives other values for almost the same inputs: is it random?")
    step = 1e-3 if noise < 1e-10 else 0.03
    found = {slot: fit.scale * derivative(program, slot, step)[0] for slot in claims}
    if not all(np.isfinite(slope).all() for slope in found.values()):
        raise Stop(
            "not checked", f"{unit.forward_name} gives values that are not finite: there is nothing to compare with"
        )
    remarks = [FLOAT32.format(noise)] if noise > 1e-10 else []
    return found, 1e-6 if noise < 1e-10 else 1e-3, remarks


def is_ours(fit, role):
    """Whether our own problem holds the gradient of an array of this role."""
    return bool(role) and (role in fit.ours.gradients or ":" in role or role in ("W", "W1"))


def written_into(reply, unit):
    """A remark on an incoming gradient that the backward changed: it was a copy, and nothing was spoilt here."""
    changed = [str(name) for name in reply.get("changed", [])]
    places = [
        str(k) for k, value in enumerate(unit.backward[-1]["args"]) if value in [{"slot": n} for n in unit.incoming]
    ]
    taken = [unit.backward[-1]["args"][int(name)]["slot"] for name in changed if name in places]
    if not taken:
        return []
    return [
        f"your backward wrote into the gradient it was given ({taken[0]}): whoever uses that array again gets a "
        "wrong value. Write `a = a + b` in place of `a += b`"
    ]
