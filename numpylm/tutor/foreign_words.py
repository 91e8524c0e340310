"""What is said of a wrong gradient of another convention: in the user's names, whatever the layout."""

import re

import numpy as np

from numpylm.proof.evidence import same_arrays
from numpylm.tutor.claims import gradient_name
from numpylm.tutor.diagnose import diagnose_problem, said_alone
from numpylm.tutor.foreign_problems import SIZES
from numpylm.tutor.layouts import to_ours
from numpylm.tutor.loss_mistakes import loss_words
from numpylm.tutor.results import EXACT, compare, is_float32
from numpylm.tutor.sentences import Finding

OUR_NAMES = {  # role -> what our own sentences call its gradient
    "x": ("dx_t", "dx"), "h_prev": ("dh_prev", "dh_0"), "c_prev": ("dc_prev", "dc_0"), "W_x": ("dW_xh", "dW_x"),
    "W_h": ("dW_hh", "dW_h"), "b": ("db_h", "db"),
}  # fmt: skip


def explained(unit, fit, claims, rows, named, right, one_step):
    """Hints on wrong gradients, in our names. one_step gives (claims, wrong rows) of a single step, or None."""
    ours, sizes = fit.ours, fit.ours.problem.sizes if fit.ours else SIZES
    limit = clip_limit(named, right, rows)
    said = [f"every entry is clipped to ±{limit:g}: clip in the training loop, not here"] if limit else []
    said = said or shared_words(named, right, rows, sizes, fit.form == "loss")
    if fit.precision is not None:
        said = said or loss_words(unit, fit, claims, {row.name for row in rows})
    if said:
        return [Finding(words) for words in said]
    if fit.precision is not None:
        fine = {s: c / fit.scale for s, c in claims.items() if c.shape == fit.inputs[s].shape}
        q = {role: ours.arrays[role] for role in ours.names if role in ours.arrays}
        fine = {s: c for s, c in fine.items() if str(unit.roles[s]).partition(":")[0] in {*q, "W", "W1"}}
        moved = to_ours(fine, unit.roles, q, fit.layout)
        values = {f"d{ours.names[role]}": gradient for role, gradient in moved.items()}
        rough = fit.precision > EXACT or all(is_float32(claim) for claim in claims.values())
        values = {n: v.astype("f" if rough else "d") for n, v in values.items() if n in ours.problem.answers}
        ours_rows, _ = compare(values, ours.problem.answers, EXACT)
        hints = diagnose_problem(ours.assignment, ours.problem, values, ours_rows) if ours_rows else []
        if hints:
            return hints
    return said_alone(named, right, sizes) or by_one_step(unit, one_step()) or by_gate(unit, claims, rows)


def by_one_step(unit, found):
    """What a single step, to which nothing is carried, shows: is the mistake in the step, or in what is carried?"""
    if found is None:
        return []
    claims, rows = found
    if not rows:
        return [
            Finding("with a single step all is right: what step t hands to t - 1 misses a path, or takes one wrongly")
        ]
    return [Finding(f"with a single step too, {hint.words}") for hint in by_gate(unit, claims, rows)]


def by_gate(unit, claims, rows):
    """A list with a sentence on where gradients of code that is not ours are wrong, and where they are right."""
    names, wrong = {slot: gradient_name(unit, slot) for slot in claims}, {row.name for row in rows}
    roles = [
        {str(unit.roles[slot]) for slot in claims if (names[slot] in wrong) == is_wrong} for is_wrong in (True, False)
    ]
    gates = [{role.partition(":")[2] for role in some if ":" in role} for some in roles]
    told = sorted(gates[0] - gates[1])
    if told and gates[1]:
        words = f"of the gates, only {' and '.join(told)} has wrong gradients: look at the line of d{told[0]}"
    elif roles[0] and roles[0] <= {"h_prev", "c_prev", "x"}:
        words = "the weights' gradients are right: what goes on from here misses a path, or takes one wrongly"
    elif "loss" in unit.forms and roles[1] and roles[1] <= {"W_y", "b_y"}:
        words = "only the output layer's gradients are right: look at how dh is made, and carried to step t - 1"
    elif roles[1]:
        words = "the rest is right: look at the lines that make these gradients alone"
    else:
        words = "all gradients are wrong: look at the lines that all of them come from"
    return [Finding(f"{', '.join(sorted(wrong))}: {words}")]


def clip_limit(named, right, rows):
    """The limit to which every wrong gradient is clipped; None where that is not all that is wrong."""
    wrong = {row.name for row in rows}
    limit = max((np.abs(named[name]).max() for name in wrong), default=0)
    if not limit or float(f"{limit:.3g}") != limit:
        return None
    return limit if all(np.abs(named[n] - np.clip(right[n], -limit, limit)).max() < 1e-6 for n in wrong) else None


def shared_words(named, right, rows, sizes, is_loss):
    """Sentences on one factor in all gradients, and on one array that is returned for two parameters."""
    wrong = {row.name for row in rows}
    shown = {name for name in named if right[name].any()}
    k = common_factor({n: named[n] for n in shown}, right) if wrong == shown and len(wrong) > 1 else None
    if k:
        names = {"T": sizes.T, "V": sizes.V} if is_loss else {"N": sizes.N}
        inverse = [f"1/{name}" for name, size in names.items() if abs(k * size - 1) < 1e-6 and size > 1]
        direct = [name for name, size in names.items() if abs(k / size - 1) < 1e-6 and size > 1]
        why = f": the loss is a mean over {direct[0]}, and the gradient is not divided by it" if direct else ""
        why = (
            f", k = {inverse[0]}: the gradient is divided by {inverse[0][2:]}, and the loss is not" if inverse else why
        )
        return [f"all gradients are k times the right ones, k = {k:.6g}{why}"]
    return same_arrays(named, sorted(wrong))


def common_factor(claims, truths):
    """The one factor between all of some arrays and the right ones; None where there is none."""
    if not claims or any(claim.size != np.size(truths[name]) for name, claim in claims.items()):
        return None
    q, p = (np.concatenate([np.ravel(arrays[name]) for name in claims]) for arrays in (claims, truths))
    k = float(q @ p / (p @ p)) if p.any() else 0.0
    return k if k and np.abs(q - k * p).max() < 1e-6 * abs(k) * np.abs(p).max() else None


def renamed(unit, words):
    """A sentence with the user's names of the gradients, where each of ours has one name there."""
    names = {}
    for slot, role in unit.roles.items():
        if sum(other == role for other in unit.roles.values()) == 1:
            names |= dict.fromkeys(OUR_NAMES.get(role, ()), gradient_name(unit, slot))
    return re.sub(r"[^\W\d]\w*", lambda word: names.get(word.group(), word.group()), words)
