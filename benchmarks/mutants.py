"""Single-line mutants of our own backward functions: every source with one change in one line.

A term dropped, a sign flipped, a field or a gradient taken for another, a transpose or a derivative left out, a loop
reversed, an index off by one, … Each operator is a function from a node of the syntax tree, the names of the gradients
known before it, and the fields of the records, to the texts that may stand in the node's place.
"""

import ast
import random
import re
from itertools import combinations
from typing import NamedTuple

from numpylm.tutor.diagnosis.mistakes import MODULES, source_of

SWAPPED = {"tanh_backward": "sigmoid_backward", "sigmoid_backward": "tanh_backward"}
OTHER_OPERATIONS = {ast.Add: "-*", ast.Sub: "+", ast.Mult: "+", ast.Div: "*"}
NO_ARRAY = re.compile(r"(affine|freeze)_backward|np\.(nonzero|unique|argsort|empty)|dstate_T$")
LOOPS = ("range(len(dh))", "reversed(range(1, len(dh)))", "reversed(range(len(dh) - 1))")


class Mutant(NamedTuple):
    """A changed source: what the changed line was and is, and the quantities and equations that it is about."""

    function: str
    source: str
    before: str
    after: str
    quantities: tuple
    equations: tuple


def mutants_of(function, source=None, line=None):
    """Every mutant of one function, or of a changed source of it, or of one line in that, each text once."""
    source = source_of(function) if source is None else source
    tree = ast.parse(source)
    seen, found = {ast.unparse(tree)}, []
    for number, statement in enumerate(statements(tree.body[0].body)):
        if line not in (None, head(statement)):
            continue
        quantities, equations = subject_of(statement, source.splitlines())
        for node, text in replacements(statement, tree, fields_of(function)):
            changed = spliced(source, node, text)
            after = ast.parse(changed)
            normal = ast.unparse(after)
            if normal not in seen:
                seen.add(normal)
                new = "pass" if text == "pass" else head(list(statements(after.body[0].body))[number])
                about = quantities + displaced(head(statement), new)
                found.append(Mutant(function, changed, head(statement), new, about, equations))
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
        if isinstance(statement, ast.For | ast.Assign | ast.AugAssign):
            yield statement
        yield from statements(statement.body if isinstance(statement, ast.For) else ())


def head(statement):
    """A statement's first line."""
    return ast.unparse(statement).splitlines()[0]


def fields_of(function):
    """{"step", "gradients": the fields of that record of the function's cell}."""
    prefix = function.partition("_")[0].upper()
    records = {"step": f"{prefix}Step", "gradients": f"{prefix}StepGradients"}
    return {name: getattr(getattr(MODULES[function], record, None), "_fields", ()) for name, record in records.items()}


def subject_of(statement, lines):
    """(quantities, equations) that a statement is about: its targets, and what its comment says."""
    if isinstance(statement, ast.For):
        return ("dh_next", "dc_next", "dh_t"), ()
    target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    comment = lines[statement.lineno - 1].partition("#")[2]
    equations = re.findall(r"\(\d+\) to \(\d+\)", comment) or re.findall(r"\(\d+\)", comment)
    return tuple(re.match(r"\w+", ast.unparse(each)).group() for each in targets), tuple(equations)


def displaced(before, after):
    """The gates that a changed concatenation no longer has in their places: da_t's block i is da_i by another name."""
    pairs = [re.findall(r"\bda_\w|\bdhW_n|\bd\w+", line.partition("((")[2]) for line in (before, after)]
    return tuple(name for name, other in zip(*pairs, strict=False) if name != other)


def spliced(source, node, text):
    """The source with a text in a node's place."""
    source, lines = source.encode(), [0, 0]
    for line in source.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))  # where line number k begins
    start, end = lines[node.lineno] + node.col_offset, lines[node.end_lineno] + node.end_col_offset
    return (source[:start] + text.encode() + source[end:]).decode()


