"""The evidence on a wrong gradient as sentences that name the quantity, its equation and our line of source."""

import re
from typing import NamedTuple

from numpylm.proof.evidence import relations

CELLS = {"rnn": "(1)", "lstm": "(3) to (8)", "gru": "(10) to (13)"}
MEANINGS = {
    "dtanh_c_t": "the gradient of tanh(c_t)",
    "dh_carried": "what comes back to h_{t-1} through z_t ⊙ h_{t-1}",
    "dhWb_n": "the gradient of h_{t-1} W_hn + b_hn",
    "dhW_t": "the gradient of h_{t-1} W_h",
    "dh_next": "what step t + 1 hands back to step t",
    "dc_next": "what step t + 1 hands back to c_t",
}
ALONE = "With every other line right, that alone explains all that is wrong."
TIED = (
    "{0} or {2} is likely wrong: with every other line right, either alone explains all that is wrong, and these "
    "gradients cannot tell which. It is {0}{1}; or {2}{3}."
)
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

    @property
    def sentence(self):
        """The words, and which line of ours it is."""
        return f"{self.words} {self.code}".rstrip()


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
    code = f"Our {mistake.function} gives the same, to rounding, with {', and '.join(pieces)}." if pieces else ""
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
    return at(suspect.line) + "".join(f"; {relation}" for relation in relations(suspect.value, suspect.truth, {}))
