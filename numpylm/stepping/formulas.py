"""A line of the package's source as a formula that numbers can be put into.

    f_t = sigmoid(a_f)                         ->  σ({a_f})
    da_c = tanh_backward(dc_tilde_t, step.…)   ->  {dc_tilde_t} × (1 − {c_tilde_t}²)
    hW_t = drop(h_prev, …) @ W_h               ->  {h_prev@W_h}

A name in braces is a quantity, and {left@right} a matrix product. What a step does not record is written out.
"""

import ast
import inspect
import re
import textwrap

SIGNS = {ast.Add: " + ", ast.Sub: " − ", ast.Mult: " × "}
CALLS = {  # what a call of a name means; the others mean their first argument
    "sigmoid": "σ({0})",
    "tanh": "tanh({0})",
    "relu": "max({0}, 0)",
    "sigmoid_backward": "{0} × {1} × (1 − {1})",
    "tanh_backward": "{0} × (1 − {1}²)",
    "relu_backward": "{0} × [{1} > 0]",
    "projection_forward": "{0@1} + {2}",
    "freeze_backward": "{2}",
    "drop": "{0}",
}


def assignments(function):
    """name -> the expression that a function assigns to it, for every name it assigns alone or first."""
    found = {}
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Assign):
            target = node.targets[0].elts[0] if isinstance(node.targets[0], ast.Tuple) else node.targets[0]
            if isinstance(target, ast.Name):
                found[target.id] = node.value
    return found


def formula(function, name, known, meaning):
    """The formula of the line that assigns a name, or "" if there is none to show.

    known are the names of quantities; meaning gives names of functions in CALLS for the function's own, such as f.
    """
    assigned = assignments(function)
    return written(assigned[name], known, assigned, meaning) if name in assigned else ""


def written(node, known, assigned, meaning):
    """An expression as a formula."""

    def part(inner):
        return written(inner, known, assigned, meaning)

    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return f"{{{part(node.left).strip('{}')}@{part(node.right).strip('{}')}}}"
    if isinstance(node, ast.BinOp):
        return bracketed(node, node.left, part) + SIGNS[type(node.op)] + bracketed(node, node.right, part)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name = meaning.get(node.func.id, node.func.id)
        parts = [part(argument) for argument in node.args]
        return re.sub(r"\{(\d)(@\d)?\}", lambda found: argument(found, parts), CALLS[name]) if name in CALLS else ""
    if isinstance(node, ast.Attribute):
        return f"{part(node.value).strip('{}')}.T" if node.attr == "T" else f"{{{node.attr}}}"
    if isinstance(node, ast.Subscript):
        return part(node.value)
    if isinstance(node, ast.Name):
        inline = node.id in assigned and node.id not in known
        return part(assigned[node.id]) if inline else f"{{{node.id}}}"
    return str(node.value) if isinstance(node, ast.Constant) else ""


def argument(found, parts):
    """What stands for {0} or for the matrix product {0@1} of CALLS."""
    first = parts[int(found[1])]
    return f"{{{first.strip('{}')}@{parts[int(found[2][1:])].strip('{}')}}}" if found[2] else first


def bracketed(node, side, part):
    """One side of a product or sum, in brackets where a sum is multiplied."""
    sum_inside = isinstance(node.op, ast.Mult) and isinstance(side, ast.BinOp) and not isinstance(side.op, ast.Mult)
    return f"({part(side)})" if sum_inside else part(side)


def names_in(text):
    """The quantities that a formula reads, in order: {h_prev@W_h} reads h_prev."""
    return list(dict.fromkeys(re.findall(r"\{(\w+)", text)))
