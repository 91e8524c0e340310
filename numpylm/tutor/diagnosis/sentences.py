"""The evidence on a wrong gradient as sentences that name the quantity, its equation and our line of source."""

import re
from typing import NamedTuple

import numpy as np

from numpylm.proof.evidence import relations
from numpylm.tutor.case import GATES

CELLS = {"rnn": "(1)", "lstm": "(3) to (8)", "gru": "(10) to (13)"}
MEANINGS = {
    "dtanh_c_t": "the gradient of tanh(c_t)",
    "dh_carried": "what comes back to h_{t-1} through z_t ⊙ h_{t-1}",
    "dhWb_n": "the gradient of h_{t-1} W_hn + b_hn",
    "dhW_t": "the gradient of h_{t-1} W_h",
    "dh_next": "the gradient that step t + 1 passes back to step t",
    "dc_next": "the gradient that step t + 1 passes back to c_t",
}
ALONE = "If every other line is right, this mistake alone explains all wrong gradients."
TIED = (
    "{0} or {2} is likely wrong: if every other line is right, each of the two alone explains all wrong gradients, "
    "and these gradients do not show which it is. It is {0}{1}; or {2}{3}."
)
SHAPE = "{} is of shape {}; it should be {}"
EXCHANGED = (
    "{} and {} are exchanged: each holds what belongs to the other. Look at the order in which you return (or unpack) "
    "them"
)
SEVERAL = (
    "no mistake in a single line explains all wrong gradients: are several lines wrong, or does a step get the record "
    "of another step?"
)
UNSEEN = "it is zero: does f see the change? f() reads the array x itself, so change x[k] in place"
TIMES = "it is {:.3g} times the derivative: divide f(x + ε) - f(x - ε) by 2 * ε, the distance of the two points"
ONE_SIDED = (
    "this is the {} difference, with ε of about {:.0e}: its error is ε f''/2. The central difference takes f(x_k + ε) "
    "and f(x_k - ε), and is off by ε² f'''/6 alone"
)
STEP = "ε is too large: the error is that of a step of about {:.0e}; take 1e-5 or so"
ROUNDING = "the errors, up to {:.0e}, are rounding, 1e-16 |f| / ε: ε is too small; take 1e-5 or so"
OUR_LINE = "In our {0} this is the line `{4}`."


class Finding(NamedTuple):
    """One thing that is likely wrong: words, a sentence; quantity and equation, what it is about ("" if about all).

    code says which line of ours it is: students who are to find that line alone do not see it. tied holds the quantity
    and the equation of a second line, if no gradient tells which of the two is wrong.
    """

    words: str
    quantity: str = ""
    equation: str = ""
    code: str = ""
    tied: tuple = ()


def numbered(equation):
    """ "equation (7)", "equations (3) to (6)", "equations (2) and (9)"; a formula stands by itself."""
    numbers = re.findall(r"\(\d+\)", equation)
    if not numbers or re.sub(r"\(\d+\)|[ ,]|to", "", equation):
        return equation
    head, comma, last = equation.rpartition(", ")
    return f"equation {equation}" if len(numbers) == 1 else f"equations {head}{comma and ' and '}{last}"


def at(line):
    """The equation that a line is the derivative of, or else all of its cell, after a comma."""
    equation = numbered(line.equation or CELLS.get(line.function.split("_")[0], ""))
    return f", {equation}" if equation else ""


def with_meanings(finding):
    """The finding, which says what our own names mean that a student may not have used."""
    said = [f" {name} is {meaning}." for name, meaning in MEANINGS.items() if re.search(rf"\b{name}\b", finding.words)]
    return finding._replace(words=finding.words + "".join(said))


def known(mistake):
    """The finding for a mistake that gives just what is claimed."""
    equation = numbered(mistake.equation)
    if equation.startswith("equation"):
        head = f"E{equation[1:]}, {mistake.quantity}"
    else:
        head = f"{mistake.quantity}, by {equation}" if equation else mistake.quantity
    pieces = [f"`{wrong}` in place of `{right}`" for _, right, wrong in mistake.changes]
    same = f"Our {mistake.function} gives the same numbers, up to rounding, with"
    code = f"{same} {', and '.join(pieces)}." if pieces else ""
    return Finding(f"{head}: {mistake.why}.", mistake.quantity, mistake.equation, code)


def suspicion(suspect, other=None):
    """The finding on a suspect, or on two between which nothing decides."""
    line, code = suspect.line, OUR_LINE.format(*suspect.line)
    if other is None:
        words = f"{line.quantity} is likely wrong{reads_as(suspect)}. {ALONE}"
        return Finding(words, line.quantity, line.equation, code)
    second = other.line
    words = TIED.format(line.quantity, reads_as(suspect), second.quantity, reads_as(other))
    code += "" if second.source == line.source else f" {OUR_LINE.format(*second)}"
    return Finding(words, line.quantity, line.equation, code, tied=(second.quantity, second.equation))


def reads_as(suspect):
    """A suspect's equation, and how its implied value reads, or else what it has in common with the right one."""
    if suspect.reading.text:
        return f"{at(suspect.line)}; it seems to be {suspect.reading.text}"
    gates = len(GATES.get(suspect.line.function.split("_")[0], "")) if suspect.line.quantity in ("da", "da_t") else 0
    return at(suspect.line) + "".join(f"; {words}" for words in relations(suspect.value, suspect.truth, {}, gates))


def of_a_numerical_derivative(f, gradient):
    """A list with the Finding on the step or the formula of a wrong numerical derivative of f, a sum of sin(x) x².

    The forward difference is off by ε f''/2, the central difference by ε² f'''/6; rounding is off by 1e-16 |f| / ε.
    """
    x, right = np.real(f.x), np.real(f.gradient())
    second = -np.sin(x) * x**2 + 4 * np.cos(x) * x + 2 * np.sin(x)
    third = -np.cos(x) * x**2 - 6 * np.sin(x) * x + 6 * np.cos(x)
    error, size = gradient - right, np.abs(gradient - right).max()
    factor, half, sixth = multiple(gradient, right, 1e-4), multiple(error, second), multiple(error, third)
    if not gradient.any():
        return [Finding(UNSEEN)]
    if factor and abs(factor - 1) > 0.1:
        return [Finding(TIMES.format(factor))]
    if half:
        return [Finding(ONE_SIDED.format("forward" if half > 0 else "backward", abs(2 * half)))]
    if sixth:
        return [Finding(STEP.format(np.sqrt(6 * abs(sixth))))]
    return [Finding(ROUNDING.format(size))] if 1e-8 < size < 0.05 * np.abs(right).max() else []


def multiple(error, slope, tolerance=0.02):
    """The number k with error = k slope, or None."""
    k = (error * slope).sum() / (slope * slope).sum()
    return float(k) if k and np.abs(error - k * slope).max() <= tolerance * np.abs(error).max() else None
