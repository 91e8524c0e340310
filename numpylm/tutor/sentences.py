"""The evidence on a wrong gradient, put into sentences that name the quantity, its equation and our line of source."""

import re
from typing import NamedTuple

import numpy as np

from numpylm.proof.evidence import relations

CELLS = {"rnn": "(1)", "lstm": "(3) to (8)", "gru": "(10) to (13)"}


class Finding(NamedTuple):
    """One thing that is likely wrong: the quantity, its equation ("" where it has none) and the words about it.

    code says which line of ours it is: to be kept from whoever is to find that line alone.
    tied holds the quantity and the equation of a second line, where no gradient tells which of the two is wrong;
    is_explained is False where no single mistake was found that gives just what is claimed; is_known where it is an
    entry of the library.
    """

    quantity: str
    equation: str
    words: str
    tied: tuple = ()
    is_explained: bool = True
    is_known: bool = False
    code: str = ""

    @property
    def sentence(self):
        """The words, and which line of ours it is."""
        return f"{self.words} {self.code}".rstrip()


def numbered(equation):
    """ "equation (7)", "equations (3) to (6)", "equations (2) and (9)"; a formula stands by itself."""
    numbers = re.findall(r"\(\d+\)", equation)
    if not numbers or re.sub(r"\(\d+\)|[ ,]|to", "", equation):
        return equation
    return f"equation {equation}" if len(numbers) == 1 else f"equations {equation.replace(',', ' and')}"


def place(line):
    """The equation that a line is the derivative of, or else all of its cell."""
    return numbered(line.equation or CELLS.get(line.function.split("_")[0], ""))


def at(line):
    """The same, after a comma, where there is any."""
    return f", {place(line)}" if place(line) else ""


def ours(*lines):
    """Which lines of our source these are."""
    shown = [(line.function, line.source.partition("  #")[0]) for line in lines]
    first, *others = [f"in our {function} this is the line `{source}`" for function, source in dict.fromkeys(shown)]
    return "; ".join([first[0].upper() + first[1:], *others]) + "."


def about(line, words, **more):
    """The Finding on a line: what to say of it, and the line itself."""
    return Finding(line.quantity, line.equation, words, code=ours(line), **more)


def wrong_shape(run, name, claim):
    """The finding on a claim of another shape."""
    line = run.line_of(name)
    words = f"{name} is of shape {claim.shape}; it should be {run.truth[name].shape}{at(line)}."
    return about(line, words)._replace(quantity=name)


def not_finite(run, name, claim):
    """The finding on a claim with NaN or infinity in it."""
    line = run.line_of(name)
    index = tuple(int(k) for k in np.argwhere(~np.isfinite(claim))[0])
    return about(line, f"{name} is {claim[index]} at {index}{at(line)}.")._replace(quantity=name)


def known(mistake, function):
    """The finding for an entry of the library that matches."""
    faulty, right = one_line(mistake.faulty), one_line(mistake.correct)
    equation = numbered(mistake.equation)
    if equation.startswith("equation"):
        head = f"E{equation[1:]}, {mistake.quantity}"
    elif mistake.function == function:
        head = f"{mistake.quantity}, by {equation}"
    else:
        head = f"The derivative of {mistake.function.removesuffix('_backward')}, {equation}"
    return Finding(
        mistake.quantity,
        mistake.equation,
        f"{head}: {mistake.why}.",
        is_known=True,
        code=f"Our {mistake.function} gives the same, to rounding, with `{faulty}` in place of `{right}`.",
    )


def one_line(source):
    """Lines of source as one."""
    return "; ".join(" ".join(line.split()) for line in source.split("\n"))


def wrong_after(run, name, right, t):
    """ "dc_t is right, df_t is wrong: look at equation (7)"."""
    line = run.line_of(name)
    before = f"{right} is right, " if right else ""
    when = "" if t is ... else f" at t = {t}, the first step of the loop where anything is"
    look = f": look at {place(line)}" if place(line) else ""
    return about(line, f"{before}{name} is wrong{when}{look}.", is_explained=False)._replace(quantity=name)


def suspicion(suspect):
    """The finding on one suspect."""
    line = suspect.line
    return about(
        line,
        f"{line.quantity} is likely wrong{at(line)}: with every other line right, that alone explains all that is "
        f"wrong{reads_as(suspect)}.",
    )


def tie(one, other):
    """The finding on two suspects between which nothing decides."""
    first, second = (f"{suspect.line.quantity}{at(suspect.line)}{reads_as(suspect)}" for suspect in (one, other))
    return Finding(
        one.line.quantity,
        one.line.equation,
        f"{one.line.quantity} or {other.line.quantity} is likely wrong: with every other line right, either alone "
        f"explains all that is wrong, and these gradients cannot tell which. It is {first}; or {second}.",
        (other.line.quantity, other.line.equation),
        code=ours(one.line, other.line),
    )


def alternative(suspect):
    """The finding on the suspect that could be the one instead."""
    line = suspect.line
    return about(line, f"Or else it is {line.quantity}{at(line)}{reads_as(suspect)}.")


def reads_as(suspect):
    """How a suspect's implied value reads, or else what it has in common with the right one."""
    if suspect.formula:
        return f"; it seems to be {suspect.formula}"
    return "".join(f"; {relation}" for relation in relations(suspect.value, suspect.truth, {}))
