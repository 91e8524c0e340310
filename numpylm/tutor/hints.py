"""What can be said of a wrong answer: by numpylm.tutor, by the order of computation, by the numbers themselves."""

import re
from inspect import signature
from typing import NamedTuple

from numpylm.tutor import assignments
from numpylm.tutor.relations import relations
from numpylm.tutor.sentences import numbered

MORE = "; return a dict with {}, and the report says which is wrong first"
EQUATIONS_OF_A_STEP = {
    "lstm": "equations (3) to (8)" + MORE.format("i_t, f_t, o_t, c_tilde_t, c_t, h_t and cache"),
    "gru": "equations (10) to (13)" + MORE.format("r_t, z_t, n_t, h_t and cache"),
}
MEANINGS = {
    "dtanh_c_t": "the gradient of tanh(c_t)",
    "dh_in": "what comes back to h_{t-1} through the gates",
    "dh_carried": "what comes back to h_{t-1} through z_t ⊙ h_{t-1}",
    "dhW_n": "the gradient of h_{t-1} W_hn + b_hn",
    "dhW_t": "the gradient of h_{t-1} W_h",
    "dh_next": "what step t + 1 hands back to step t",
    "dc_next": "what step t + 1 hands back to c_t",
}


class Hint(NamedTuple):
    """One thing to say; code tells which line of ours it is about, for those who wish to see it."""

    words: str
    code: str = ""
    explains: bool = False  # whether it says what was written, and not only what is to be seen


class Evidence(NamedTuple):
    """All that is known of one wrong answer: values are what was returned, answers what is right, by name."""

    assignment: assignments.Assignment
    problem: NamedTuple
    values: dict
    wrong: list
    trusted: tuple

    def with_only(self, names):
        """What was returned with everything mended but these."""
        answers = self.problem.answers
        return {name: value if name in names else answers[name] for name, value in self.values.items()}


def hints(found):
    """Findings of numpylm.tutor as Hints, which say what our own names mean."""
    return [
        Hint(finding.words + meanings(finding.words), finding.code, finding.is_known or is_read(finding))
        for finding in found
    ]


def is_read(finding):
    """Whether a finding says which formula stands in a line."""
    return "seems to be" in finding.words


def meanings(words):
    """What the names are that our own backward has for what a student may not have given a name."""
    return "".join(f" {name} is {meaning}." for name, meaning in MEANINGS.items() if re.search(rf"\b{name}\b", words))


def findings(case, names, left_out=None):
    """What numpylm.tutor, which knows our backward functions, finds; nothing where it knows none of this name.

    What is left out is neither right nor wrong.
    """
    try:
        from numpylm.tutor.diagnose import explanations
        from numpylm.tutor.mistakes import MODULES
        from numpylm.tutor.wiretap import Wiretap

        name = ours(case.assignment.name)
        if name not in MODULES:
            return []
        parameters = signature(getattr(MODULES[name], name)).parameters
        inputs = {q: case.problem.symbols[q] for q in parameters if q in case.problem.symbols}
        run = Wiretap(name, inputs, beyond=case.problem.beyond, trusted=map(ours, case.trusted))
        return explanations(run, {q: p for q, p in case.with_only(names).items() if q in run.truth and q != left_out})
    except Exception:  # the table still says what is wrong
        return []


def ours(name):
    """The name of our function: of an RNN with ReLU it is told its nonlinearity."""
    return name.replace("rnn_relu", "rnn")


def first_wrong(case):
    """Which wrong quantity is computed first, and which equation it belongs to."""
    cell, is_step = case.assignment.name.partition("_")[0], "step" in case.assignment.name
    equations, answers = assignments.FIRST_EQUATION.get(cell, {}), list(case.problem.answers)
    order = [name for name in answers if name in case.wrong and name in equations]
    if not order or not is_step:
        return []
    if (
        cell in EQUATIONS_OF_A_STEP
        and set(case.values) <= set(case.assignment.returns[0])
        and not case.assignment.is_backward
    ):
        return [Hint(f"{order[0]} comes from {EQUATIONS_OF_A_STEP[cell]}")]
    before = [name for name in answers[: answers.index(order[0])] if name in case.values and name in equations]
    right = f"; {', '.join(before)} {'is' if len(before) == 1 else 'are'} right" if before else ""
    return [Hint(f"look first at {order[0]}, {numbered(equations[order[0]])}{right}")]


def in_common(case, names):
    """What each wrong quantity has in common with the right one."""
    said = {}  # sentence -> the quantities that it holds for
    for name in names:
        right = case.problem.answers[name]
        for sentence in relations(case.assignment, name, case.values[name], right, case.problem.sizes):
            said.setdefault(sentence, []).append(name)
    return [
        Hint(f"{', '.join(holders)}: {each(sentence, holders)}", explains="clipped" in sentence)
        for sentence, holders in said.items()
    ]


def each(sentence, holders):
    """ "it is …" of one, "each is …" of several."""
    return sentence if len(holders) == 1 else sentence.replace("it is", "each is", 1).replace("it has", "each has", 1)
