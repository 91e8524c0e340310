"""What is likely wrong with a forward: known slips, recognised by the numbers that they give.

A slip is a wrong formula that people write in place of the right one. Each is computed on the same inputs as the
student's function; where all that was returned equals what a slip gives, to rounding, that is the diagnosis.
"""

import numpy as np

from numpylm.tutor.slips_in_cells import MODULES, cell_slips
from numpylm.tutor.slips_in_layers import LAYER_SLIPS, floor_words
from numpylm.tutor.slips_in_numerics import numeric_slip
from numpylm.tutor.slips_in_weights import weight_slips
from numpylm.tutor.slips_in_windows import window_slips

CLOSE = 1e-7


def known_slip(assignment, problem, values):
    """(words, our line with the slip in it, or "") of the first slip that gives these values; None where none does."""
    if assignment.name in ("central_difference", "complex_step"):
        words = numeric_slip(assignment.name, problem.symbols["f"], values["gradient"])
        return (words, "") if words else None
    for words, code, answers in slips_of(assignment, problem):
        if equals(values, answers):
            return words, code
    if assignment.name == "cross_entropy_forward" and set(values) == {"loss"}:
        words = floor_words(problem.symbols["logits"], problem.symbols["targets"], values["loss"])
        return (words, "") if words else None
    return None


def slips_of(assignment, problem):
    """(words, code, name -> array) for each slip in a function, one after the other."""
    for name, value in problem.symbols.items():
        if isinstance(value, np.ndarray) and assignment.is_plain:
            yield f"it is {name}, as that was given", "", {assignment.returns[0][0]: value}
    for words, make in LAYER_SLIPS.get(assignment.name, ()):
        with np.errstate(all="ignore"):
            asked = make.__code__.co_varnames[: make.__code__.co_argcount]
            made = make(**{name: problem.symbols[name] for name in asked})
        yield words, "", made if isinstance(made, dict) else {assignment.returns[0][0]: made}
    yield from cell_slips(assignment.name, problem)


def known_weight_slip(assignment, problem, name, value):
    """The words of the slip that a step's gradient of a weight, bias or input equals; None where it equals none."""
    cell, _, kind = assignment.name.replace("rnn_relu", "rnn").partition("_")
    if kind != "step_backward" or cell not in MODULES:
        return None
    for slip, made, words in weight_slips(cell, problem.symbols, problem.answers):
        if slip == name and equals({name: value}, {name: made}):
            return words
    return None


def known_window_slip(problem, values):
    """The words of the slip in truncated backpropagation that gives all these values; None where none does."""
    gradients = {name: value for name, value in values.items() if name.startswith("d")}
    return next((words for words, made in window_slips(problem.symbols) if equals(gradients, made)), None)


def equals(values, answers):
    """Whether everything that was returned equals what a slip gives, as far as it gives anything of the name."""
    compared = [name for name in values if name in answers]
    return bool(compared) and all(
        np.shape(answers[name]) == np.shape(values[name])
        and np.isfinite(answers[name]).all()
        and np.allclose(values[name], answers[name], CLOSE, CLOSE * np.abs(answers[name]).max(initial=0))
        for name in compared
    )
