"""The library of mistakes: our functions with a mistake in them, and what each of them makes of a case.

A mistake is a piece of our source and what people write in its place: mistakes.txt is the table. Those that may stand
in several places are made here: an activation's derivative, a loop that stops early. The faulty function is our own
with that piece replaced, compiled when it is needed, so that the table cannot drift from the code.
"""

import inspect
import re
from functools import cache, lru_cache
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from numpylm import activations, recurrence
from numpylm.tutor.case import CELLS, MODULES, RETURNS, named

EQUATIONS = {  # of a function or quantity whose lines name none
    "rnn": "(1)", "lstm": "(3) to (6)", "gru": "(10) to (12)", "cross": "(2), (9)", "affine": "(2), (9)",
    "embedding": "x_t = E[token_t]", "sigmoid": "s' = s (1 - s)", "tanh": "tanh' = 1 - y²",
    "relu": "relu' = 1 where y > 0", "softmax": "da_v = y_v (dy_v - Σ_u y_u dy_u)",
    "log": "da_v = dz_v - softmax(a)_v Σ_u dz_u", "attention": "(17)", "hop": "(43) to (46)",
    "dc_next": "(7)", "dc_prev": "(7)", "dh_next and dc_next": "(3) to (8)",
}  # fmt: skip
H_PREV = "drop(trace.h_prev, trace.recurrent_dropout)"  # in our own backwards
LOOP = "range(len(dh))"  # of a backward through time
LAST = "gradients: the backward stops after {0} steps: the gradients are those of the last {0} steps alone"
TRUNCATED = "truncated inside the backward: each output's gradient goes back over {} steps only"
D = {"sigmoid": "({0} * (1 - {0}))", "tanh": "(1 - {0} * {0})", "relu": "({0} > 0)"}
ALONE = {  # calls in functions that are one line
    "sigmoid_backward": [("da", "ds * s * (1 - s)", "sigmoid", "ds", "s", EQUATIONS["sigmoid"])],
    "tanh_backward": [("da", "dy * (1 - y * y)", "tanh", "dy", "y", EQUATIONS["tanh"])],
}
CALL = r"(\w+) = (?:dc_next \+ )?((tanh|sigmoid|f)_backward\((\w+), (step\.\w+)\))"
NAMES = {"sigmoid": "σ", "tanh": "tanh", "relu": "ReLU"}
WORDS = {"sigmoid": "{0} (1 - {0})", "tanh": "1 - {0}²", "relu": "1 where {0} > 0"}
SEVERAL = {"name": "the activation", "gate": "the gates", "its_name": "another activation",
           "derivative": "s (1 - s) for σ and 1 - y² for tanh"}  # fmt: skip
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
    common = sections().get(f"*_{kind}", "") if cell in CELLS else ""
    common = re.sub(r"\bdA\b", "dhW" if cell == "gru" else "da", common)
    if cell == "rnn":
        common = re.sub(r"\b(d?)(W_x|W_h|b)\b", lambda name: name[1] + OF_RNN[name[2]], common)
    rows = rows_of(common)
    if cell == "cho":  # its backward is shorter than ours
        rows = rows_of(common.replace(H_PREV, "trace.h_prev"))
        rows = [row for row in rows if occurs(function, row[0])]
    return [mistake_of(function, *row) for row in rows + rows_of(sections().get(function, ""))]


def rows_of(text):
    """(pieces, why) of each row of a section."""
    rows = [" ".join(row.split()) for row in re.split(r"\n(?! )", text.strip()) if row.strip()]
    return [row.partition(" :: ")[::2] for row in rows]


def occurs(function, pieces):
    """Whether the right pieces of a row stand in a function's source."""
    return all(pair.partition("=>")[0].strip() in source_of(function) for pair in pieces.split(" && "))


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


