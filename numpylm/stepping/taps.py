"""A language model whose functions show every quantity on the way, and let one of them be moved.

Each function is compiled anew from its own source, with a tap at every argument, after each line that assigns a name,
and at what is returned: a call tap(function, name, value) that gets the value and gives back the one to go on
with. A line that reads an argument reads it through a tap of its own, named "argument in assigned", so that a quantity
with two paths can be moved on one of them.
"""

import ast
import inspect
from functools import partial
from types import FunctionType

from numpylm.affine import affine_backward, affine_forward
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.model import LanguageModel
from numpylm.projection import projection_backward, projection_forward
from numpylm.stepping.formulas import assigned_names, assignments, key_of

AROUND_THE_CELL = (
    embedding_forward, affine_forward, projection_forward, cross_entropy_forward, cross_entropy_backward,
    affine_backward, projection_backward, embedding_backward,
)  # fmt: skip


def functions_of(cell):
    """Name -> function of all that is tapped, each after those that it calls; cell is a recurrence.Cell."""
    forward, backward = whole(cell.forward), whole(cell.backward)
    step, step_backward = (forward.__globals__[f"{cell.name}_{name}"] for name in ("step", "step_backward"))
    return {function.__name__: function for function in (*AROUND_THE_CELL, step, step_backward, forward, backward)}


def whole(function):
    """The function that a partial holds, or the function itself."""
    return function.func if isinstance(function, partial) else function


def sources_of(cell):
    """Name -> source of each function that is tapped."""
    return {name: inspect.getsource(function) for name, function in functions_of(cell).items()}


def tapped_model(model, tap, sources):
    """The same model, its parameters shared, on tapped functions; sources as sources_of gives them, or changed.

    It always looks its tokens up: the folded table (projection.py) has no x_t to show."""
    tapped = {}
    for name, function in functions_of(model.cell).items():
        namespace = {**function.__globals__, **tapped, "_tap": tap}
        exec(compile(with_taps(sources[name]), f"<{name} with taps>", "exec"), namespace)
        tapped[name] = namespace[name]
    methods = {
        name: with_globals(method, {**method.__globals__, **tapped})
        for name, method in vars(LanguageModel).items()
        if inspect.isfunction(method)
    }
    methods["_embed"] = lambda self, tokens, masks: tapped["embedding_forward"](tokens, self.parameters()["E"])
    copy = object.__new__(type(type(model).__name__, (LanguageModel,), methods))
    LanguageModel.__init__(copy, tapped_cell(model.cell, tapped), model.sizes, model.parameters())
    return copy


def with_globals(function, namespace):
    """The same function, which looks its global names up in another namespace."""
    copy = FunctionType(function.__code__, namespace, function.__name__, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def tapped_cell(cell, tapped):
    """The cell with tapped functions in the place of its own, and the same options."""

    def exchanged(function):
        other = tapped[whole(function).__name__]
        return partial(other, **function.keywords) if isinstance(function, partial) else other

    return cell._replace(forward=exchanged(cell.forward), backward=exchanged(cell.backward))


def with_taps(source):
    """A function's source as a syntax tree with taps in it."""
    tree = ast.parse(source)
    definition = tree.body[0]
    arguments = [argument.arg for argument in definition.args.args]
    places = assignments(definition)
    start = 0 if ast.get_docstring(definition) is None else 1
    entry = [tap_after(definition.name, name) for name in arguments if name not in places]
    tapped = tapped_statements(definition.body[start:], definition.name, arguments, places)
    definition.body[start:] = [*entry, *tapped]
    return ast.fix_missing_locations(tree)


def tapped_statements(statements, *where):
    """Statements with their taps: see tapped_statement."""
    return [line for statement in statements for line in tapped_statement(statement, *where)]


def tapped_statement(statement, function, arguments, places):
    """A statement that shows what it reads of the arguments, what it assigns, and what it returns."""
    for block in ("body", "orelse"):
        if getattr(statement, block, None):
            setattr(statement, block, tapped_statements(getattr(statement, block), function, arguments, places))
    if isinstance(statement, ast.Return):
        statement.value = tap_call(function, "return", statement.value)
        return [statement]
    names = assigned_names(statement)
    if not names:
        return [statement]
    statement.value = TappedReads(function, arguments, names[0]).visit(statement.value)
    keys = {name: key_of(name, places[name].index(statement), len(places[name])) for name in names}
    return [statement, *[tap_after(function, name, key) for name, key in keys.items()]]


class TappedReads(ast.NodeTransformer):
    """Puts a tap around every argument that an expression reads."""

    def __init__(self, function, arguments, assigned):
        self.function, self.arguments, self.assigned = function, arguments, assigned

    def visit_Name(self, node):
        if node.id not in self.arguments:
            return node
        return tap_call(self.function, f"{node.id} in {self.assigned}", node)


def tap_call(function, name, value):
    """The expression _tap(function, name, value)."""
    return ast.Call(ast.Name("_tap", ast.Load()), [ast.Constant(function), ast.Constant(name), value], [])


def tap_after(function, name, key=None):
    """The statement name = _tap(function, key, name); the key is the name, unless another is given."""
    return ast.Assign([ast.Name(name, ast.Store())], tap_call(function, key or name, ast.Name(name, ast.Load())))
