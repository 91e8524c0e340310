"""What is likely wrong with a student's function, given which of the quantities that it returned are wrong.

numpylm.diagnosis knows our own backward functions line by line, and the common mistakes; here it is asked, in
its names. Where it has nothing to say (of a forward, say) evidence.py compares the numbers.
"""

from inspect import signature

import numpy as np

from numpylm.proof import evidence
from numpylm.proof.nested import arrays_of
from numpylm.student import assignments

INPUT_GRADIENTS = ("da_t", "dx_t", "dx")  # where one is right, all pre-activations' gradients are


def diagnose(assignment, problem, values, rows):
    """Sentences on what is likely wrong: what numpylm.diagnosis says, else which wrong quantity is computed first, and
    what the wrong quantities have in common with the right ones."""
    wrong = {row.name: values[row.name] for row in rows}
    shared = evidence.common_factor(wrong, {name: problem.answers[name] for name in wrong})
    if shared and assignment.is_backward and len(wrong) == len(values):
        return [shared]
    sentences = []
    for names in separate_mistakes(values, wrong):
        mended = {name: value if name in names else problem.answers[name] for name, value in values.items()}
        sentences += known_mistakes(assignment, problem, mended)
    if not sentences:
        return first_wrong(assignment, problem.answers, values, rows) + relations_of(wrong, problem)
    unsaid = {name: value for name, value in wrong.items() if not any(name in sentence for sentence in sentences)}
    unsaid = unsaid if is_right_inside(values, wrong) else {}  # else they may be mere consequences
    return list(dict.fromkeys(sentences + relations_of(unsaid, problem)))


def separate_mistakes(values, wrong):
    """The wrong names in groups: each alone where they cannot come from one another, otherwise all together."""
    return [[name] for name in wrong] if is_right_inside(values, wrong) else [list(wrong)]


def is_right_inside(values, wrong):
    """Whether the pre-activations' gradients are known to be right: then each wrong quantity has its own cause."""
    return any(name in values and name not in wrong for name in INPUT_GRADIENTS)


def first_wrong(assignment, answers, values, rows):
    """Which wrong quantity is computed first, and which equation it belongs to."""
    equations = assignments.FIRST_EQUATION.get(assignment.name.partition("_")[0], {})
    wrong = [row.name for row in rows]
    order = [name for name in answers if name in wrong and name in equations]
    if not order or "step" not in assignment.name:
        return []
    before = [name for name in answers if name in values and name not in wrong and name in equations]
    before = [name for name in before if list(answers).index(name) < list(answers).index(order[0])]
    right = f"; {', '.join(before)} {'is' if len(before) == 1 else 'are'} right" if before else ""
    return [f"look first at {order[0]}, equation {equations[order[0]]}{right}"]


def known_mistakes(assignment, problem, values):
    """What numpylm.diagnosis, which knows the common mistakes, says; nothing if it knows none that fits."""
    if not assignment.is_backward:
        return []
    try:
        from numpylm.diagnosis.diagnose import findings
        from numpylm.diagnosis.mistakes import MODULES
        from numpylm.diagnosis.wiretap import Wiretap

        name = assignment.name.replace("rnn_relu", "rnn")  # ours is told its nonlinearity
        function = getattr(MODULES[name], name)
        inputs = {name: problem.symbols[name] for name in signature(function).parameters if name in problem.symbols}
        claimed = claims(assignment, function, inputs, values)
        found = findings(name, inputs, claimed)
        if found and problem.beyond:
            # What follows from the step's gradients is evidence too, unless it is wrong for reasons of its own.
            run = Wiretap(name, inputs, beyond=problem.beyond)
            more = findings(name, inputs, {q: value for q, value in values.items() if q in run.truth}, run)
            found = more if more[0].is_explained else found
        return [finding.sentence for finding in found]
    except Exception:  # a diagnosis is a help: without one, the table still says what is wrong
        return []


def claims(assignment, function, inputs, values):
    """The values in the names of our own function: what a step's record holds, and its gates' pre-activations."""
    if len(assignment.returns[0]) == 1:
        return next(iter(values.values()))
    if "step" not in assignment.name:
        return {name: value for name, value in values.items() if name in assignment.returns[0]}
    known = set(function(**inputs)._fields)
    return {name: value for name, value in values.items() if name in known or name.startswith("da_")}


def relations_of(wrong, problem):
    """What each wrong quantity has in common with the right one."""
    sizes = evidence.named_sizes(arrays_of({name: value for name, value in problem.symbols.items() if name != "f"}))
    names = {}  # sentence -> the quantities that it holds for
    for name, value in wrong.items():
        value, right = np.asarray(value, dtype=float), np.asarray(problem.answers[name])
        for sentence in evidence.relations(value, right, sizes):
            names.setdefault(sentence, []).append(name)
    return [f"{', '.join(holds_for)}: {sentence}" for sentence, holds_for in names.items()]
