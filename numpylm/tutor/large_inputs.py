"""Is a function right for larger inputs too? A limit that is hidden in it shows where something comes up to it.

A backward is linear in the gradients that come in: with dh_t a thousand times as large, all that it returns is a
thousand times as large, unless something is clipped inside it. With larger weights and states the gates are near 0 or
1, as in a trained network. And entries of ±1000 show an overflow, or a logarithm of 0.
"""

import numpy as np

from numpylm.tutor.binding import parameter_names
from numpylm.tutor.stop import Stop

FACTORS = (1e3, 1e-3)
SATURATED = 4.0  # how much larger the weights and the states are
LARGE = 1000
TOO_LARGE = f"this input holds ±{LARGE}: e^{LARGE} is too large for a float64 number"
LOG_OF_ZERO = (
    f"this input holds ±{LARGE}, where the softmax's smallest y are rounded to 0, and the logarithm of 0 is -∞: "
    "compute log y without y, as a - max a - log Σ e^(a - max a)"
)
OTHER_ROWS = (
    f"this input holds {LARGE} in one row alone, and it is another row that is wrong: there e^(a - {LARGE}) is rounded "
    "to 0 in every place, and so is their sum. Subtract each row's own largest entry, not the largest of all"
)


def check_larger(file, assignment, sizes, check_problem):
    """Checks a function that is right for ordinary inputs on larger ones. Raises Stop with what is wrong."""
    calm, rng = sizes._replace(extreme=False), file.rng
    asked = parameter_names(file.function(assignment.name), assignment.parameters)
    incoming = " and ".join(name for name in asked if name.startswith("d"))
    for factor in FACTORS if assignment.is_backward and incoming else ():
        scaled = assignment._replace(problem=with_larger_gradients(assignment.problem, factor))
        try:
            check_problem(file, scaled, rng(assignment.name, 2), calm)
        except Stop as stop:
            raise told(stop, linear_sentence(incoming, factor)) from stop
    try:
        check_problem(file, assignment, rng(assignment.name, 3), calm._replace(scale=SATURATED))
    except Stop as stop:
        raise told(stop, saturated_sentence(assignment)) from stop


def with_larger_gradients(problem_of, factor):
    """A problem maker whose incoming gradients, and all that follow from them, are factor times as large."""

    def larger(name, value):
        if not name.startswith("d"):
            return value
        return type(value)(*[factor * array for array in value]) if isinstance(value, tuple) else factor * value

    def problem(rng, sizes, asked):
        made = problem_of(rng, sizes, asked)
        symbols, answers = ({n: larger(n, v) for n, v in q.items()} for q in (made.symbols, made.answers))
        return made._replace(symbols=symbols, answers=answers)

    return problem


def told(stop, sentence):
    """The same finding with the sentence before all others, and no diagnosis, which knows no limits."""
    finding = {key: value for key, value in stop.finding.items() if key != "evidence"}
    sentences = finding.pop("sentences")
    return Stop(finding.pop("status"), sentence, *sentences, **finding)


def linear_sentence(incoming, factor):
    """What to say of a backward that is not linear."""
    first = f"with {incoming} {factor:g} times as large, what it returns is not {factor:g} times as large: your "
    if factor < 1:
        return f"{first}backward is not linear in {incoming}. Are small gradients dropped, or kept above a limit?"
    return f"{first}backward is not linear in {incoming}: something is clipped inside it; clip in the training loop"


def saturated_sentence(assignment):
    """What to say of a function that is right for moderate inputs only."""
    kept = "such as np.maximum(1 - h_t**2, 0.01)" if assignment.is_backward else "such as np.clip(a, -10, 10)"
    return (
        f"with weights and states {SATURATED:g} times as large it is wrong, and with smaller ones right: is something "
        f"in it clipped, or kept away from 0 or 1, {kept}?"
    )


def not_finite(inputs, values):
    """A list with a sentence on values that are not finite, given an array with an entry of ±1000."""
    large = [a for a in inputs.values() if isinstance(a, np.ndarray) and a.size and np.abs(a).max() == LARGE]
    if not large or all(np.isfinite(value).all() for value in values.values()):
        return []
    for value in values.values():
        if value.shape == large[0].shape and value.ndim > 1 and not np.isfinite(value).all():
            return [sentence_by_rows(large[0], value)]
    return [TOO_LARGE if any(np.isnan(value).any() for value in values.values()) else LOG_OF_ZERO]


def sentence_by_rows(a, value):
    """By which entries are not finite: the large ones, those of rows without a 1000, or others."""
    bad, is_large, has_large = ~np.isfinite(value), np.abs(a) == LARGE, (a == LARGE).any(axis=-1)
    if bad[a == LARGE].any() or not (bad & ~is_large).any():
        return TOO_LARGE
    return OTHER_ROWS if (bad & ~is_large & ~has_large[..., None]).any() else LOG_OF_ZERO
