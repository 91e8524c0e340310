"""The evidence on a wrong gradient, put into sentences that name the quantity, its equation and our line of source."""

from typing import NamedTuple

import numpy as np

from numpylm.proof.evidence import relations

CELLS = {"rnn": "(1)", "lstm": "(3) to (8)", "gru": "(10) to (13)"}


class Finding(NamedTuple):
    """One thing that is likely wrong: the quantity, its equation ("" where it has none) and the sentence about it.

    tied holds the quantity and the equation of a second line, where no gradient tells which of the two is wrong;
    is_explained is False where no single mistake was found that gives just what is claimed.
    """

    quantity: str
    equation: str
    sentence: str
    tied: tuple = ()
    is_explained: bool = True


def where(line):
    """A line, in words: its equation and our source."""
    code = line.source.partition("  #")[0]
    cell = CELLS.get(line.function.split("_")[0])
    named = line.equation or cell
    equation = f"equation{'s' if ' to ' in named else ''} {named}" if named else "the line"
    return f"{equation} in {line.function}, `{code}`"


def wrong_shape(run, name, claim):
    """The finding on a claim of another shape."""
    line = run.line_of(name)
    return Finding(
        name, line.equation, f"{name} is of shape {claim.shape}; it should be {run.truth[name].shape}, {where(line)}"
    )


def not_finite(run, name, claim):
    """The finding on a claim with NaN or infinity in it."""
    line = run.line_of(name)
    index = tuple(int(k) for k in np.argwhere(~np.isfinite(claim))[0])
    return Finding(name, line.equation, f"{name} is {claim[index]} at {index}: look at {where(line)}.")


def known(mistake, function):
    """The finding for an entry of the library that matches."""
    faulty, right = " ".join(mistake.faulty.split()), " ".join(mistake.correct.split())
    place = f" in {mistake.function}" if mistake.function != function else ""
    return Finding(
        mistake.quantity,
        mistake.equation,
        f"Equation {mistake.equation}, {mistake.quantity}{place}: {mistake.why}. What is claimed is, to rounding, what "
        f"one gets with `{faulty}` in place of `{right}`.",
    )


def wrong_after(run, name, right, t):
    """ "dc_t is right, df_t is wrong: look at equation (7)"."""
    line = run.line_of(name)
    before = f"{right} is right, " if right else "the first quantity that is computed is wrong already: "
    at = "" if t is ... else f" at t = {t}, the first step of the loop where anything is"
    return Finding(name, line.equation, f"{before}{name} is wrong{at}: look at {where(line)}.")


def suspicion(suspect):
    """The finding on one suspect."""
    line = suspect.line
    notes = "" if suspect.formula else "; ".join(relations(suspect.value, suspect.truth, {}))
    return Finding(
        line.quantity,
        line.equation,
        f"{line.quantity} is likely wrong, {where(line)}: with every other line right, that alone explains what is "
        f"claimed{reads_as(suspect)}{f'; {notes}' if notes else ''}.",
    )


def tie(one, other):
    """The finding on two suspects between which nothing decides."""
    first, second = (f"{suspect.line.quantity}, {where(suspect.line)}{reads_as(suspect)}" for suspect in (one, other))
    return Finding(
        one.line.quantity,
        one.line.equation,
        f"{one.line.quantity} or {other.line.quantity} is likely wrong: with every other line right, either alone "
        f"explains what is claimed, and these gradients cannot tell which. It is {first}; or {second}.",
        (other.line.quantity, other.line.equation),
    )


def alternative(suspect):
    """The finding on the suspect that could be the one instead."""
    line = suspect.line
    return Finding(line.quantity, line.equation, f"Or else it is {line.quantity}, {where(line)}{reads_as(suspect)}.")


def reads_as(suspect):
    """How a suspect's implied value reads."""
    return f"; it seems to be {suspect.formula}" if suspect.formula else ""
