"""What is likely wrong with a function, given the values that it returned: from arrays by name to ranked sentences.

    for finding in diagnose("lstm_step_backward", {"x_t": …, "h_prev": …, …, "dh_t": …, "dc_next": …}, claimed):
        print(finding.words)

Pure functions: nothing is printed, no file is read, and no code but our own is run. The evidence, in this order:

    the values themselves    a wrong shape, two that are exchanged
    the library              all that was returned equals, to rounding, what a known mistake gives (mistakes.py)
    one factor in all        such as 1/N, or clipping
    suspects                 the line of a backward which, if only it is wrong, explains all (suspects.py)
    relations                what each wrong value has in common with the right one (proof/evidence.py)

Several mistakes are told apart if what they spoil does not come from each other: each is explained by itself.
"""

import re
from typing import NamedTuple

import numpy as np

from numpylm.proof.evidence import common_factor, relations, same, same_arrays
from numpylm.tutor.case import GATES, case_of, results_of
from numpylm.tutor.diagnosis import sentences
from numpylm.tutor.diagnosis.mistakes import wrong_results
from numpylm.tutor.diagnosis.sentences import Finding, known, of_a_numerical_derivative, suspicion, with_meanings
from numpylm.tutor.diagnosis.suspects import suspects
from numpylm.tutor.results import RTOL, is_rounding

RIGHT_INSIDE = {"da_t", "dx_t", "dx", "dW_x", "dW_xh", "dW_hh", "db", "db_h"}  # one is right: so is da_t
FROM_DA = ("dx", "dh", "dW", "db")  # how the names of what follows from da_t begin
WITH_GATES = ("dW_x", "dW_h", "db", "da_t", "dhW_t", "da", "dhW")
ALIKE = 1e-6  # a mistake is recognised in code that computes in float32 too


class Question(NamedTuple):
    """What was claimed and what is right, name -> array of one shape; which names are wrong; the case, or None."""

    case: object
    claims: dict
    truth: dict
    wrong: list
    trusted: tuple
    sizes: dict

    def alone(self, name):
        """The same without everything else that is wrong."""
        claims = {other: q for other, q in self.claims.items() if other == name or other not in self.wrong}
        return self._replace(claims=claims, wrong=[name])

    def gates(self, name):
        """How many gates stand side by side in an array of this name; 0 for none."""
        return len(GATES.get(self.case.cell, "")) if self.case and name in WITH_GATES else 0


def diagnose_problem(assignment, problem, values, rows, trusted=()):
    """Findings on what an assignment's function returned for a problem. trusted are right functions of the file."""
    if is_rounding(rows, assignment.rtol):
        return []
    names = [name.replace("rnn_relu", "rnn") for name in trusted]
    returned = {name: q for name, q in values.items() if name in problem.answers}
    found = diagnose(assignment.name, problem.symbols, returned, problem.answers, names, problem.sizes._asdict())
    return [finding for finding in found if "is of shape" not in finding.words]  # which the comparison has said


def diagnose(function, inputs, claimed, truth=None, trusted=(), sizes=None):
    """Findings on what is likely wrong with what a function returned, the most telling first; [] if all is right.

    function  the name of a function of ours, forward or backward; any other name, if truth is given
    inputs    its arguments by name, for a cell plain arrays: x h_0 c_0 W_x W_h b dh dh_T dc_T of a sequence (T, N, ·);
              x_t h_prev c_prev W_x W_h b dh_t dc_next of a step; a state or gradient that is not given is zero
    claimed   name -> array: dx dW_x dh_0 … or dx_t dh_prev dW_x …; a gate's own dW_xi; an intermediate, such as da_f
    truth     name -> array, the right values: ours, if left out
    trusted   names of functions that are known to be right
    sizes     such as {"V": 9}, by which a constant factor can be named

    Small inputs, T N H up to about 600, let single lines be told apart. NaN and unknown names are left out.
    """
    if function in ("central_difference", "complex_step"):
        return of_a_numerical_derivative(inputs["f"], np.asarray(claimed["gradient"], dtype=float))
    return diagnose_case(case_of(function, inputs), claimed, truth, tuple(trusted), sizes)


def diagnose_case(case, claimed, truth=None, trusted=(), sizes=None):
    """The same for a Case, for many claims on one: what is known of it is computed once."""
    right = (results_of(case) if case else {}) | {name: np.asarray(q) for name, q in (truth or {}).items()}
    claims = {name: np.asarray(q) for name, q in claimed.items() if name in right}
    found = [Finding(sentences.SHAPE.format(name, q.shape, right[name].shape), name)
             for name, q in claims.items() if q.shape != right[name].shape]  # fmt: skip
    pairs = exchanged(claims, right)  # of other shapes too
    claims = {name: q for name, q in claims.items() if q.shape == right[name].shape and np.isfinite(q).all()}
    taken = {name for pair in pairs for name in pair}
    found += [Finding(sentences.EXCHANGED.format(*pair)) for pair in pairs]
    claims = packed(case, {name: q for name, q in claims.items() if name not in taken}, right)
    wrong = [name for name, q in claims.items() if not agree(q, right[name], right[name], RTOL)]
    sizes = {**(case.sizes if case else {}), **(sizes or {})}
    claims = {name: q if name in wrong else right[name] for name, q in claims.items()}
    question = Question(case, claims, {name: right[name] for name in claims}, wrong, trusted, sizes)
    return found + [with_meanings(finding) for finding in (explained(question) if wrong else [])]


