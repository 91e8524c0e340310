"""The forward pass once more, with one quantity on its way moved: this proves a gradient without the backward pass.

i ε is added to one entry of a quantity q between the package's own lines (proof/moved_step.py): the imaginary part of
the loss over ε is ∂loss/∂q (the complex step of Squire and Trapp, 1998).
"""

from typing import NamedTuple

import numpy as np

from numpylm.loss import surprisal
from numpylm.proof.moved_step import moved_steps
from numpylm.proof.numerical import COMPLEX_STEP

RELATIVE, ABSOLUTE = 1e-9, 1e-14  # how far a gradient may lie from its numerical value
MOST_ENTRIES = 60  # arrays of more entries are proved along one random direction, besides the entries that are shown


class Proof(NamedTuple):
    """numeric, of the gradient's shape: ∂loss/∂q entry by entry, NaN where the entry was not moved alone; error, the
    largest difference between the gradient and it; ok, whether that is rounding."""

    numeric: np.ndarray
    error: float
    ok: bool


def derivatives(model, inputs, targets, place, directions):
    """Σ ∂loss/∂q[k] direction[k] over the entries of the q at place, (name, layer, t), for each of K directions of q's
    shape: (K,). The t of a parameter is None."""
    name, layer, t = place
    T, K, steps = len(inputs), len(directions), 1j * COMPLEX_STEP * np.asarray(directions)
    if t is None:
        q = model.astype(complex).parameters()
        moved = [model.with_parameters(q | {name: q[name] + step}) for step in steps]
        nats = [surprisal(moved_logits(each, inputs), targets).mean() for each in moved]
        return np.imag(nats) / COMPLEX_STEP
    step = np.concatenate(steps)  # K copies of the sequences side by side, each with a direction of its own
    inputs, targets = np.tile(inputs, (1, K)), np.tile(targets, (1, K))
    if name in ("h", "logits"):  # h_t moves the logits
        logits = moved_logits(model, inputs).astype(complex)
        logits[t] += step if name == "logits" else step @ model.output_matrix()
    elif name == "x":  # it moves xW_t
        logits = moved_logits(model, inputs, "xW_t", layer * T + t, step @ model.layer_parameters(layer)[0])
    else:
        logits = moved_logits(model, inputs, name, layer * T + t, step)
    return surprisal(logits, targets).reshape(T, K, -1).mean(axis=(0, 2)).imag / COMPLEX_STEP


def moved_logits(model, inputs, name=None, call=None, step=0.0):
    """The logits where the quantity of this name, in this call of the step function, is moved by a step.

    No breakpoint in the package's step functions stops here: watched copies of them run in their place.
    """

    def move(k, moved, q):
        return q + step if (moved, k) == (name, call) else q

    with moved_steps(model.cell, move):
        return model.forward(inputs).logits


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
