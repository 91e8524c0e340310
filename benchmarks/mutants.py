"""Single-line mutants of our own backward functions: every source with one change in one line.

A term dropped, a sign flipped, a field or a gradient taken for another, a transpose or a derivative left out, a loop
reversed, an index off by one, … Each operator is a function from a node of the syntax tree, and the Scope it stands in,
to what may stand there instead.
"""

import ast
import copy
import random
import re
from typing import Any, NamedTuple

from numpylm import gru, lstm, rnn
from numpylm.tutor.mistakes import MODULES, source_of

SWAPPED = {"tanh_backward": "sigmoid_backward", "sigmoid_backward": "tanh_backward"}


class Mutant(NamedTuple):
    """A changed source: what the changed line was and is, and the quantities and equations that it is about."""

    function: str
    source: str
    before: str
    after: str
    quantities: tuple
    equations: tuple


class Scope(NamedTuple):
    """Where a node stands: the names of the gradients known there, and the module, whose records have the fields."""

    names: list
    module: Any


def mutants_of(function, source=None, line=None):
    """Every mutant of one function, or of a changed source of it, or of one line in that, each text once."""
    source = source_of(function) if source is None else source
    tree, lines = ast.parse(source), source.splitlines()
    seen, found = {ast.unparse(tree)}, []
    for statement in statements(tree.body[0].body):
        if line not in (None, head(statement)):
            continue
        quantities, equations = subject_of(statement, lines)
        for replacement in replacements(statement, tree, MODULES[function]):
            changed = ast.fix_missing_locations(replaced(tree, statement, replacement))
            text = ast.unparse(changed).replace("np.empty", "np.zeros")  # what is never filled in must not be chance
            if text not in seen:
                seen.add(text)
                about = quantities + displaced(statement, replacement)
                found.append(Mutant(function, text, head(statement), head(replacement), about, equations))
    return found


def twice_changed(function):
    """For each mutant, one more with a second change in the same line, drawn at random: always the same ones."""
    rng, found = random.Random(0), []
    for first in mutants_of(function):
        again = mutants_of(function, first.source, first.after)
        if again:
            second = rng.choice(again)
            about = tuple(dict.fromkeys(first.quantities + second.quantities))
            found.append(second._replace(before=first.before, quantities=about, equations=first.equations))
    return found


def statements(body):
    """All assignments, and loops, in a function's body."""
    for statement in body:
        if isinstance(statement, ast.For):
            yield statement
            yield from statements(statement.body)
        elif isinstance(statement, ast.Assign | ast.AugAssign):
            yield statement


def head(statement):
    """A statement's first line."""
    return ast.unparse(statement).splitlines()[0]


def subject_of(statement, lines):
    """(quantities, equations) that a statement is about: its targets, and what its comment says."""
    if isinstance(statement, ast.For):
        return ("dh_next", "dc_next", "dh_t"), ()
    target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    comment = lines[statement.lineno - 1].partition("#")[2]
    ranges = tuple(re.findall(r"\(\d+\) to \(\d+\)", comment))
    return tuple(re.match(r"\w+", ast.unparse(each)).group() for each in targets), ranges or tuple(
        re.findall(r"\(\d+\)", comment)
    )


def displaced(statement, replacement):
    """The gates that a changed concatenation no longer has in their places: da_t's block i is da_i by another name."""
    before, after = (
        re.findall(r"\bda_\w|\bdhW_n|\bd\w+", head(each).partition("((")[2]) for each in (statement, replacement)
    )
    return tuple(name for name, other in zip(before, after, strict=False) if name != other)


def replaced(tree, old, new):
    """A copy of a tree with another node in one node's place."""
    position = next(k for k, node in enumerate(ast.walk(tree)) if node is old)
    copied = copy.deepcopy(tree)
    target = list(ast.walk(copied))[position]

    class Replace(ast.NodeTransformer):
        def visit(self, node):
            return new if node is target else self.generic_visit(node)

    return Replace().visit(copied)


def replacements(statement, tree, module):
    """Every statement that differs from the given one in one place."""
    if isinstance(statement, ast.For):
        for text in ("range(len(dh))", "reversed(range(1, len(dh)))", "reversed(range(len(dh) - 1))"):
            changed = copy.deepcopy(statement)
            changed.iter = expression(text)
            yield changed
        return
    yield ast.Pass()
    if isinstance(statement, ast.AugAssign):
        for op in (ast.Add(), ast.Mult()):
            changed = copy.deepcopy(statement)
            changed.op = op
            yield changed
        yield ast.Assign([statement.target], statement.value, lineno=statement.lineno)
    scope = Scope(gradients_before(tree, statement), module)
    for value in [*whole(statement.value), *variants(statement.value, scope)]:
        changed = copy.deepcopy(statement)
        changed.value = value
        yield changed


def gradients_before(tree, statement):
    """The names of the gradients that are known before a statement: arguments, and what was assigned."""
    names = [argument.arg for argument in tree.body[0].args.args if argument.arg.startswith("d")]
    for other in statements(tree.body[0].body):
        if isinstance(other, ast.Assign) and other.lineno < statement.lineno and isinstance(other.targets[0], ast.Name):
            names.append(other.targets[0].id)
    return [name for name in names if name.startswith("d") and name != "dstate_T"]