def exchanged(claims, right):
    """Pairs of names, of wrong claims that stand in each other's places."""
    wrong = [name for name, q in claims.items() if q.size > 1 and q.any() and not same(q, right[name])]
    pairs = [(name, other) for k, name in enumerate(wrong) for other in wrong[:k]]
    return [(one, other) for one, other in pairs
            if same(claims[one], right[other]) and same(claims[other], right[one])]  # fmt: skip


def packed(case, claims, right):
    """The claims with each gate's dW_xi, dW_xf, … side by side as dW_x; a gate that is not claimed counts as right."""
    gates = GATES.get(case.cell, "") if case else ""
    for name, row in (("dW_x", "dW_x"), ("dW_h", "dW_h"), ("db", "db_")):
        if any(row + gate in claims for gate in gates):
            claims[name] = np.concatenate([claims.pop(row + gate, right[row + gate]) for gate in gates], axis=-1)
    return claims


def explained(question):
    """Findings on what is wrong: of gradients one cause of all or one of each; of a forward a mistake or numbers."""
    found = [known(mistake) for mistake in matching(question)[:2]]
    if question.case and not question.case.is_backward:
        return found[:1] or numbers(question, question.wrong)
    if not found and len(question.wrong) == len(question.claims) > 1:
        shared = common_factor(question.claims, question.truth, question.sizes)
        found = [Finding(shared)] if shared else []
    if not found and len(question.wrong) > 1:
        found = suspicions(question)
    return found or each_alone(question)


def matching(question, by_gate=False):
    """The mistakes of the library that give just what is claimed; by_gate, in some gates, where others are right."""
    case, claims = question.case, question.claims
    return [
        mistake
        for mistake, made in (wrong_results(case) if case else [])
        if claims.keys() <= made.keys()
        and mistake.function not in question.trusted
        and all(is_made(question, name, made[name], by_gate) for name in claims)
    ]


def is_made(question, name, made, by_gate):
    """Whether a claim is what was made, or, by_gate, each of its gates is that, and not only zero, or right."""
    q, right = question.claims[name], question.truth[name]
    gates = question.gates(name) if by_gate else 0
    if not gates or q.shape != made.shape:
        return agree(q, made, right, ALIKE)
    blocks = zip(*[np.split(array, gates, axis=-1) for array in (q, made, right)], strict=True)
    return all(
        (block.any() and agree(block, wrong, ours, ALIKE)) or agree(block, ours, ours, ALIKE)
        for block, wrong, ours in blocks
    )


def agree(q, made, right, tolerance):
    """Whether a claim is what was made, to a part of that or of the right value; 1e-4 at least for a float32 claim."""
    if q.shape != made.shape:
        return False
    size = max(np.abs(right).max(initial=0), np.abs(made).max(initial=0), 1e-300)
    tolerance = max(tolerance, 1e-4 if q.dtype == np.float32 else 0)
    return bool((np.abs(q - made) <= tolerance * size).all())


def suspicions(question):
    """A list with the finding on the line that most likely is the only wrong one.

    If two lines explain the claim by equally small mistakes, no gradient can tell which it is: one sentence names both.
    """
    if question.case is None or not question.case.is_backward:
        return []
    found = suspects(question.case, question.claims, question.trusted)
    others = [one for one in found[1:] if one.line.quantity != found[0].line.quantity and one.order == found[0].order]
    return [suspicion(*found[:1], *others[:1])] if found else []


def each_alone(question):
    """Findings on each wrong gradient by itself: a known mistake, the numbers, or a formula.

    Where the pre-activations' gradients may be wrong too, what follows from them has no line of its own.
    """
    found = [mistake for name in question.wrong for mistake in matching(question.alone(name), by_gate=True)[:1]]
    said = [known(mistake) for mistake in dict.fromkeys(found)]
    said += numbers(question, unsaid(question.wrong, said))
    right = question.claims.keys() - set(question.wrong)
    are_several = question.case and len(question.wrong) > 1 and not right & RIGHT_INSIDE
    for name in unsaid(question.wrong, said):
        if not (are_several and name.startswith(FROM_DA)):
            said += suspicions(question.alone(name))
    if not are_several:
        return said
    return [finding._replace(words=finding.words.replace(f" {sentences.ALONE}", "")) for finding in said] + [
        Finding(sentences.SEVERAL)
    ]


def unsaid(names, said):
    """The names that no finding is about."""
    return [name for name in names if not any(re.search(rf"\b{name}\b", finding.words) for finding in said)]


def numbers(question, names):
    """Findings on what each wrong quantity has in common with the right one, said once of all that it holds for."""
    said = {}  # sentence -> names
    for name in names:
        for sentence in relations(question.claims[name], question.truth[name], question.sizes, question.gates(name)):
            said.setdefault(sentence, []).append(name)
    returned = {name: q for name, q in question.claims.items() if name.startswith(("dW", "db"))}
    copies = same_arrays(returned, [name for name in names if name in returned])
    return [Finding(words) for words in copies] + [
        Finding(f"{', '.join(holders)}: {each(sentence, holders)}", holders[0]) for sentence, holders in said.items()
    ]


def each(sentence, holders):
    """ "it is …" of one, "each is …" of several."""
    return sentence if len(holders) == 1 else sentence.replace("it is", "each is", 1).replace("it has", "each has", 1)
