"""Judges a forward and a backward of another convention, whatever their layout.

The forward runs in every layout that its names allow, until it gives what ours gives. Then our own gradients, moved
into that layout, are the truth, and the diagnosis knows every line. Where no layout fits, the student's own forward is
differentiated numerically: the backward must be its derivative.
"""

from typing import NamedTuple

import numpy as np

from numpylm.tutor.conventions import CONVENTIONS, plain, role_of
from numpylm.tutor.crash import crash_sentence, missing_name
from numpylm.tutor.diagnosis import diagnose, said_alone
from numpylm.tutor.foreign_problems import cell_problem, loss_problem
from numpylm.tutor.layouts import Layout, layouts, theirs, to_ours
from numpylm.tutor.loss_mistakes import loss_words, step_words
from numpylm.tutor.numeric import Program, derivative, roughness
from numpylm.tutor.results import FLOAT32, compare, is_float32, without_keepdims
from numpylm.tutor.sentences import Finding
from numpylm.tutor.stop import Stop

EXACT, ROUGHEST = 1e-8, 1e-5  # relative errors: below the first, float64; up to the second, float32
MOST_LAYOUTS = 400


class Unit(NamedTuple):
    """A forward and its backward, as programs for the child.

    roles: slot -> role, of everything that the forward is given, and grads of these are claimed. forward and backward
    are steps (runner.py) whose slots are the roles' names, "dh" and "dc". outputs: where the forward's values are.
    texts name the values that the backward returns. claims: alternatives, slot -> path, for gradients that are not returned.
    """

    name: str
    forward_name: str
    convention: str
    cell: str
    form: str
    roles: dict
    forward: list
    backward: object  # cache's path -> steps
    outputs: list = [["made"]]
    texts: tuple = ()
    claims: tuple = ({},)
    has: frozenset = frozenset()
    vocabulary: int = 0
    loose: dict = {}


class Fit(NamedTuple):
    """How the forward's values compare with ours in one layout: where h, c and y are, and how precise they are."""

    layout: Layout
    inputs: dict
    made: list
    places: dict  # role -> path
    precision: float | None  # None where they are not ours


def judge_unit(file, unit):
    """Name -> finding, of the backward, and of the forward where that can be judged."""
    rng = file.rng(unit.name, 0)
    ours = problem_of(unit, rng)
    try:
        fit = best_fit(file, unit, ours)
    except Stop as stop:
        return {unit.name: {"convention": unit.convention} | stop.finding}
    found = {} if unit.forward_name == unit.name else {unit.forward_name: forward_finding(unit, fit)}
    try:
        finding = backward_finding(file, unit, ours, fit, rng)
    except Stop as stop:
        finding = stop.finding
    return {name: {"convention": unit.convention} | f for name, f in (found | {unit.name: finding}).items()}


def problem_of(unit, rng):
    """Our own problem for this unit."""
    has = set(unit.roles.values()) | unit.has
    if unit.form == "loss":
        return loss_problem(unit.cell, rng, has, unit.vocabulary)
    return cell_problem(unit.cell, unit.form, rng, has)


def inputs_in(unit, ours, layout):
    """Slot -> array, in one layout."""
    given = unit.roles | {slot: slot for slot in ("dh", "dc") if slot in ours.arrays}
    found = {slot: theirs(role, ours.arrays, layout) for slot, role in given.items()}
    ids = {slot: ours.arrays[slot].tolist() for slot in ("inputs", "targets") if slot in ours.arrays}
    return unit.loose | found | ids


def best_fit(file, unit, ours):
    """The first layout in which the forward gives our values, else the first in which it runs. Raises Stop."""
    runs = error = None
    for number, layout in enumerate(layouts(unit.cell, unit.form, unit.roles.values(), CONVENTIONS[unit.convention])):
        if number > MOST_LAYOUTS:
            break
        inputs = inputs_in(unit, ours, layout)
        reply = file.child.ask({"steps": unit.forward, "inputs": inputs, "outputs": unit.outputs})
        if "error" in reply:
            error = error or (reply, layout)
            continue
        fit = fit_of(unit, ours, layout, inputs, reply["outputs"])
        if fit.precision is not None:
            return fit
        runs = runs or (fit if fit.places else None)
    if runs:
        return runs
    raise not_run(file, unit, error)


def not_run(file, unit, error):
    """The Stop for a forward that runs in no layout."""
    if error is None:
        return Stop("not checked", f"what {unit.forward_name} returns holds no array of the states' shape")
    described = error[0]["error"]
    if described.get("type") == "NotImplementedError":
        return Stop("not written", "it is not written yet (it raises NotImplementedError)")
    sentence = crash_sentence(described, f"when {unit.forward_name} is called")
    why = missing_name(described, file.contents["failures"])
    return Stop("crash", sentence, *why, code=[str(line) for line in described.get("lines", [])])


def fit_of(unit, ours, layout, inputs, made):
    """Where the forward's values are, and whether they are ours."""
    found, places, errors = dict(leaves(made, unit.outputs)), {}, {}
    for role in ("loss",) if unit.form == "loss" else ("h", "c", "y"):
        if role not in ours.arrays:
            continue
        right = np.asarray(theirs(role, ours.arrays, layout)) if role != "loss" else np.asarray(ours.arrays["loss"])
        alike = {path: np.asarray(v, float) for path, v in found.items() if np.shape(v) == right.shape}
        alike = {path: value for path, value in alike.items() if path not in places.values()}
        if alike:
            gaps = {path: np.abs(v - right).max() / max(1, np.abs(right).max()) for path, v in alike.items()}
            best = min(gaps, key=gaps.get)
            first = next(iter(alike))
            places[role] = best if gaps[best] < ROUGHEST else first
            errors[role] = gaps[places[role]]
    states = [errors.get(role, 1) for role in errors if role != "y"] or [1]
    precise = max(states) if max(states) < ROUGHEST else None
    return Fit(layout, inputs, made, places, precise)


