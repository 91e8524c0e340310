"""Is a function right for larger inputs too? A limit that is hidden in it shows where something comes up to it.

A backward is linear in the gradients that come in: with dh_t a thousand times as large all that it returns is a
thousand times as large, unless something is clipped inside it. With larger weights and states the gates are near 0 or
1, and tanh near -1 or 1, as they are in a trained network: whatever is kept away from there shows.
"""

import numpy as np

from numpylm.tutor.binding import parameter_names
from numpylm.tutor.call import check_problem
from numpylm.tutor.stop import Stop

FACTORS = (1e3, 1e-3)
SATURATED = 4.0  # how much larger the weights and the states are


def check_stretched(assignment, functions, states, sizes):
    """Checks a function that is right for ordinary inputs on stretched ones. Raises Stop with what is wrong."""
    asked = parameter_names(functions[assignment.name], assignment.parameters)
    incoming = " and ".join(name for name in asked if is_gradient(name))
    for factor in FACTORS if assignment.is_backward and incoming else ():
        check_linear(assignment, functions, states, sizes, incoming, factor)
    try:
        larger = sizes._replace(extreme=False, scale=SATURATED)
        check_problem(assignment, functions, states, np.random.default_rng([7, 2]), larger)
    except Stop as stop:
        raise told(stop, saturated_sentence(assignment)) from stop


def check_linear(assignment, functions, states, sizes, incoming, factor):
    """Raises Stop where a backward, given gradients that are factor times as large, is not right."""
    scaled = assignment._replace(problem=with_larger_gradients(assignment.problem, factor))
    try:
        check_problem(scaled, functions, states, np.random.default_rng([7, 3]), sizes._replace(extreme=False))
    except Stop as stop:
        raise told(stop, linear_sentence(incoming, factor)) from stop


def with_larger_gradients(problem_of, factor):
    """A problem maker whose incoming gradients, and all that follow from them, are factor times as large."""

    def problem(rng, sizes, asked):
        made = problem_of(rng, sizes, asked)
        symbols, answers = (
            {name: larger(value, factor) if is_gradient(name) else value for name, value in values.items()}
            for values in (made.symbols, made.answers)
        )
        return made._replace(symbols=symbols, answers=answers)

    return problem


def is_gradient(name):
    """Whether a symbol is a gradient: dh_t, dc_next, dstate_T, dy."""
    return name.startswith("d")


def larger(value, factor):
    """A gradient, or a record of gradients, times a factor."""
    return type(value)(*[factor * array for array in value]) if isinstance(value, tuple) else factor * value


def told(stop, sentence):
    """The same finding with the sentence before all others, and no diagnosis, which knows no limits."""
    finding = {key: value for key, value in stop.finding.items() if key not in ("evidence", "own_forward")}
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
