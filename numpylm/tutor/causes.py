"""Wrong gradients: one mistake that explains them all, or one for each."""

import re
from typing import NamedTuple

import numpy as np

from numpylm.proof.evidence import common_factor, relations, same_arrays
from numpylm.tutor.case import GATES
from numpylm.tutor.library import wrong_results
from numpylm.tutor.sentences import ALONE, Finding, known, suspicion
from numpylm.tutor.suspects import suspects

RIGHT_INSIDE = ("da_t", "dx_t", "dx", "dW_x", "dW_xh", "dW_hh", "db", "db_h")  # one is right: so is da_t
ALIKE = 1e-6  # a mistake is recognised in code that computes in float32 too
WITH_GATES = ("dW_x", "dW_h", "db", "da_t", "dhW_t", "da", "dhW")
FROM_DA = ("dx", "dh", "dW", "db")  # how the names of what follows from da_t begin
SEVERAL = (
    "no single line that computes a gradient explains all that is wrong: are several wrong, or is a step given the "
    "record of another step?"
)


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

    @property
    def has_separate_causes(self):
        """Whether each wrong claim has a cause of its own: the pre-activations' gradients are known to be right."""
        is_right = any(name in self.claims and name not in self.wrong for name in RIGHT_INSIDE)
        return is_right or len(self.wrong) == 1


def gradients(question):
    """Findings on gradients: one cause of all that is wrong, else one of each."""
    exact = [known(mistake) for mistake in matching(question)[:2]]
    if exact:
        return exact
    if len(question.wrong) == len(question.claims) > 1:
        shared = common_factor(question.claims, question.truth, question.sizes)
        if shared:
            return [Finding(shared)]
    mended = {name: q if name in question.wrong else question.truth[name] for name, q in question.claims.items()}
    question = question._replace(claims=mended)
    found = suspicions(question) if len(question.wrong) > 1 else []
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
    """Whether a claim is what was made, or, by_gate, each of its gates is that or right."""
    q, right = question.claims[name], question.truth[name]
    gates = question.gates(name) if by_gate else 0
    if not gates or q.shape != made.shape:
        return agree(q, made, right, ALIKE)
    blocks = zip(*[np.split(array, gates, axis=-1) for array in (q, made, right)], strict=True)
    return all(agree(block, wrong, ours, ALIKE) or agree(block, ours, ours, ALIKE) for block, wrong, ours in blocks)


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
    others = [one for one in found[1:] if one.line.quantity != found[0].line.quantity]
    others = [one for one in others if one.order == found[0].order]
    return [suspicion(*found[:1], *others[:1])] if found else []


def each_alone(question):
    """Findings on each wrong gradient by itself: a known mistake, the numbers, or a formula.

    Where the pre-activations' gradients are wrong too, what follows from them has no cause of its own.
    """
    is_separate, said = question.has_separate_causes, []
    names = [name for name in question.wrong if is_separate or not name.startswith(FROM_DA)]
    for name in names:
        said += [known(mistake) for mistake in matching(question.alone(name), by_gate=True)[:1]]
    said += numbers(question, unsaid(question.wrong, said))
    for name in unsaid(names, said):
        said += suspicions(question.alone(name))
    if is_separate or question.case is None:
        return said
    return [finding._replace(words=finding.words.replace(f" {ALONE}", "")) for finding in said] + [Finding(SEVERAL)]


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
