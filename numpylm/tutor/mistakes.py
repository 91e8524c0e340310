"""A mistake, and our function with the mistake in it.

A mistake is a piece of our source and what people write in its place: mistakes.txt is the table. The faulty function is
our own with that piece replaced, compiled when it is needed, so that the table cannot drift from the code.
"""

import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from numpylm import activations, recurrence

TEXTBOOK = (
    "activations affine attention clipping ctc embedding gru loss lstm memory_network projection rnn tutor.references"
)
MODULES = {  # each function of ours, by name -> its module
    name: module
    for module in [import_module(f"numpylm.{name}") for name in [*TEXTBOOK.split(), "tutor.references"]]
    for name, value in vars(module).items()
    if inspect.isfunction(value) and value.__module__ == module.__name__
}
EQUATIONS = {  # of a function or quantity whose lines name none
    "rnn": "(1)", "lstm": "(3) to (6)", "gru": "(10) to (12)", "cross": "(2), (9)", "affine": "(2), (9)",
    "embedding": "x_t = E[token_t]", "sigmoid": "s' = s (1 - s)", "tanh": "tanh' = 1 - y²",
    "relu": "relu' = 1 where y > 0", "softmax": "da_v = y_v (dy_v - Σ_u y_u dy_u)",
    "log": "da_v = dz_v - softmax(a)_v Σ_u dz_u", "attention": "(17)", "hop": "(43) to (46)",
    "dc_next": "(7)", "dc_prev": "(7)", "dh_next and dc_next": "(3) to (8)",
}  # fmt: skip
RETURNS = {"cross_entropy_backward": "dlogits", "embedding_backward": "dE", "sigmoid": "s", "log_softmax": "z"}
OF_RNN = {"W_x": "W_xh", "W_h": "W_hh", "b": "b_h"}


class Mistake(NamedTuple):
    """changes are (function, right piece, wrong piece); quantity, of equation, comes out wrong; why is a clause."""

    changes: tuple
    quantity: str
    equation: str
    why: str

    @property
    def function(self):
        """The function that holds the mistake; "" if no single line does."""
        return self.changes[0][0] if self.changes else ""


@cache
def sections():
    """Function -> its rows in mistakes.txt, as text."""
    text = (Path(__file__).parent / "mistakes.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^\[(\S+)\]\n(.*?)(?=^\[|\Z)", text, re.M | re.S))


@cache
def mistakes_of(function):
    """The Mistakes in one of our functions that the table knows."""
    cell, _, kind = function.partition("_")
    common = sections().get(f"*_{kind}", "") if cell in ("rnn", "lstm", "gru") else ""
    common = re.sub(r"\bdA\b", "dhW" if cell == "gru" else "da", common)
    if cell == "rnn":
        common = re.sub(r"\b(d?)(W_x|W_h|b)\b", lambda name: name[1] + OF_RNN[name[2]], common)
    return [mistake_of(function, *row) for row in rows_of(common + sections().get(function, ""))]


def rows_of(text):
    """(pieces, why) of each row of a section."""
    rows = [" ".join(row.split()) for row in re.split(r"\n(?! )", text.strip()) if row.strip()]
    return [row.partition(" :: ")[::2] for row in rows]


def mistake_of(function, pieces, why):
    """The Mistake of a row of the table."""
    pairs = [pair.partition("=>") for pair in pieces.split(" && ")]
    changes = tuple((function, right.strip(), wrong.strip()) for right, _, wrong in pairs)
    quantity, equation = subject(function, changes[0][1])
    named = re.match(r"(\w+(?: and \w+)*): ", why)
    quantity, why = (named[1], why[named.end() :]) if named else (quantity, why)
    equation = EQUATIONS.get(quantity) or equation or EQUATIONS.get(function.split("_")[0], "")
    return Mistake(changes, quantity, equation, why)


def subject(function, piece):
    """(quantity, equation) of the line where a piece of a function's source stands."""
    before, after = source_of(function).split(piece, 1)
    line = before.rpartition("\n")[2] + piece + after.partition("\n")[0]
    target = re.match(r"\s*(\w+)[^=(]* [+-]?= ", line)
    returns = RETURNS.get(function, "da" if function.endswith("_backward") else "y")
    return (target[1] if target else returns), equation_of(line)


def equation_of(line):
    """The equations that a line's comment names: "(7)", "(3) to (6)", or ""."""
    found = re.search(r"\(\d+\)( to \(\d+\))?", line.partition("  #")[2])
    return found.group() if found else ""


@cache
def source_of(function):
    """The source of one of our functions, by name."""
    return inspect.getsource(getattr(MODULES[function], function))


@cache
def reachable(function):
    """The names of our functions that run when one of them does, itself first."""
    names = [function]
    for called in re.findall(r"(?<![.\w])(\w+)\(", source_of(function)):
        if called in MODULES and called not in names:
            names += [name for name in reachable(called) if name not in names]
    return tuple(names)


@cache
def faulty_function(function, changes=()):
    """The function with the changes in it, which may lie in functions that it calls.

    Raises ValueError unless each right piece stands in its function's source once.
    """
    sources = {}
    for where, right, wrong in changes:
        before, *after = sources.get(where, source_of(where)).split(right)
        if len(after) != 1:
            raise ValueError(f"{right!r} must occur once in {where}; it occurs {len(after)} times")
        sources[where] = before + wrong + after[0]
    return rebuilt(function, sources)


def rebuilt(function, sources, names=None):
    """function compiled from sources[function], or from its own source; so are the functions that it calls.

    names holds more global names for the changed sources.
    """
    namespace = {**vars(activations), "gates": recurrence.gates, **vars(MODULES[function]), **(names or {})}
    for called in reachable(function)[1:]:
        if called in namespace and set(reachable(called)) & sources.keys():
            namespace[called] = rebuilt(called, sources, names)
    exec(compiled(sources.get(function, source_of(function)), function), namespace)
    return namespace[function]


@cache
def compiled(source, function):
    """The code of a source. A buffer begins with zeros: a step that is left out must not leave chance in it."""
    return compile(source.replace("np.empty", "np.zeros"), f"<{function}>", "exec")
