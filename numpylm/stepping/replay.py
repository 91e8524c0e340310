"""The forward pass once more, with one quantity on its way moved: this proves a gradient without the backward pass.

`replay` computes the loss of a window by the package's own lines (proof/moved_step.py). It hands every quantity to
move(name, layer, t, value), which returns it, or it plus something: add i ε to one entry of q, and the imaginary part
of the loss over ε is ∂loss/∂q (the complex step of Squire and Trapp, 1998).
"""

from typing import NamedTuple

import numpy as np

from numpylm.loss import surprisal
from numpylm.model import make_model
from numpylm.proof.moved_step import moved_step
from numpylm.proof.numerical import COMPLEX_STEP

RELATIVE, ABSOLUTE = 1e-9, 1e-14  # how far a gradient may lie from its numerical value
MOST_ENTRIES = 60  # arrays of more entries are proved along one random direction, besides the entries that are shown


class Proof(NamedTuple):
    """numeric, of the gradient's shape: ∂loss/∂q entry by entry, NaN where the entry was not moved alone; error, the
    largest difference between the gradient and it; ok, whether that is rounding."""

    numeric: np.ndarray
    error: float
    ok: bool


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

            p = moved.layer_parameters(layer)
            xW_t = model.cell.project(p, q[None])[0]
            states[layer] = moved_step(model.cell, move_here, p, xW_t, states[layer])
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
