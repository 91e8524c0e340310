"""The forward pass once more, with one quantity on its way moved: this proves a gradient without the backward pass.

`replay` computes the loss of a window by the package's own lines. It hands every quantity to move(name, layer, t,
value), which returns it, or it plus something: add i ε to one entry of q, and the imaginary part of the loss over ε is
∂loss/∂q (the complex step of Squire and Trapp, 1998). `watched` puts move between the lines of a step function:

    c_t = f_t * c_prev + i_t * c_tilde_t
    c_t = move("c_t", c_t)
"""

import ast
import inspect
from functools import cache
from importlib import import_module
from typing import NamedTuple

import numpy as np

from numpylm.loss import surprisal
from numpylm.model import make_model
from numpylm.proof.numerical import COMPLEX_STEP

RELATIVE, ABSOLUTE = 1e-9, 1e-14  # how far a gradient may lie from its numerical value
MOST_ENTRIES = 60  # arrays of more entries are proved along one random direction, besides the entries that are shown


class Proof(NamedTuple):
    """numeric, of the gradient's shape: ∂loss/∂q entry by entry, NaN where the entry was not moved alone; error, the
    largest difference between the gradient and it; ok, whether that is rounding."""

    numeric: np.ndarray
    error: float
    ok: bool


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


def step(cell, move, parameters, x_t, state):
    """The state after one step of a cell, by its own step function, which finds its arguments by their names."""
    function = watched(cell_function(cell, "step"))
    known = {f"{name}_prev": value for name, value in state._asdict().items()}
    known |= {**parameters._asdict(), **cell.options, "move": move, "xW_t": cell.project(parameters, x_t[None])[0]}
    record = function(**{name: known[name] for name in inspect.signature(function).parameters if name in known})
    return cell.State(*[getattr(record, f"{name}_t") for name in cell.State._fields])


def cell_function(cell, name):
    """The cell's function of this name: "step", "step_backward", "forward" or "backward"."""
    return getattr(import_module(f"numpylm.{cell.name}"), f"{cell.name}_{name}")


def stay(name, layer, t, value):
    """The move that moves nothing."""
    return value


def replay(model, inputs, targets, move=stay, states=None, start=0):
    """The loss of inputs and targets (T, N), without the steps before start. states are those before that step."""
    parameters = {name: move(name, None, None, array) for name, array in model.parameters().items()}
    dtype = np.result_type(*parameters.values())  # complex, if one of them is moved
    parameters = {name: array.astype(dtype) for name, array in parameters.items()}
    moved = make_model(model.cell, model.sizes, parameters)
    states = list(states or model.initial_state(inputs.shape[1]))
    nats = 0
    for t in range(start, len(inputs)):
        q = parameters["E"][inputs[t]]
        for layer in range(len(states)):
            q = move("x", layer, t, q)

            def move_here(name, value, layer=layer, t=t):
                return move(name, layer, t, value)

            states[layer] = step(model.cell, move_here, moved.layer_parameters(layer), q, states[layer])
            q = states[layer].h
        h_t = move("h", None, t, q)  # as the output projection reads it
        W_hy = move("output W_hy", None, None, moved.output_matrix())
        logits = move("logits", None, t, h_t @ W_hy + parameters["b_y"])
        nats = nats + surprisal(logits[None], targets[t][None]).sum()
    return nats / targets.size


def derivative(model, inputs, targets, states, place, direction):
    """Σ ∂loss/∂q[k] direction[k] over the entries of the q at place, which is (name, layer, t).

    states[t] is the state before step t. What comes before t does not depend on q, and is not computed again.
    """

    def move(name, layer, t, value):
        return value + 1j * COMPLEX_STEP * direction if (name, layer, t) == place else value

    start = place[2] or 0
    return replay(model, inputs, targets, move, states[start], start).imag / COMPLEX_STEP


def prove(gradient, derivative_along, shown):
    """The Proof of a gradient. derivative_along(direction) is the loss's derivative along a direction of q's shape.

    Every entry of a small array is moved alone; of a large one the indices shown, and one random direction proves the
    rest: its derivative adds up the roundings of n entries, about √n of them.
    """
    numeric = np.full(gradient.shape, np.nan)
    small = gradient.size <= MOST_ENTRIES
    for index in np.ndindex(gradient.shape) if small else shown:
        direction = np.zeros(gradient.shape)
        direction[index] = 1
        numeric[index] = derivative_along(direction)
    error = np.nanmax(np.abs(gradient - numeric))
    allowed = RELATIVE * np.nanmax(np.abs(numeric)) + ABSOLUTE
    ok = bool(error <= allowed)
    if not small:
        direction = np.random.default_rng(0).standard_normal(gradient.shape)
        along = abs((gradient * direction).sum() - derivative_along(direction)) / np.sqrt(gradient.size)
        ok = ok and bool(along <= RELATIVE * np.abs(gradient).max() + ABSOLUTE)
        error = max(error, along)
    return Proof(numeric, error, ok)