def expression(text):
    """The syntax tree of an expression."""
    return ast.parse(text, mode="eval").body


def whole(value):
    """The whole right side with another sign or factor, or nothing in its place."""
    text = ast.unparse(value)
    if isinstance(value, ast.Tuple) or re.match(
        r"(affine|freeze)_backward|np\.(nonzero|unique|argsort|empty)|dstate_T$", text
    ):
        return []
    return [expression(form.format(text)) for form in ("-({})", "2 * ({})", "np.zeros_like({})")]


def variants(value, scope):
    """Every expression that differs from the given one in one node."""
    for node in ast.walk(value):
        if isinstance(node, ast.expr):
            for changed in at_node(node, scope):
                yield replaced(value, node, changed)


def at_node(node, scope):
    """What may stand in one node's place."""
    kinds = {
        ast.BinOp: operations, ast.Attribute: attributes, ast.Name: other_names, ast.Call: calls,
        ast.Subscript: subscripts, ast.Tuple: tuples, ast.Constant: constants,
    }  # fmt: skip
    make = kinds.get(type(node))
    return make(node, scope) if make else []


def operations(node, scope):
    """A term or a factor dropped, an operation taken for another, 1 - y for y."""
    found = [node.left, node.right]
    others = {ast.Add: [ast.Sub(), ast.Mult()], ast.Sub: [ast.Add()], ast.Mult: [ast.Add()], ast.Div: [ast.Mult()]}
    for op in others.get(type(node.op), []):
        changed = copy.deepcopy(node)
        changed.op = op
        found.append(changed)
    if isinstance(node.op, ast.Sub):
        found.append(ast.BinOp(node.right, ast.Sub(), node.left))
    return [] if isinstance(node.op, ast.MatMult) else found


def attributes(node, scope):
    """No transpose; another field of the step or of its gradients; x of the step before."""
    if node.attr == "T":
        return [node.value]
    owner = ast.unparse(node.value)
    if owner == "trace" and node.attr == "x":
        return [expression("np.roll(trace.x, 1, 0)"), expression("np.roll(trace.x, 1, 1)"), expression("trace.x[::-1]")]
    for cell, prefix in ((rnn, "RNN"), (lstm, "LSTM"), (gru, "GRU")):
        for variable, record in (("step", "Step"), ("gradients", "StepGradients")):
            fields = getattr(cell, prefix + record)._fields
            if owner == variable and node.attr in fields and cell is scope.module:
                others = [field for field in fields if field != node.attr]
                forms = [expression(f"{owner}.{field}") for field in others]
                return forms + ([expression(f"(1 - {owner}.{node.attr})")] if variable == "step" else [])
    return []


def other_names(node, scope):
    """Another gradient, or another gate."""
    if node.id in scope.names or node.id.startswith("da_") or node.id.startswith("dhW_"):
        return [ast.Name(name, ast.Load()) for name in scope.names if name != node.id]
    return []


def calls(node, scope):
    """A derivative left out or taken for another; dropout or the mask left out; a mean for a sum; time reversed."""
    name = ast.unparse(node.func)
    found = []
    if name in ("tanh_backward", "sigmoid_backward", "f_backward", "drop"):
        found.append(node.args[0])
    if name in SWAPPED:
        found.append(ast.Call(ast.Name(SWAPPED[name], ast.Load()), node.args, node.keywords))
        d, y = map(ast.unparse, node.args)
        found += [expression(f"{name}({y}, {d})"), expression(f"{name}({d}, tanh({y}))"), expression(f"{d} * {y}")]
    if name == "freeze_backward":
        found.append(expression(f"({ast.unparse(node.args[2])}, 0)"))
    if name == "flatten_time":
        found += [expression(f"flatten_time({ast.unparse(node.args[0])}[::-1])")]
        found += [expression(f"flatten_time(np.roll({ast.unparse(node.args[0])}, {k}, 0))") for k in (1, -1)]
        found += [expression(f"{ast.unparse(node.args[0])}[{k}]") for k in (0, -1)]
    if name.endswith(".sum"):
        found += [expression(ast.unparse(node).replace(".sum(", f".{other}(")) for other in ("mean", "max")]
    return found


def subscripts(node, scope):
    """Off by one."""
    index = ast.unparse(node.slice)
    owner = ast.unparse(node.value)
    return [expression(f"{owner}[{other}]") for other in ("t - 1", "-1", "0", "-1 - t")] if index == "t" else []


def tuples(node, scope):
    """Two elements in each other's place."""
    found = []
    for k in range(len(node.elts)):
        for j in range(k):
            changed = copy.deepcopy(node)
            changed.elts[j], changed.elts[k] = node.elts[k], node.elts[j]
            found.append(changed)
    return found


def constants(node, scope):
    """0 for 1, and 1 for 0."""
    return [ast.Constant(1 - node.value)] if node.value in (0, 1) and isinstance(node.value, int) else []
