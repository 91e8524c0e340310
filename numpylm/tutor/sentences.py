"""The evidence on a wrong gradient as sentences that name the quantity, its equation and our line of source."""

import re
from typing import NamedTuple

import numpy as np

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


class Finding(NamedTuple):
    """One thing that is likely wrong: words, a sentence; quantity and equation, what it is about ("" if about all).

    code says which line of ours it is: students who are to find that line alone do not see it. tied holds the quantity
    and the equation of a second line, if no gradient tells which of the two is wrong. explains is True if the words
    say what was written, and False if they only narrow down where it is.
    """

    words: str
    quantity: str = ""
    equation: str = ""
    code: str = ""
    tied: tuple = ()
    explains: bool = False

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


def place(line):
    """The equation that a line is the derivative of, or else all of its cell."""
    return numbered(line.equation or CELLS.get(line.function.split("_")[0], ""))


def at(line):
    """The same, after a comma, if there is one."""
    return f", {place(line)}" if place(line) else ""


def about(line, words, **more):
    """The Finding on a line of ours."""
    code = f"In our {line.function} this is the line `{line.source}`."
    return Finding(words, line.quantity, line.equation, code)._replace(**more)


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
    return Finding(f"{head}: {mistake.why}.", mistake.quantity, mistake.equation, code, explains=True)


def wrong_after(line, name, right, t):
    """ "dc_t is right, df_t is wrong: look at equation (7)"; line is None for what the step is given."""
    before = f"{right} is right, " if right else ""
    when = "" if t is ... else f" at t = {t}, the first step of the loop where anything is"
    words = f"{before}{name} is wrong{when}"
    return about(line, f"{words}: look at {place(line)}.", quantity=name) if line else Finding(f"{words}.", name)


def suspicion(suspect):
    """The finding on one suspect."""
    words = f"{suspect.line.quantity} is likely wrong{reads_as(suspect)}. {ALONE}"
    return about(suspect.line, words, explains=bool(suspect.formula.text))


def tie(one, other):
    """The finding on two suspects between which nothing decides."""
    first, second = one.line, other.line
    words = (
        f"{first.quantity} or {second.quantity} is likely wrong: with every other line right, either alone explains "
        f"all that is wrong, and these gradients cannot tell which. It is {first.quantity}{reads_as(one)}; or "
        f"{second.quantity}{reads_as(other)}."
    )
    found = about(first, words, tied=(second.quantity, second.equation), explains=bool(one.formula.text))
    same = (first.function, first.source) == (second.function, second.source)
    more = "" if same else f"; in our {second.function} this is the line `{second.source}`."
    return found._replace(code=found.code[:-1] + more if more else found.code)


def alternative(suspect):
    """The finding on the suspect that could be the one instead."""
    words = f"Or else it is {suspect.line.quantity}{reads_as(suspect)}."
    return about(suspect.line, words, explains=bool(suspect.formula.text))


def reads_as(suspect):
    """A suspect's equation, and how its implied value reads, or else what it has in common with the right one."""
    if suspect.formula.text:
        return f"{at(suspect.line)}; it seems to be {suspect.formula.text}"
    return at(suspect.line) + "".join(f"; {relation}" for relation in relations(suspect.value, suspect.truth, {}))


def unusable(name, q, p, equation):
    """The finding on a claim of another shape, or with NaN or infinity in it; None for one that can be compared."""
    where = f", {numbered(equation)}" if equation else ""
    if q.shape != p.shape:
        return Finding(f"{name} is of shape {q.shape}; it should be {p.shape}{where}.", name, equation)
    bad = np.argwhere(~np.isfinite(q))
    if len(bad):
        index = tuple(map(int, bad[0]))
        return Finding(f"{name} is {q[index]} at {index}{where}.", name, equation)
    return None
