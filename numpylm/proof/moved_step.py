"""The package's own functions, with every quantity on their way moved.

While `moved` is open, every quantity q of the functions that it names goes through move(k, "q", q), which returns it,
or returns it plus something. The derivative by what is added is ∂loss/∂q, and needs no backward pass: this proves each
field dq of an LSTMStepGradients, …, although q is no argument of any function. `watched` puts move between the lines:

    c_t = f_t * c_prev + i_t * c_tilde_t
    c_t = move("c_t", c_t)
"""

import ast
import inspect
from collections import Counter
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import import_module
from pkgutil import resolve_name
from textwrap import dedent
from types import FunctionType
from unittest.mock import patch


@contextmanager
def moved(names, move):
    """A context in which each quantity of these functions goes through move(k, its name, quantity).

    k counts the quantities of this name from 0. names are such as "numpylm.lstm.lstm_step": where callers look it up.
    """
    seen = Counter()

    def counted(name, q):
        seen[name] += 1
        return move(seen[name] - 1, name, q)

    def with_move(function):
        return lambda *arguments, **options: function(counted, *arguments, **options)  # no partial: it may be a method

    with ExitStack() as patches:
        for name in names:
            patches.enter_context(patch(name, with_move(watched(resolve_name(name)))))
        yield


@cache
def watched(function):
    """The function with one argument more, move, through which goes every array that it is given or assigns."""
    tree = Moving().visit(ast.parse(dedent(inspect.getsource(function))))
    names = {}
    exec(compile(ast.fix_missing_locations(tree), inspect.getsourcefile(function), "exec"), names)
    made = names[function.__name__]
    return FunctionType(made.__code__, vars(inspect.getmodule(function)), function.__name__, function.__defaults__)


class Moving(ast.NodeTransformer):
    """Puts the line name = move("name", name) behind every assignment, and before all for each argument."""

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        given = node.args.args
        node.body[:0] = [moving(argument.arg) for argument in given]
        given.insert(0, ast.arg("move"))
        return node

    def visit_Assign(self, node):
        names = [name for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        return [node, *(moving(name.id) for name in names if isinstance(name.ctx, ast.Store))]


def moving(name):
    """The line name = move("name", name)."""
    return ast.parse(f"{name} = move({name!r}, {name})").body[0]


def cell_function(cell, name):
    """The cell's function of this name: "step", "step_backward", "forward" or "backward"."""
    return getattr(import_module(f"numpylm.{cell.name}"), f"{cell.name}_{name}")
