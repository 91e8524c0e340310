"""The package's own step functions, with every quantity on its way moved.

While `moved_steps` is open, every quantity q of a cell's step functions goes through move(k, "q", q), which returns it,
or returns it plus something; k counts the steps. The derivative by what is added is ∂loss/∂q, and needs no backward
pass: this proves each field dq of an LSTMStepGradients, …, although q is no argument of any function. `watched` puts
move between the lines of a step function:

    c_t = f_t * c_prev + i_t * c_tilde_t
    c_t = move("c_t", c_t)
"""

import ast
import inspect
from functools import cache, partial
from importlib import import_module
from itertools import count
from unittest.mock import patch


def moved_steps(cell, move):
    """A context in which each quantity of the cell's k-th step goes through move(k, name, quantity)."""
    step, steps = watched(cell_function(cell, "step")), count()

    def moved(*arguments, **options):
        return step(partial(move, next(steps)), *arguments, **options)

    return patch(f"numpylm.{cell.name}.{cell.name}_step", moved)


@cache
def watched(function):
    """The function with one argument more, move, through which goes every array that it is given or computes."""
    tree = ast.parse(inspect.getsource(function))
    (definition,) = tree.body
    arguments, lines = definition.args.args, definition.body
    given = [argument.arg for argument in arguments if argument.arg.endswith(("_t", "_prev"))]
    definition.body = [moving(name) for name in given]
    for line in lines:
        names = [node.id for node in ast.walk(line) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        definition.body += [line, *(moving(name) for name in names)]
    arguments.insert(0, ast.arg("move"))
    names = dict(vars(inspect.getmodule(function)))
    exec(compile(ast.fix_missing_locations(tree), inspect.getsourcefile(function), "exec"), names)
    return names[function.__name__]


def moving(name):
    """The line name = move("name", name)."""
    return ast.parse(f"{name} = move({name!r}, {name})").body[0]


def cell_function(cell, name):
    """The cell's function of this name: "step", "step_backward", "forward" or "backward"."""
    return getattr(import_module(f"numpylm.{cell.name}"), f"{cell.name}_{name}")
