"""What is said of a wrong gradient of another convention: in the user's names, whatever the layout."""

import re

import numpy as np

from numpylm.proof.evidence import common_factor, same, same_arrays
from numpylm.tutor.diagnosis.diagnose import diagnose, diagnose_problem
from numpylm.tutor.diagnosis.sentences import SEVERAL, Finding
from numpylm.tutor.foreign.claims import gradient_name
from numpylm.tutor.foreign.layouts import is_ours, theirs, to_ours
from numpylm.tutor.foreign.problems import SIZES, with_dlogits
from numpylm.tutor.process.stop import Stop, crash_sentence, is_own_error, missing_name
from numpylm.tutor.results import EXACT, compare, is_float32

DLOGITS = (
    "{}: the output layer's gradients are wrong: is the gradient at the logits y - onehot(target), as for the softmax, "
    "at every step?"
)
ONLY_OUTPUT = "{0}: all other gradients are right, so the one at the logits is right too: look at the lines of {0}"
CARRIED = "with a single step all is right: the gradient that step t passes to t - 1 misses a path, or one is wrong"
NOT_WRITTEN = {  # the child's word for it -> what is said
    "None": "it returns None: it is not written yet, or its line with `return` is missing",
    "NotImplementedError": "it is not written yet (it raises NotImplementedError)",
}
OUR_NAMES = {  # role -> what our own sentences call its gradient
    "x": ("dx_t", "dx"), "h_prev": ("dh_prev", "dh_0"), "c_prev": ("dc_prev", "dc_0"), "W_x": ("dW_xh", "dW_x"),
    "W_h": ("dW_hh", "dW_h"), "b": ("db_h", "db"),
}  # fmt: skip
GATED = re.compile(r"(.*): only its columns of (.+) are wrong, of its \d gates$")
DIAGONAL = "the code takes σ's derivative for the softmax's: the Jacobian's off-diagonal terms are missing"


def explained(unit, fit, claims, rows, named, right, one_step):
    """Hints on wrong gradients, in our names. one_step() gives (Fit, claims) of a single step."""
    sizes, wrong = fit.ours.problem.sizes if fit.ours else SIZES, {row.name for row in rows}
    sizes = {"T": sizes.T, "V": sizes.V} if fit.form == "loss" else {"N": sizes.N}
    shown = {name: q for name, q in right.items() if q.any()}
    factor = common_factor(named, shown, sizes) if wrong == shown.keys() else None
    alike = same_arrays(right, sorted(wrong))  # b_ih and b_hh have the same gradient
    said = [factor] if factor else [words for words in same_arrays(named, sorted(wrong)) if words not in alike]
    if fit.precision is None:
        hints = [] if said else [h for h in diagnose("", {}, named, right, (), sizes) if h.words not in alike]
        said = [*map(Finding, said), *hints]
        return said or by_gate(unit, claims, rows)
    output = {gradient_name(unit, slot) for slot in claims if unit.roles[slot] in ("W_y", "b_y")}
    said = said or loss_words(unit, fit, claims, wrong) or output_words(unit, fit, claims, wrong)
    said = said or [DLOGITS.format(", ".join(sorted(output)))] * (
        fit.form == "loss" and bool(output) and output <= wrong
    )
    hints = [Finding(words) for words in said] or by_our_lines(unit, fit, claims)
    if hints and is_vague(hints[0]):
        hints = by_our_step(unit, *one_step()) + hints
    return hints or diagnose("", {}, named, right, (), sizes) or by_gate(unit, claims, rows)


def by_our_lines(unit, fit, claims):
    """Hints on the gradients of a forward that gives our values, moved into our layout."""
    ours, (values, rows) = fit.ours, in_ours(unit, fit, claims)
    hints = diagnose_problem(ours.assignment, ours.problem, values, rows) if rows else []
    return [hint for hint in hints if "axis" not in hint.words]  # which is ours, and not theirs


def by_our_step(unit, fit, claims):
    """The same of a single step: of several wrong lines, which is wrong in the step?"""
    values, rows = in_ours(unit, fit, claims) if fit else ({}, [])
    if values and not rows:
        is_whole = all(map(np.any, values.values()))
        return [Finding(CARRIED if is_whole else f"{CARRIED}; or a gradient is wrong that needs h_{{t-1}}, here zero")]
    is_run = all(q.any() or not fit.ours.problem.answers[name].any() for name, q in values.items())
    hints = by_our_lines(unit, fit, claims) if rows and is_run else []
    return [hint._replace(words=f"with a single step too, {hint.words}") for hint in hints if not is_vague(hint)]


