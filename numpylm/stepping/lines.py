"""Lines of the package's source: where they stand, their equations, and formulas that numbers can be put into.

    f_t = sigmoid(a_f)                               σ({a_f})
    da_c = tanh_backward(dc_tilde_t, step.…)         {dc_tilde_t} × (1 − {c_tilde_t} × {c_tilde_t})
    a_t = xW_t + drop(h_prev, …) @ W_h               {xW_t} + {h_prev@W_h}

A name in braces is a quantity, and {left@right} a matrix product.
"""

import inspect
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

MEANINGS = {  # of what stands in a line of a cell, in the order in which it is replaced
    r"\b(step|parameters|trace)\.|\[t\]": "",
    r"drop\(([^,]+), \w+\)": r"\1",
    r"freeze_backward\(mask, t, (.+)\)": r"\1",
    r"projection_forward\((\w+), (\w+), (\w+), lookup\)": r"\1 @ \2 + \3",
    r"sigmoid_backward\((\w+), (\w+)\)": r"\1 * \2 * (1 - \2)",
    r"tanh_backward\((\w+), (\w+)\)": r"\1 * (1 - \2 * \2)",
    r"relu_backward\((\w+), (\w+)\)": r"\1 * (\2 > 0)",
    r"sigmoid\(": "σ(",
    r"(\w+) @ ([\w.]+)": r"{\1@\2}",
    r" \* ": " × ",
    r" - ": " − ",
}
ANOTHER_CALL = r"\b(?!(tanh|relu|σ)\()[\w.]+\("
NAME = r"(?<![\w{@.])([A-Za-z]\w*)(?![\w(@])"


class Line(NamedTuple):
    """A line without its comment; its equations' numbers, (7) or (3–6); its place, lstm.py:96; and the function that it
    stands in. What only explains has a text alone."""

    text: str
    equation: str = ""
    place: str = ""
    function: object = None


@cache
def lines_of(function, name):
    """The Lines of a function that assign a name, alone or among others."""
    texts, first = inspect.getsourcelines(function)
    assigned = re.compile(rf"\s+([\w, ]*, )?{name}(, [\w, ]*)?(\[[^=]*\])? (=|[-+/*]=) ")
    file = Path(inspect.getsourcefile(function)).name
    return tuple(
        Line(text.partition("  # ")[0].strip(), numbers_of(text), f"{file}:{number}", function)
        for number, text in enumerate(texts, start=first)
        if assigned.match(text)
    )


def numbers_of(text):
    """The numbers of the equations that a line's comment names: (7), (7, 8) or (3–6)."""
    _, _, comment = text.partition("  # ")
    numbers = sorted({int(number) for number in re.findall(r"\((\d+)\)", comment)})
    if len(numbers) > 2 or ") to (" in comment:
        return f"({numbers[0]}–{numbers[-1]})"
    return f"({', '.join(map(str, numbers))})" if numbers else ""


def formula(line, known, f):
    """The formula of a cell's Line, or "" if there is none to show. known are the names of quantities, others are
    written out; f is the RNN's nonlinearity."""

    def quantity(found):
        others = lines_of(line.function, found[1]) if found[1] not in known else ()
        return formula(others[-1], known, f) if others else f"{{{found[1]}}}"

    text = re.sub(r"\bf(_backward)?\(", rf"{f}\1(", line.text.partition(" = ")[2])
    for source, meaning in MEANINGS.items():
        text = re.sub(source, meaning, text)
    return "" if re.search(ANOTHER_CALL, text) else re.sub(NAME, quantity, text)
