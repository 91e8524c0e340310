"""The package's own step functions, with every quantity on its way moved.

Every quantity q goes through move("q", q), which returns it, or returns it plus something. The derivative by what is
added is ∂loss/∂q, and needs no backward pass: this proves each field dq of an LSTMStepGradients, …, although q is no
argument of any function. `watched` puts move between the lines of a step function:

    c_t = f_t * c_prev + i_t * c_tilde_t
    c_t = move("c_t", c_t)
"""

import ast
import inspect
from functools import cache
from importlib import import_module


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


def moved_step(cell, move, parameters, xW_t, state, recurrent_dropout=None):
    """The state after one step of a cell, by its own step function, which finds its arguments by their names."""
    function = watched(cell_function(cell, "step"))
    known = {**parameters._asdict(), **cell.options, "move": move, "xW_t": xW_t, "recurrent_dropout": recurrent_dropout}
    known |= {f"{name}_prev": value for name, value in state._asdict().items()}
    record = function(**{name: known[name] for name in inspect.signature(function).parameters if name in known})
    return cell.State(*[getattr(record, f"{name}_t") for name in cell.State._fields])


def cell_function(cell, name):
    """The cell's function of this name: "step", "step_backward", "forward" or "backward"."""
    return getattr(import_module(f"numpylm.{cell.name}"), f"{cell.name}_{name}")