def is_vague(hint):
    """Whether a hint names no line: several are wrong, or all that is wrong shows in da_t, where all lines of a step
    meet."""
    return hint.words == SEVERAL or (hint.quantity in ("da_t", "da") and "seems to be" not in hint.words)


def in_ours(unit, fit, claims):
    """(our name -> claimed gradient, in our layout, the rows of those that are wrong)."""
    ours = fit.ours
    q = {role: ours.arrays[role] for role in ours.names if role in ours.arrays}
    fine = {s: c / fit.scale for s, c in claims.items() if c.shape == np.shape(fit.inputs[s])}
    fine = {s: c for s, c in fine.items() if str(unit.roles[s]).partition(":")[0] in {*q, "W", "W1"}}
    values = {f"d{ours.names[role]}": g for role, g in to_ours(fine, unit.roles, q, fit.layout).items()}
    is_rough = fit.precision > EXACT or all(is_float32(claim) for claim in claims.values())
    values = {n: v.astype("f" if is_rough else "d") for n, v in values.items() if n in ours.problem.answers}
    return values, compare(values, ours.problem.answers, EXACT)[0]


def by_gate(unit, claims, rows):
    """A list with a sentence on where gradients of code that is not ours are wrong, and where they are right."""
    wrong = {row.name for row in rows}
    bad, good = (
        {str(unit.roles[slot]) for slot in claims if (gradient_name(unit, slot) in wrong) == is_wrong}
        for is_wrong in (True, False)
    )
    gates = [{role.partition(":")[2] for role in some if ":" in role} for some in (bad, good)]
    told = sorted(gates[0] - gates[1])
    if told and gates[1]:
        have = "have" if told[1:] else "has"
        words = f"of the gates, only {' and '.join(told)} {have} wrong gradients: look at the line of d{told[0]}"
    elif bad and bad <= {"h_prev", "c_prev", "x"}:
        words = "the weights' gradients are right: the gradients that go on from here miss a path, or one is wrong"
    elif "loss" in unit.forms and good and good <= {"W_y", "b_y"}:
        words = "only the output layer's gradients are right: look at how dh is made, and carried to step t - 1"
    elif good:
        words = "the rest is right: look at the lines that make these gradients alone"
    else:
        words = "all gradients are wrong: look at the lines that all of them come from"
    return [Finding(f"{', '.join(sorted(wrong))}: {words}")]


def loss_words(unit, fit, claims, wrong):
    """A list with the sentence on a wrong gradient at the logits, or on what the states are given of a right one.

    The gradients of the output layer show which it is, or those of the cell where the output layer's are right.
    """
    output, ours = {s for s in claims if unit.roles[s] in ("W_y", "b_y")}, fit.ours
    if fit.form != "loss" or not output or "y" not in ours.arrays or fit.precision is None:
        return []
    is_wrong = any(gradient_name(unit, slot) in wrong for slot in output)
    shown = {s: q for s, q in claims.items() if (s in output) == is_wrong and is_ours(fit, unit.roles[s])}
    mistakes = wrong_incoming(ours) if unit.incoming else wrong_dlogits(ours.arrays["y"], ours.arrays["targets"])
    for words, dlogits in mistakes:
        made = with_dlogits(ours, dlogits).gradients
        alike = {s for s, q in shown.items() if same(q, fit.scale * theirs(unit.roles[s], made, fit.layout))}
        if alike and alike >= ({s for s in shown if unit.roles[s] == "W_y"} or shown.keys()):
            return [words]
    return []


def output_words(unit, fit, claims, wrong):
    """A list with the sentence on the gradients of the output layer, if they alone are wrong: so what is at the logits
    is right."""
    names = {gradient_name(unit, slot): slot for slot in claims if unit.roles[slot] in ("W_y", "b_y")}
    if fit.form != "loss" or not wrong <= names.keys() or len(names) == len(claims):
        return []
    slot = names[min(wrong, key=lambda name: unit.roles[names[name]])]  # W_y, if it is wrong too
    for words, made in wrong_outputs(fit.ours):
        if same(claims[slot], fit.scale * theirs(unit.roles[slot], made, fit.layout)):
            return [f"{gradient_name(unit, slot)}: {words}"]
    return [ONLY_OUTPUT.format(", ".join(sorted(wrong)))]


