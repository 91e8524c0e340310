"""What is likely wrong with a student's function, given which of the quantities that it returned are wrong.

The evidence, in this order:

    the quantities themselves    two of them exchanged, one zero everywhere, one factor in all
    one mistake for everything   numpylm.tutor knows our own backward functions line by line, and common mistakes
    each quantity by itself      where the pre-activations' gradients are right, so that none comes from another
    what they have in common     with the right ones (relations.py), and which is computed first
"""

import re

import numpy as np

from numpylm.proof import evidence
from numpylm.tutor.hints import Evidence, Hint, findings, first_wrong, hints, in_common
from numpylm.tutor.own_forward import fit_sentence
from numpylm.tutor.relations import exchange_sentences, exchanges, relations
from numpylm.tutor.results import is_rounding
from numpylm.tutor.slips import known_slip, known_weight_slip, known_window_slip

PRE_ACTIVATION_GRADIENTS = ("da_t", "dx_t", "dx", "dW_x", "dW_xh", "dW_hh")  # one is right: so are those of all gates


def said_alone(assignment, names, values, answers, sizes):
    """Hints on wrong gradients of code whose lines we do not know: what each has in common with the right one."""
    wrong = {name: values[name] for name in names}
    truths = {name: answers[name] for name in names}
    shared = evidence.common_factor(wrong, truths) if len(names) == len(values) > 1 else None
    if shared:
        return [Hint(shared)]
    said = [(name, relations(assignment, name, values[name], answers[name], sizes)) for name in names]
    return [Hint(f"{name}: {sentence}") for name, sentences in said for sentence in sentences]


def diagnose(assignment, problem, values, rows, trusted=(), own_forward=None):
    """Hints on what is likely wrong, the most telling first. trusted names functions that it calls and that are right;
    own_forward is the student's forward, an OwnForward, if that is wrong, and the cache came from it.

    A diagnosis is a help: where it fails itself, the table of wrong entries still stands.
    """
    answers = {name: right for name, right in problem.answers.items() if name in values}
    taken = exchanges(values, answers)
    found = [Hint(words) for words in exchange_sentences(taken)]
    rest = [row.name for row in rows if row.name not in taken]
    if not rest or is_rounding(rows, assignment.rtol):
        return found
    if own_forward:
        fit = fit_sentence(own_forward, values)
        return [*found, Hint(fit)] if fit else found
    seen = {
        name: np.asarray(values[name] if name in rest else right, dtype=float)
        for name, right in answers.items()
        if name in taken or can_be_compared(values[name], right)
    }
    case = Evidence(assignment, problem, seen, rest, tuple(trusted))
    return found + (diagnose_backward(case) if assignment.is_backward else diagnose_forward(case))


def can_be_compared(value, right):
    """Whether a value has the right one's shape, and only finite entries."""
    return value.shape == np.shape(right) and bool(np.isfinite(value).all())


def diagnose_forward(case):
    """Hints on a forward's values: a known slip, else what is seen first and what is in common with the right ones."""
    try:
        slip = known_slip(case.assignment, case.problem, case.values)
    except Exception:  # the table still says what is wrong
        slip = None
    return [Hint(*slip, explains=True)] if slip else first_wrong(case) + in_common(case, case.wrong)


def diagnose_backward(case):
    """Hints on gradients, of which none are exchanged."""
    if case.assignment.name == "truncated_bptt":
        words = known_window_slip(case.problem, case.values)
        if words:
            return [Hint(words, explains=True)]
    if len(case.wrong) == len(case.values) > 1:
        truths = {name: case.problem.answers[name] for name in case.wrong}
        shared = evidence.common_factor({name: case.values[name] for name in case.wrong}, truths)
        if shared:
            return [Hint(shared)]
    zero = [name for name in case.wrong if not case.values[name].any()]
    rest = [name for name in case.wrong if name not in zero]
    if zero and (not rest or is_right_inside(case)):
        return in_common(case, zero) + (explained(case, rest) if rest else [])
    return explained(case, case.wrong)


def explained(case, names):
    """Hints on wrong gradients: one mistake that explains all of them, else one for each, else what is seen first."""
    together = findings(case, names)
    if len(names) > 1 and any(finding.is_explained for finding in together):
        return hints(together)
    if is_right_inside(case) or len(names) == 1:
        return each_alone(case, names)
    return all_but_one(case, names) or (hints(together) or first_wrong(case)) + in_common(case, names)


def all_but_one(case, names):
    """Hints where one known mistake explains all gradients but one, from which none of the others comes; else none."""
    leaves = [name for name in names if re.match(r"d(x|b|W)", name)]
    for leaf in leaves if len(names) > 2 else ():
        known = [finding for finding in findings(case, names, left_out=leaf) if finding.is_known]
        if known:
            also = "is it put together in the order of time?" if leaf == "dx" else "the line that makes it is wrong too"
            words = f"{leaf} does not follow from that alone: {also}"
            return [*hints(known[:1]), *(in_common(case, [leaf]) or [Hint(words)])]
    return []


def each_alone(case, names):
    """Hints on wrong gradients that do not come from each other: a known mistake, a relation, or the line's formula."""
    found = {name: findings(case, [name]) for name in names}
    known = [name for name in names if any(finding.is_known for finding in found[name])]
    rest = [name for name in names if name not in known]
    said = [hint for name in known for hint in hints(found[name])] + slips_in_weights(case, rest)
    said += in_common(case, unsaid(rest, said))
    return said + [hint for name in unsaid(rest, said) for hint in by_itself(case, name, found[name])]


def unsaid(names, said):
    """The names that no hint is about."""
    return [name for name in names if not any(re.search(rf"\b{name}\b", hint.words) for hint in said)]


def slips_in_weights(case, names):
    """Hints on a step's gradients of weights, bias and input that equal a known slip."""
    slips = {}  # words -> the quantities that they hold for
    for name in names:
        words = known_weight_slip(case.assignment, case.problem, name, case.values[name])
        if words:
            slips.setdefault(words, []).append(name)
    return [Hint(f"{', '.join(holders)}: {words}", explains=True) for words, holders in slips.items()]


def by_itself(case, name, found):
    """Hints on a gradient that has nothing in common with the right one."""
    is_read = found and "seems to be" in found[0].words
    if len(case.values) == 1 and not is_read:  # that its one value is wrong is known
        return []
    if is_read or not is_right_inside(case):
        return [
            hint._replace(words=hint.words.replace("all that is wrong", f"what {name} is")) for hint in hints(found)
        ]
    words = f"{name} is wrong by itself: what it is computed from is right, so look at the line that makes it"
    return [Hint(words, found[0].code if found and found[0].is_explained else "")]


def is_right_inside(case):
    """Whether the pre-activations' gradients are known to be right: then each wrong quantity has its own cause."""
    return any(name in case.values and name not in case.wrong for name in PRE_ACTIVATION_GRADIENTS)
