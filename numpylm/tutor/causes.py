"""Wrong gradients: one mistake that explains them all, or one for each, or what narrows down where the mistake is."""

import re
from typing import NamedTuple

import numpy as np

from numpylm.proof.evidence import common_factor, relations, same_arrays
from numpylm.tutor.case import GATES
from numpylm.tutor.library import wrong_results
from numpylm.tutor.sentences import Finding, about, alternative, at, known, suspicion, tie, wrong_after
from numpylm.tutor.suspects import LARGEST, PACKED, lines_of, reach, reaching, right_run, suspects

RIGHT_INSIDE = ("da_t", "dx_t", "dx", "dW_x", "dW_xh", "dW_hh")  # one is right: so are all gates' gradients
FINAL = (*PACKED, "dh_prev", "dc_prev")  # of a step, and no intermediates
ALIKE = 1e-6  # a mistake is recognised in code that computes in float32 too
WITH_GATES = ("dW_x", "dW_h", "db", *PACKED)


class Question(NamedTuple):
    """What was claimed and what is right, name -> array of one shape; which names are wrong; the case, or None."""

    case: object
    claims: dict
    truth: dict
    wrong: list
    trusted: tuple
    sizes: dict

    def only(self, names):
        """The same with all mended but these."""
        claims = {name: q if name in names else self.truth[name] for name, q in self.claims.items()}
        return self._replace(claims=claims, wrong=[name for name in self.wrong if name in names])

    @property
    def is_right_inside(self):
        """Whether the pre-activations' gradients are known to be right: then each wrong claim has its own cause."""
        return any(name in self.claims and name not in self.wrong for name in RIGHT_INSIDE)


def gradients(question):
    """Findings on gradients, of which none are exchanged: one cause of all that is wrong, else one of each, else what
    narrows them down."""
    exact = [known(mistake) for mistake in matching(question)[:2]]
    shared = None
    if not exact and len(question.wrong) == len(question.claims) > 1:
        shared = common_factor(question.claims, question.truth, question.sizes)
    if exact or shared:
        return exact or [Finding(shared, explains=True), *suspicions(question)[:1]]
    question = question.only(question.wrong)
    first, found = first_intermediate(question), []
    if first or len(question.wrong) > 1:
        found = suspicions(question)
    if not found and not first and (question.is_right_inside or len(question.wrong) == 1):
        return each_alone(question)
    found = found or ([] if first else narrowed(question)) + numbers(question, question.wrong)
    if first and first.code and first.quantity not in PACKED:  # a line of the step, that may be to blame itself
        return [first, *[other for other in found if other.quantity != first.quantity]]
    return [*found, first] if first else found


def matching(question):
    """The mistakes of the library that give just what is claimed."""
    case, claims = question.case, question.claims
    return [
        mistake
        for mistake, made in (wrong_results(case) if case else [])
        if claims.keys() <= made.keys()
        and mistake.function not in question.trusted
        and all(agree(q, made[name], question.truth[name], ALIKE) for name, q in claims.items())
    ]


def agree(q, made, right, tolerance):
    """Whether a claim is what was made, to a part of that or of the right value; 1e-4 at least for a float32 claim."""
    if q.shape != made.shape:
        return False
    size = max(np.abs(right).max(initial=0), np.abs(made).max(initial=0), 1e-300)
    tolerance = max(tolerance, 1e-4 if q.dtype == np.float32 else 0)
    return bool((np.abs(q - made) <= tolerance * size).all())


def suspicions(question):
    """Findings on the line that most likely is the only wrong one, and on the one that could be instead.

    If two lines explain the claim by equally small mistakes, no gradient can tell which it is: one sentence names both.
    """
    if question.case is None or not question.case.is_backward:
        return []
    found = suspects(question.case, question.claims, question.trusted)
    others = [other for other in found[1:] if other.line.quantity != found[0].line.quantity]
    if not others:
        return [suspicion(best) for best in found[:1]]
    if found[0].order[:3] == others[0].order[:3]:
        return [tie(found[0], others[0]), *[alternative(other) for other in others[1:2]]]
    return [suspicion(found[0]), alternative(others[0])]


def first_intermediate(question):
    """The Finding on the first wrong intermediate in the order of the backward pass; None if none is claimed."""
    case, claims = question.case, question.claims
    lines = {line.quantity: line for line in lines_of(case) if line.function == case.step} if case else {}
    order = [name for name in ("dh_t", *lines) if name in claims]
    right = None
    for t in ([...] if case.is_step else reversed(range(case.T))) if set(order) - set(FINAL) else ():
        for name in order:
            p = question.truth[name]
            if not (np.abs(claims[name][t] - p[t]) <= 1e-9 * max(np.abs(p).max(), 1e-300)).all():
                return wrong_after(lines.get(name), name, right, t)
            right = name
    return None


def each_alone(question):
    """Findings on wrong gradients that do not come from each other: a known mistake, the numbers, or a formula."""
    said = [known(mistake) for name in question.wrong for mistake in matching(question.only([name]))[:1]]
    said += numbers(question, unsaid(question.wrong, said))
    for name in unsaid(question.wrong, said):
        found = suspicions(question.only([name]))
        if len(question.claims) > 1 and question.case and not (found and found[0].explains):
            words = f"{name} is wrong by itself: what it is computed from is right, so look at the line that makes it"
            alone = [Finding(words, name, code=found[0].code if found else "")]
            found = alone if question.is_right_inside else found or narrowed(question.only([name]))
        said += found
    return said


def unsaid(names, said):
    """The names that no finding is about."""
    return [name for name in names if not any(re.search(rf"\b{name}\b", finding.words) for finding in said)]


def narrowed(question):
    """The finding where no single line explains the claim: the last one that reaches all that is wrong."""
    case, claims = question.case, question.claims
    if case is None or not case.is_backward:
        return []
    lines = reaching(case, claims, question.trusted)
    if not lines:
        lines = [line for line in lines_of(case) if line in right_run(case).values]
        line = next((line for line in lines if line.quantity == question.wrong[0]), lines[0])
        return [about(line, f"more than one line is wrong; begin with {line.quantity}{at(line)}.")]
    line = min(lines, key=lambda line: np.count_nonzero(reach(case, line, tuple(claims))))
    large = any(np.size(right_run(case).values[other]) > LARGEST for other in lines)
    hint = f" Sizes with T N H up to {LARGEST} tell single lines apart." if large else ""
    words = f"all that is wrong comes from {line.quantity}{at(line)}, from one before it, or from several.{hint}"
    return [about(line, words)]


def numbers(question, names):
    """Findings on what each wrong quantity has in common with the right one, said once of all that it holds for."""
    said = {}  # sentence -> names
    for name in names:
        gates = len(GATES.get(question.case.cell, "")) if question.case and name in WITH_GATES else 0
        for sentence in relations(question.claims[name], question.truth[name], question.sizes, gates):
            said.setdefault(sentence, []).append(name)
    returned = {name: q for name, q in question.claims.items() if name.startswith(("dW", "db"))}
    copies = same_arrays(returned, [name for name in names if name in returned])
    return [Finding(words, explains=True) for words in copies] + [
        Finding(f"{', '.join(holders)}: {each(sentence, holders)}", holders[0], explains="clipped" in sentence)
        for sentence, holders in said.items()
    ]


def each(sentence, holders):
    """ "it is …" of one, "each is …" of several."""
    return sentence if len(holders) == 1 else sentence.replace("it is", "each is", 1).replace("it has", "each has", 1)