def wrong_outputs(ours):
    """(what was written, role -> the gradient of the output layer that it gives)."""
    dlogits, h = ours.arrays["dlogits"], ours.arrays["h"]
    h_prev = np.concatenate([ours.problem.symbols.get("h_0", 0 * h[0])[None], h[:-1]])
    only = "only the step t = {} adds to it: is the sum over time overwritten, or its line outside of the loop?"
    steps = [(only.format(t + 1), h[t : t + 1], dlogits[t : t + 1]) for t in (0, len(h) - 1)]
    for words, states, dy in (*steps, ("h_{t-1} stands where h_t belongs", h_prev, dlogits)):
        yield words, {"W_y": np.einsum("tnh,tnv->hv", states, dy), "b_y": dy.sum(axis=(0, 1))}


def wrong_incoming(ours):
    """The same where a gradient comes in at the output of the last step alone: it is then that of b_y."""
    words = "the gradient of the output is added at every t: the output is that of the last step alone"
    yield words, ours.gradients["b_y"] + np.zeros_like(ours.arrays["y"])


def wrong_dlogits(y, targets):
    """(what was written, the loss's gradient at the logits (T, N, V) that it gives)."""
    onehot = np.eye(y.shape[-1])[targets][:, None]
    right, t = y - onehot, np.arange(len(y))[:, None, None]
    yield "the 1 at the target is not subtracted: the gradient at the logits is y - onehot(target)", y
    yield "the 1 at the target is added: the gradient at the logits is y - onehot(target)", y + onehot
    yield "the last step's gradient of the loss is added at every t: each step has its own", right[-1] + 0 * right
    yield "only the last step's loss is followed back: the loss is a sum over all steps", right * (t == len(y) - 1)
    yield "the last step is skipped: its loss adds nothing to any gradient", right * (t < len(y) - 1)
    yield "the first step is skipped: its loss adds nothing to any gradient", right * (t > 0)
    for q in (y, onehot * y, right * y, -onehot):
        yield DIAGONAL, q * (1 - y)
    yield "this is the gradient with respect to the probabilities y, and not to the logits", -onehot / y


def rounded(named, right):
    """A remark on gradients that are right to some digits only."""
    worst = max((row.relative_error for row in compare(named, right, EXACT)[0]), default=0)
    words = "right to about {:.0e}: it computes in float32, or adds a small ε, as in y (1 - y + 1e-8)"
    return [words.format(worst)] if worst else []


def renamed(unit, words):
    """A sentence with the user's names of the gradients, where each of ours has one name there; axes keep numbers."""
    names, words = {}, re.sub(r"(axis \d) \([TN]\)", r"\1", words)
    if gated := GATED.match(words):
        packed = [s for s, role in unit.roles.items() if role in ("W", "W1") or f"d{role}" in gated[1].split(", ")]
        told = [f"{', '.join(gradient_name(unit, slot) for slot in packed)}: "] * bool(packed)
        return f"{''.join(told)}of the gates, only {gated[2]} {'have' if ',' in gated[2] else 'has'} wrong gradients"
    for slot, role in unit.roles.items():
        if sum(other == role for other in unit.roles.values()) == 1:
            names |= dict.fromkeys(OUR_NAMES.get(role, ()), gradient_name(unit, slot))
    return re.sub(r"[^\W\d]\w*", lambda word: names.get(word.group(), word.group()), words)


def not_run(file, unit, error):
    """The Stop for a forward that runs in no layout."""
    if error is None:
        words = f"{unit.forward_name} returns no array of the shape that the check expects"
        return Stop("not checked", words)
    if error.get("type") == "None" and unit.keeps:  # such as train(x)
        return Stop("not checked", f"{unit.forward_name} returns None, where the check expects outputs or gradients")
    if error.get("type") in NOT_WRITTEN:
        return Stop("not written", NOT_WRITTEN[error["type"]])
    why = missing_name(error, file.contents["failures"])
    if why:
        return Stop("not checked", f"{unit.forward_name} needs {error.get('name')}", *why)
    code, words = [str(line) for line in error.get("lines", [])], crash_sentence(error, "")
    if (unit.is_usual and not unit.places) or unit.is_of_book or is_own_error(words):
        return Stop("crash", crash_sentence(error, f"when {unit.forward_name} is called"), code=code)
    words = words.removeprefix("it crashes : ").rstrip(".")
    return Stop("not checked", f"{unit.forward_name} fails with every input that the check tries ({words})", code=code)
