"""Wrong gradients: one mistake that explains them all, or one for each, or what narrows down where the mistake is."""

import re
from typing import NamedTuple

import numpy as np

from numpylm.proof.evidence import common_factor, relations, same_arrays
from numpylm.tutor.case import GATES
from numpylm.tutor.library import wrong_results
from numpylm.tutor.lines import lines_of, reach, right_run
from numpylm.tutor.sentences import Finding, alternative, at, known, ours, suspicion, tie, wrong_after
from numpylm.tutor.suspects import LARGEST, PACKED, flat, reaches, suspected, suspects

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

    def without(self, names):
        """The same, where nothing is known of these."""
        claims = {name: q for name, q in self.claims.items() if name not in names}
        return self._replace(claims=claims, wrong=[name for name in self.wrong if name not in names])


def gradients(question):
    """Findings on gradients, of which none are exchanged."""
    claims, wrong = question.claims, question.wrong
    exact = [known(mistake) for mistake in matching(question)[:2]]
    if exact:
        return exact
    if len(wrong) == len(claims) > 1:
        shared = common_factor(claims, {name: question.truth[name] for name in wrong}, question.sizes)
        if shared:
            return [Finding(shared, explains=True), *one_cause(question)[:1]]
    none = [name for name in wrong if not claims[name].any()]
    rest = [name for name in wrong if name not in none]
    together = one_cause(question) if len(none) > 1 or (none and rest and not is_right_inside(question)) else []
    if none and not together:
        return numbers(question, none) + (causes(question.without(none), rest) if rest else [])
    return together or causes(question, wrong)


def is_right_inside(question):
    """Whether the pre-activations' gradients are known to be right: then each wrong quantity has its own cause."""
    return any(name in question.claims and name not in question.wrong for name in RIGHT_INSIDE)


def causes(question, names):
    """Findings on wrong gradients: one cause of all, else one of each, else what narrows them down."""
    question = question.only(names)
    first = first_intermediate(question)
    found = one_cause(question) if first or len(names) > 1 else []
    if not found and not first and (is_right_inside(question) or len(names) == 1):
        return each_alone(question, names)
    found = found or ([] if first else narrowed(question)) + numbers(question, names)
    if first and first.code and first.quantity not in PACKED:  # a line of the step, that may be to blame itself
        return [first, *[other for other in found if other.quantity != first.quantity]]
    return [*found, first] if first else found


def one_cause(question):
    """Findings if one mistake explains all that is wrong: it is known, or it is in one line."""
    if question.case is None:
        return []
    return [known(mistake) for mistake in matching(question)[:2]] or suspicions(question)


def matching(question):
    """The mistakes of the library that give just what is claimed."""
    case, claims = question.case, question.claims
    return [
        mistake
        for mistake, made in (wrong_results(case) if case else [])
        if claims.keys() <= made.keys()
        and not (mistake.changes and mistake.function in question.trusted)
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
    if not question.case.is_backward:
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


def each_alone(question, names):
    """Findings on wrong gradients that do not come from each other: a known mistake, the numbers, or a formula."""
    said = [known(mistake) for name in names for mistake in matching(question.only([name]))[:1]]
    said += numbers(question, unsaid(names, said))
    return said + [finding for name in unsaid(names, said) for finding in by_itself(question.only([name]), name)]


def unsaid(names, said):
    """The names that no finding is about."""
    return [name for name in names if not any(re.search(rf"\b{name}\b", finding.words) for finding in said)]


def by_itself(question, name):
    """Findings on a gradient that has nothing in common with the right one."""
    found = suspicions(question) if question.case else []
    if (found and found[0].explains) or not question.case:
        return found
    if len(question.claims) == 1:  # that its one value is wrong is known
        return []
    if not is_right_inside(question):
        return found or narrowed(question)
    words = f"{name} is wrong by itself: what it is computed from is right, so look at the line that makes it"
    return [Finding(words, name, code=found[0].code if found else "")]


def narrowed(question):
    """The finding where no single line explains the claim: the last one that reaches all that is wrong."""
    case, claims, wrong = question.case, question.claims, question.wrong
    lines = suspected(case, question.trusted) if case and case.is_backward else []
    if not lines:
        return []
    difference = flat({name: q - question.truth[name] for name, q in claims.items()}, case, claims)
    reaching = [line for line in lines if reaches(case, line, claims, difference)]
    if not reaching:
        line = next((line for line in lines if line.quantity == wrong[0]), lines[0])
        words = f"more than one line is wrong; begin with {line.quantity}{at(line)}."
    else:
        line = min(reaching, key=lambda line: np.count_nonzero(flat(reach(case, line, tuple(claims)), case, claims)))
        large = any(np.size(right_run(case).values[other]) > LARGEST for other in reaching)
        hint = f" Sizes with T N H up to {LARGEST} tell single lines apart." if large else ""
        words = f"all that is wrong comes from {line.quantity}{at(line)}, from one before it, or from several.{hint}"
    return [Finding(words, line.quantity, line.equation, ours(line))]


def numbers(question, names):
    """Findings on what each wrong quantity has in common with the right one, said once of all that it holds for."""
    said = {}  # sentence -> names
    for name in names:
        gates = len(GATES.get(question.case.cell, "")) if question.case and name in WITH_GATES else 0
        q, p = question.claims[name], question.truth[name]
        for sentence in relations(q, p, question.sizes, gates):
            said.setdefault(sentence, []).append(name)
    returned = {name: q for name, q in question.claims.items() if name.startswith(("dW", "db"))}
    wrong = [name for name in names if name in returned]
    copies = [Finding(words, explains=True) for words in same_arrays(returned, wrong)]
    return copies + [
        Finding(f"{', '.join(holders)}: {each(sentence, holders)}", holders[0], explains="clipped" in sentence)
        for sentence, holders in said.items()
    ]


def each(sentence, holders):
    """ "it is …" of one, "each is …" of several."""
    return sentence if len(holders) == 1 else sentence.replace("it is", "each is", 1).replace("it has", "each has", 1)
