"""Single-line mutants of our own backward functions: every source with one change in one line.

A term dropped, a sign flipped, a field or a gradient taken for another, a transpose or a derivative left out, a loop
reversed, an index off by one, …
"""

import ast
import random
import re
from itertools import accumulate, combinations
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
    begins = [0, *accumulate(map(len, source.splitlines(keepends=True)))]  # of line number k + 1; code is ASCII
    start, end = begins[node.lineno - 1] + node.col_offset, begins[node.end_lineno - 1] + node.end_col_offset
    return source[:start] + text + source[end:]


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
        yield from ((node, f"({text})") for text in other_texts(node, names, fields))


def gradients_before(tree, statement):
    """The names of the gradients that are known before a statement: arguments, and what was assigned."""
    names = [argument.arg for argument in tree.body[0].args.args]
    for other in statements(tree.body[0].body):
        if isinstance(other, ast.Assign) and other.lineno < statement.lineno and isinstance(other.targets[0], ast.Name):
            names.append(other.targets[0].id)
    return [name for name in names if name.startswith("d") and name != "dstate_T"]


def other_texts(node, names, fields):
    """The texts that may stand in a node's place: fields are those of the records, names those of the gradients."""
    match node:
        case ast.BinOp(left, operation, right) if not isinstance(operation, ast.MatMult):
            left, right = f"({ast.unparse(left)})", f"({ast.unparse(right)})"
            yield from (left, right)  # a term or a factor dropped, an operation taken for another, 1 - y for y
            yield from (f"{left} {other} {right}" for other in OTHER_OPERATIONS.get(type(operation), ""))
            yield from [f"{right} - {left}"] if isinstance(operation, ast.Sub) else ()
        case ast.Attribute(owner, "T"):  # no transpose
            yield ast.unparse(owner)
        case ast.Attribute(ast.Name("trace"), "x"):  # x of the step before
            yield from ("np.roll(trace.x, 1, 0)", "np.roll(trace.x, 1, 1)", "trace.x[::-1]")
        case ast.Attribute(ast.Name(owner), field) if field in fields.get(owner, ()):
            yield from (f"{owner}.{other}" for other in fields[owner] if other != field)
            yield from [f"1 - {owner}.{field}"] if owner == "step" else ()
        case ast.Name(name) if name in names or name.startswith(("da_", "dhW_")):  # another gradient, or another gate
            yield from (other for other in names if other != name)
        case ast.Call():
            yield from other_calls(node)
        case ast.Subscript(owner, ast.Name("t")):  # off by one
            yield from (f"{ast.unparse(owner)}[{other}]" for other in ("t - 1", "-1", "0", "-1 - t"))
        case ast.Tuple(elements):  # two elements in each other's place
            for k, j in sorted(combinations(range(len(elements)), 2), key=lambda pair: pair[::-1]):
                texts = [*map(ast.unparse, elements)]
                texts[k], texts[j] = texts[j], texts[k]
                yield ", ".join(texts)
        case ast.Constant(0 | 1 as value) if isinstance(value, int):
            yield str(1 - value)


def other_calls(node):
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
