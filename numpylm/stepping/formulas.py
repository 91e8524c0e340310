"""The formulas of a function, cut out of its source, so that what is shown is what runs."""

import ast
import inspect
import re
from textwrap import dedent
from typing import NamedTuple
from unicodedata import combining


class Formula(NamedTuple):
    """One statement as it stands in the source, and the equations that its comment names: "(7)", "(3) to (6)", ""."""

    text: str
    equations: str = ""


def formulas_of(source):
    """Name -> its Formulas, in the order of the source; what is returned is under "return"."""
    source = dedent(source)
    definition = ast.parse(source).body[0]
    statements = assignments(definition)
    statements["return"] = [node for node in ast.walk(definition) if isinstance(node, ast.Return)]
    return {name: tuple(formula(source, statement) for statement in found) for name, found in statements.items()}


def groups_of(source):
    """(name, key, its Formulas) of all that a source assigns, in its order: statements that stand together count as
    one. The key tells apart the values of a name that is assigned in several places: see key_of."""
    source = dedent(source)
    definition = ast.parse(source).body[0]
    statements = assignments(definition)
    ordered = sorted(
        ((statement.lineno, name, k) for name, found in statements.items() for k, statement in enumerate(found)),
        key=lambda each: each[0],
    )
    groups = []
    for _, name, k in ordered:
        before = groups.pop()[2] if groups and groups[-1][0] == name else ()
        found = statements[name]
        groups.append((name, key_of(name, k, len(found)), (*before, formula(source, found[k]))))
    return groups


def key_of(name, k, number):
    """What the value after the k-th of a name's assignments is called: the last one is the name's own."""
    return name if k == number - 1 else f"{name} after {k}"


def formula(source, statement):
    """One statement of a source as a Formula, on one line."""
    comment = source.splitlines()[statement.end_lineno - 1].partition("#")[2]
    equations = ", ".join(re.findall(r"\(\d+\)(?: to \(\d+\))?", comment))
    return Formula(" ".join(ast.get_source_segment(source, statement).split()), equations)


def loop_in(source):
    """The first loop of a function's source, on one line."""
    source = dedent(source)
    loop = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.For))
    return " ".join(ast.get_source_segment(source, loop).split())


def call_in(source, callee):
    """How a function's source calls another, as text: the first call in it; "" without one."""
    source = dedent(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == callee:
            return " ".join(ast.get_source_segment(source, node).split())
    return ""


def helpers_of(function, package="numpylm"):
    """Name -> the first line of its documentation, for each function of the package that one of its functions names."""
    found = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    return {
        name: inspect.getdoc(helper).splitlines()[0]
        for name, helper in found.items()
        if inspect.isfunction(helper) and helper.__module__.startswith(f"{package}.")
    }


def equations_of(documentation):
    """The lines of a module's documentation that end in an equation's number, with the numbers in one column."""
    lines = [line for line in documentation.splitlines() if re.search(r"=.*\(\d+\)$", line)]
    parts = [re.split(" {2,}", line.strip()) for line in lines]
    return [f"{padded('   '.join(words), 64)}{number}" for *words, number in parts]


def padded(text, width):
    """A text and spaces up to a width; a combining character, such as the tilde of c̃, takes no room."""
    return text + " " * (width - sum(not combining(character) for character in text))


def assignments(definition):
    """Name -> the statements that assign it or change it in place, in the order of the source."""
    found = {}
    for statement in sorted(
        (node for node in ast.walk(definition) if isinstance(node, ast.stmt)), key=lambda node: node.lineno
    ):
        for name in assigned_names(statement):
            found.setdefault(name, []).append(statement)
    return found


def assigned_names(statement):
    """The names that a statement assigns, or changes in place as y += b and y[t] = b do."""
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return []
    target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    bases = [each.value if isinstance(each, ast.Subscript) else each for each in targets]
    return [base.id for base in bases if isinstance(base, ast.Name)]