def replacements(statement, tree, fields):
    """(a node, the text in its place), for every change of a statement in one place."""
    if isinstance(statement, ast.For):
        yield from ((statement.iter, text) for text in LOOPS)
        return
    yield statement, "pass"
    value = ast.unparse(statement.value)
    if isinstance(statement, ast.AugAssign):
        yield from ((statement, f"{ast.unparse(statement.target)} {sign} {value}") for sign in ("+=", "*=", "="))
    if not isinstance(statement.value, ast.Tuple) and not NO_ARRAY.match(value):
        yield from ((statement.value, form.format(value)) for form in ("-({})", "2 * ({})", "np.zeros_like({})"))
    names = gradients_before(tree, statement)
    for node in ast.walk(statement.value):
        for text in OPERATORS.get(type(node), lambda *_: ())(node, names, fields):
            yield node, f"({text})"


def gradients_before(tree, statement):
    """The names of the gradients that are known before a statement: arguments, and what was assigned."""
    names = [argument.arg for argument in tree.body[0].args.args]
    for other in statements(tree.body[0].body):
        if isinstance(other, ast.Assign) and other.lineno < statement.lineno and isinstance(other.targets[0], ast.Name):
            names.append(other.targets[0].id)
    return [name for name in names if name.startswith("d") and name != "dstate_T"]


def operations(node, names, fields):
    """A term or a factor dropped, an operation taken for another, 1 - y for y."""
    left, right = f"({ast.unparse(node.left)})", f"({ast.unparse(node.right)})"
    if isinstance(node.op, ast.MatMult):
        return []
    found = [left, right, *[f"{left} {other} {right}" for other in OTHER_OPERATIONS.get(type(node.op), "")]]
    return [*found, f"{right} - {left}"] if isinstance(node.op, ast.Sub) else found


def attributes(node, names, fields):
    """No transpose; another field of the step or of its gradients; x of the step before."""
    owner = ast.unparse(node.value)
    if node.attr == "T":
        return [owner]
    if (owner, node.attr) == ("trace", "x"):
        return ["np.roll(trace.x, 1, 0)", "np.roll(trace.x, 1, 1)", "trace.x[::-1]"]
    if node.attr not in fields.get(owner, ()):
        return []
    others = [f"{owner}.{field}" for field in fields[owner] if field != node.attr]
    return others + ([f"1 - {owner}.{node.attr}"] if owner == "step" else [])


def other_names(node, names, fields):
    """Another gradient, or another gate."""
    is_known = node.id in names or node.id.startswith(("da_", "dhW_"))
    return [name for name in names if name != node.id] if is_known else []


def calls(node, names, fields):
    """A derivative left out or taken for another; dropout or the mask left out; a mean for a sum; time reversed."""
    name, arguments, found = ast.unparse(node.func), [ast.unparse(argument) for argument in node.args], []
    if name in ("tanh_backward", "sigmoid_backward", "f_backward", "drop"):
        found.append(arguments[0])
    if name in SWAPPED:
        d, y = arguments
        found += [f"{SWAPPED[name]}({d}, {y})", f"{name}({y}, {d})", f"{name}({d}, tanh({y}))", f"({d}) * {y}"]
    if name == "freeze_backward":
        found.append(f"({arguments[2]}, 0)")
    if name == "flatten_time":
        found += [f"flatten_time({arguments[0]}[::-1])"]
        found += [f"flatten_time(np.roll({arguments[0]}, {k}, 0))" for k in (1, -1)]
        found += [f"{arguments[0]}[{k}]" for k in (0, -1)]
    if name.endswith(".sum"):
        found += [ast.unparse(node).replace(".sum(", f".{other}(") for other in ("mean", "max")]
    return found


def subscripts(node, names, fields):
    """Off by one."""
    owner, index = ast.unparse(node.value), ast.unparse(node.slice)
    return [f"{owner}[{other}]" for other in ("t - 1", "-1", "0", "-1 - t")] if index == "t" else []


def tuples(node, names, fields):
    """Two elements in each other's place."""
    texts = [ast.unparse(element) for element in node.elts]
    for k, j in sorted(combinations(range(len(texts)), 2), key=lambda pair: pair[::-1]):
        changed = list(texts)
        changed[k], changed[j] = texts[j], texts[k]
        yield ", ".join(changed)


def constants(node, names, fields):
    """0 for 1, and 1 for 0."""
    return [str(1 - node.value)] if node.value in (0, 1) and isinstance(node.value, int) else []


OPERATORS = {
    ast.BinOp: operations, ast.Attribute: attributes, ast.Name: other_names, ast.Call: calls,
    ast.Subscript: subscripts, ast.Tuple: tuples, ast.Constant: constants,
}  # fmt: skip
