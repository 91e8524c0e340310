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


def replay(model, inputs, targets, move, states=None, start=0):
    """The surprisal of each sequence, (N,) nats: inputs and targets (T, N) without the steps before start. states are
    those before that step."""
    parameters = {name: move(name, None, None, array) for name, array in model.parameters().items()}
    dtype = np.result_type(*parameters.values())  # complex, if one of them is moved
    parameters = {name: array.astype(dtype, copy=False) for name, array in parameters.items()}
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
        logits = move("logits", None, t, h_t @ moved.output_matrix() + parameters["b_y"])
        nats = nats + surprisal(logits[None], targets[t][None])[0]
    return nats


def derivatives(model, inputs, targets, states, place, directions):
    """Σ ∂loss/∂q[k] direction[k] over the entries of the q at place, (name, layer, t), for each of K directions of q's
    shape: (K,). states[t] is the state before step t. What comes before t does not depend on q."""

    def moving(direction):
        def move(name, layer, t, value):
            return value + 1j * COMPLEX_STEP * direction if (name, layer, t) == place else value

        return move

    *_, t = place
    if t is None:  # a parameter
        nats = np.array([replay(model, inputs, targets, moving(direction)).sum() for direction in directions])
    else:  # K copies of the sequences side by side, in each of which q moves along a direction of its own
        K = len(directions)
        before = [type(state)(*[np.tile(array, (K, 1)) for array in state]) for state in states[t]]
        inputs, copies = np.tile(inputs, (1, K)), np.tile(targets, (1, K))
        nats = replay(model, inputs, copies, moving(np.concatenate(directions)), before, t).reshape(K, -1).sum(axis=1)
    return nats.imag / COMPLEX_STEP / targets.size


def prove(gradient, derivatives_along, shown):
    """The Proof of a gradient. derivatives_along(directions) are the loss's derivatives along directions of q's shape.

    Every entry of a small array is moved alone; of a large one the indices shown, and one random direction proves the
    rest: its derivative adds up the roundings of n entries, about √n of them.
    """
    small = gradient.size <= MOST_ENTRIES
    alone = list(np.ndindex(gradient.shape)) if small else list(shown)
    directions = np.zeros((len(alone) + 1, *gradient.shape))
    for direction, index in zip(directions, alone, strict=False):
        direction[index] = 1
    directions[-1] = np.random.default_rng(0).standard_normal(gradient.shape)
    *found, along = derivatives_along(directions)
    numeric = np.full(gradient.shape, np.nan)
    for index, derivative in zip(alone, found, strict=True):
        numeric[index] = derivative
    error = float(np.nanmax(np.abs(gradient - numeric), initial=0))
    if not small:
        rest = float(abs((gradient * directions[-1]).sum() - along) / np.sqrt(gradient.size))
        error = max(error, rest)
    return Proof(numeric, error, bool(error <= RELATIVE * np.abs(gradient).max() + ABSOLUTE))