def leaves(made, outputs):
    """(path, array) of what the forward returned, one level deep."""
    for path, value in zip(outputs, made, strict=True):
        items = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple | list) else []
        )
        yield from ((tuple(path), value),) if isinstance(value, np.ndarray | float) else ()
        yield from (((*path, k), v) for k, v in items if isinstance(v, np.ndarray | float))


def forward_finding(unit, fit):
    """The finding on a forward."""
    if fit.precision is None:
        words = "its values are those of the equations in no layout that the check knows"
        return {"status": "not checked", "sentences": [f"{words}; its backward is compared with this very forward"]}
    return {"status": "ok", "sentences": [FLOAT32.format(fit.precision)] if fit.precision > EXACT else []}


def backward_finding(file, unit, ours, fit, rng):
    """The finding on a backward. Raises Stop where it cannot be judged."""
    steps = [*unit.forward, *unit.backward(cache_path(fit))]
    for claimed in unit.claims:
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
    if not sentences and (not rows or limit and unit.form == "loss"):
        return {"status": "ok", "sentences": remarks + not_used(file, unit, fit, ours)}
    hints = explained(unit, ours, fit, claims, rows, named, right)
    diagnosis = [renamed(unit, hint.words) for hint in hints] + remarks
    return {"status": "wrong", "sentences": sentences, "table": [row._asdict() for row in rows],
            "diagnosis": diagnosis, "lines": [h.code for h in hints], **told}  # fmt: skip


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
        truths = {slot: theirs(unit.roles[slot], ours.gradients, fit.layout) for slot in claims}
        is_rough = fit.precision > EXACT or all(is_float32(claim) for claim in claims.values())
        remarks = [FLOAT32.format(max(fit.precision, 6e-8))] if is_rough else []
        return truths, 10 * max(fit.precision, 6e-8) if is_rough else EXACT, remarks
    program = own_program(file, unit, fit)
    noise = roughness(program, next(iter(claims)), rng)
    step = 1e-3 if noise < 1e-10 else 0.03
    found = {slot: derivative(program, slot, step) for slot in claims}
    remarks = [FLOAT32.format(noise)] if noise > 1e-10 else []
    return {slot: slope for slot, (slope, _) in found.items()}, 1e-6 if noise < 1e-10 else 1e-3, remarks


def own_program(file, unit, fit):
    """The student's own forward, to be differentiated."""
    if unit.form == "loss":
        return Program(file.child, unit.forward, fit.inputs, [list(fit.places["loss"])], [1.0])
    roles = [role for role in ("h", "c") if role in fit.places and f"d{role}" in fit.inputs]
    weights = [fit.inputs[f"d{role}"] for role in roles]
    return Program(file.child, unit.forward, fit.inputs, [list(fit.places[role]) for role in roles], weights)


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
    said = said or shared_words(named, right, rows, ours.problem.sizes)
    if fit.precision is not None:
        said = said or loss_words(unit, ours, fit, claims) or step_words(unit, ours, fit, claims, rows)
    if said:
        return [Finding(words, explains=True) for words in said]
    fine = {slot: claim for slot, claim in claims.items() if claim.shape == fit.inputs[slot].shape}
    if fit.precision is not None:
        q = {role: ours.arrays[role] for role in ours.names if role in ours.arrays}
        fine = {slot: claim for slot, claim in fine.items() if unit.roles[slot].partition(":")[0] in {*q, "W"}}
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


def not_used(file, unit, fit, ours):
    """Remarks on a forward that is not ours: which of its inputs its values do not depend on."""
    if fit.precision is not None:
        return []
    program = own_program(file, unit, fit)
    slots = [s for s, r in unit.roles.items() if r.partition(":")[0] not in ("W_y", "b_y") or unit.form == "loss"]
    unused = [s for s in slots if s in fit.inputs and not np.abs(derivative(program, s)[0]).max() > 1e-9]
    return [f"{unit.forward_name} gives values of its own, of which this is the derivative"
            + (f"; they do not depend on {', '.join(unused)}" if unused else "")]  # fmt: skip


def shared_words(named, right, rows, sizes):
    """Sentences on one factor in all gradients, and on one array that is returned for two parameters."""
    wrong = {row.name for row in rows}
    factors = {name: factor_of(named[name], right[name]) for name in named if right[name].any()}
    (k, *others) = factors.values() if wrong == set(factors) and len(wrong) > 1 else (None,)
    if k and all(other and abs(other / k - 1) < 1e-6 for other in others):
        names = {"T": sizes.T, "V": sizes.V, "N": sizes.N, "H": sizes.H}
        inverse = [f"1/{name}" for name, size in names.items() if abs(k * size - 1) < 1e-6 and size > 1]
        direct = [name for name, size in names.items() if abs(k / size - 1) < 1e-6 and size > 1]
        why = f": the loss is a mean over {direct[0]}, and the gradient is not divided by it" if direct else ""
        why = f", k = {inverse[0]}: the gradient is divided by {inverse[0][2:]}, and the loss is not" if inverse else why
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