@lru_cache(maxsize=4)
def wrong_results(case):
    """[(Mistake, name -> array)]: what each mistake makes of a case, where it makes anything."""
    found = []
    with np.errstate(all="ignore"):
        for mistake in mistakes_in(case):
            try:
                result = faulty_function(case.function, mistake.changes)(**case.arguments)
                found.append((mistake, named(case, result)))
            except (ValueError, TypeError, IndexError, AttributeError):  # it cannot be made of these shapes
                continue
        for k in range(2, case.T) if case.is_backward and not case.is_step else ():
            found.append((Mistake((), "gradients", "", TRUNCATED.format(k)), truncated(case, k)))
    return found


def truncated(case, k):
    """Name -> array: the gradient of each output, and of the last state, carried back over k steps only, and summed."""
    total, last = {}, case.T - 1
    dh, dstate_T = case.arguments["dh"], case.arguments["dstate_T"]
    for t in range(case.T):
        start = max(0, t + 1 - k)
        backward = faulty_function(case.function, ((case.function, LOOP, f"range({start}, {t + 1})"),))
        only_t = dh * (np.arange(case.T) == t)[:, None, None]
        dstate = type(dstate_T)(*[q * (t == last) for q in dstate_T])
        result = backward(case.arguments["parameters"], only_t, dstate, case.arguments["trace"])
        for name, q in named(case, result).items():
            total[name] = total.get(name, 0) + (0 * q if name.endswith("_0") and start > 0 else q)
    return total


def mistakes_in(case):
    """All mistakes that a case's function can have, the simplest first."""
    if case.cell and not case.is_backward:
        return mistakes_of(case.step) + mistakes_of(case.function)
    alone = [case.function] if mistakes_of(case.function) else reachable(case.function)
    names = [case.step, case.function] if case.cell else alone
    found = [mistake for name in names for mistake in mistakes_of(name)]
    if case.is_step:  # the loop is not the student's: what follows it is
        is_after = re.compile(r"dW|db|dx").match
        found = [m for m in found if m.function == case.step or (is_after(m.quantity) and "t = 0" not in m.why)]
    elif case.cell:
        ks = range(2, case.T - 1)
        found += [mistake_of(case.function, f"{LOOP} => range(len(dh) - {k}, len(dh))", LAST.format(k)) for k in ks]
    f = getattr(case.arguments.get("trace"), "nonlinearity", "tanh")
    return found + (list(derivative_mistakes(case.step or case.function, f)) if case.is_backward else [])


def derivative_mistakes(function, nonlinearity="tanh"):
    """The mistakes in the derivatives of a function's activations: in one, in several or in all of them."""
    lines = source_of(function).split("\n")
    calls = [(*found.groups(), equation_of(line)) for line in lines if (found := re.search(CALL, line))]
    calls = calls or ALONE.get(function, [])
    for number in range(1, len(calls) + 1):
        for chosen in combinations(calls, number):
            for form, why in rows_of(sections()["derivatives"]):
                yield derivative_mistake(function, chosen, form, why, nonlinearity)


def derivative_mistake(function, chosen, form, why, nonlinearity):
    """The Mistake that one form makes of the chosen calls."""
    changes, words = [], SEVERAL
    for _, call, name, dq, y, _ in chosen:
        f = nonlinearity if name == "f" else name
        other, gate = "tanh" if f == "sigmoid" else "sigmoid", y.removeprefix("step.")
        gate = {"c_tilde_t": "c̃_t", "tanh_c_t": "tanh(c_t)"}.get(gate, gate)
        parts = {"dq": dq, "y": y, "f": f, "D": D[f].format(y), "D_again": D[f].format(f"{f}({y})")}
        changes.append((function, call, f"({form.format(**parts, D_other=D[other].format(y))})"))
        if len(chosen) == 1:
            words = {"name": NAMES[f], "gate": gate, "its_name": NAMES[other], "derivative": WORDS[f].format(gate)}
    quantities, equations = [call[0] for call in chosen], [call[-1] for call in chosen]
    return Mistake(tuple(changes), ", ".join(quantities), ", ".join(dict.fromkeys(equations)), why.format(**words))
