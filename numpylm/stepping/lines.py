"""Lines of the package's source: where they stand, their equations, and formulas that numbers can be put into.

    f_t = sigmoid(a_f)                               σ({a_f})
    da_c = tanh_backward(dc_tilde_t, step.…)         {dc_tilde_t} × (1 − {c_tilde_t} × {c_tilde_t})
    a_t = xW_t + drop(h_prev, …) @ W_h               {xW_t} + {h_prev@W_h}

A name in braces is a quantity, and {left@right} a matrix product. What a step does not record is written out.
"""

import ast
import inspect
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from numpylm import activations
from numpylm.notebook import equations_in

WRITTEN = {"sigmoid": "σ", "tanh": "tanh", "relu": "relu"}
CALLS = {  # what a call means, of the nodes of its arguments
    "drop": lambda q, mask: q,
    "freeze_backward": lambda mask, t, dq: dq,
    "projection_forward": lambda x, W, b, lookup: ast.BinOp(product(x, W), ast.Add(), b),
}


class Line(NamedTuple):
    """A line without its comment; its equations' numbers, (7) or (3–6); its place, lstm.py:96; what it assigns, and the
    function that it stands in. What only explains has a text alone."""

    text: str
    equation: str = ""
    place: str = ""
    value: ast.expr | None = None
    function: object = None


def lines_of(function, name):
    """The Lines of a function that assign a name, alone or among others."""
    return assignments(function).get(name, ())


@cache
def assignments(function):
    """name -> its Lines, for every name that a function assigns."""
    texts, first = inspect.getsourcelines(function)
    file, found = Path(inspect.getsourcefile(function)).name, {}
    nodes = [
        node for node in ast.walk(ast.parse(dedent("".join(texts)))) if isinstance(node, ast.Assign | ast.AugAssign)
    ]
    for node in sorted(nodes, key=lambda node: node.lineno):
        target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
        text, place = texts[node.lineno - 1].strip(), f"{file}:{first + node.lineno - 1}"
        line = Line(text.partition("  # ")[0], numbers_of(text), place, node.value, function)
        for each in target.elts if isinstance(target, ast.Tuple) else [target]:
            name = ast.unparse(each).partition("[")[0]
            found[name] = (*found.get(name, ()), line)
    return found


def numbers_of(text):
    """The numbers of the equations that a line's comment names: (7), (7, 8) or (3–6)."""
    numbers = sorted(equations_in(text))
    if len(numbers) > 2:
        return f"({numbers[0]}–{numbers[-1]})"
    return f"({', '.join(map(str, numbers))})" if numbers else ""


def formula(line, known, renamed):
    """The formula of a Line, or "" if there is none to show. known are the names of quantities; renamed gives the
    functions of the package for the line's own names, such as f."""

    def read(name):
        inline = assignments(line.function).get(name) if name not in known else None
        return written(inline[-1].value, read, renamed) if inline else ast.Name(f"{{{name}}}")

    return ast.unparse(written(line.value, read, renamed)).replace(" * ", " × ").replace(" - ", " − ")


def written(node, read, renamed):
    """The node that ast.unparse writes as a formula; read(name) is the node that stands for a name."""

    def part(inner):
        return written(inner, read, renamed)

    match node:
        case ast.Name(name):
            return read(name)
        case ast.Constant():
            return node
        case ast.Attribute(value, "T"):
            return ast.Name(f"{{{bare(part(value))}.T}}")
        case ast.Attribute(_, name):
            return ast.Name(f"{{{name}}}")
        case ast.Subscript(value):
            return part(value)
        case ast.BinOp(left, ast.MatMult(), right):
            return product(part(left), part(right))
        case ast.BinOp(left, operator, right):
            return ast.BinOp(part(left), operator, part(right))
        case ast.Compare(left, operators, [right]):
            return ast.Compare(part(left), operators, [part(right)])
        case ast.Call(ast.Name(name), arguments):
            return called(renamed.get(name, name), [part(argument) for argument in arguments])
    return ast.Name("")


def called(name, arguments):
    """A call: of an activation as it is, of its backward as the expression that it returns."""
    if name in WRITTEN:
        return ast.Call(ast.Name(WRITTEN[name]), arguments, [])
    if name in CALLS:
        return CALLS[name](*arguments)
    if not hasattr(activations, name):
        return ast.Name("")
    definition = ast.parse(inspect.getsource(getattr(activations, name))).body[0]
    values = dict(zip([argument.arg for argument in definition.args.args], arguments, strict=True))
    return written(definition.body[-1].value, values.get, {})


def product(left, right):
    """The matrix product of two quantities, as one name."""
    return ast.Name(f"{{{bare(left)}@{bare(right)}}}")


def bare(node):
    """A quantity's name without braces."""
    return node.id.strip("{}")
