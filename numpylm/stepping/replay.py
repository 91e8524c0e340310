"""The forward pass once more, with one quantity on its way moved: this proves a gradient without the backward pass.

i ε is added to one entry of a quantity q between the package's own lines (proof/moved_step.py): the imaginary part of
the loss over ε is ∂loss/∂q (the complex step of Squire and Trapp, 1998).
"""

from typing import NamedTuple

import numpy as np

from numpylm.loss import surprisal
from numpylm.proof.moved_step import moved
from numpylm.proof.numerical import COMPLEX_STEP

RELATIVE, ABSOLUTE = 1e-9, 1e-14  # how far a gradient may lie from its numerical value
MOST_ENTRIES = 60  # arrays of more entries are proved along one random direction, besides the entries that are shown


class Proof(NamedTuple):
    """numeric, of the gradient's shape: ∂loss/∂q entry by entry, NaN where the entry was not moved alone; error, the
    largest difference between the gradient and it; ok, whether that is rounding."""

    numeric: np.ndarray
    error: float
    ok: bool


def prove(derivatives, quantity, t, shown=()):
    """The Proof of a gradient at t. derivatives(*place, t, directions) are the loss's, along directions of its shape.

    Every entry of a small array is moved alone; of a large one those shown, counted along its rows, and one random
    direction proves the rest: its derivative adds up the roundings of n entries, about √n of them.
    """
    gradient = quantity.values[t]
    small = gradient.size <= MOST_ENTRIES
    alone = list(range(gradient.size) if small else shown)
    directions = np.zeros((len(alone) + 1, gradient.size))
    directions[range(len(alone)), alone] = 1
    directions[-1] = np.random.default_rng(0).standard_normal(gradient.size)
    *found, along = derivatives(*quantity.place, t, directions.reshape(-1, *gradient.shape))
    numeric = np.full(gradient.shape, np.nan)
    numeric.flat[alone] = found
    error = np.nanmax(np.abs(gradient - numeric), initial=0)
    if not small:
        error = max(error, abs((gradient.ravel() * directions[-1]).sum() - along) / np.sqrt(gradient.size))
    return Proof(numeric, float(error), bool(error <= RELATIVE * np.abs(gradient).max() + ABSOLUTE))


def derivatives(model, functions, data, targets, name, k, t, directions):
    """Σ ∂loss/∂q[k] direction[k] over the entries of a quantity q, for each of K directions: (K,).

    model.forward(*data) gives the logits, and passes through these functions. There q is the k-th value that this name
    gets, at t; a value that a step function computes, (N, ·), is one step's. k is None for the parameter of this name.
    """
    K, steps = len(directions), 1j * COMPLEX_STEP * directions
    step = np.concatenate(steps)  # for K copies of the sequences side by side, each with a direction of its own
    models, copies = [model], [np.tile(tokens, (1, K)) for tokens in data]
    if k is None:
        q = model.astype(complex).parameters()
        models, copies = [model.with_parameters(q | {name: q[name] + step}) for step in steps], data

    def move(count, moved_name, q):
        if moved_name == "lookup":  # a folded projection would read no x
            return None
        if k is None or moved_name != name:
            return q
        first, at = (k, t) if q.ndim == 3 else (k + t, ...)  # q is (T, N, ·), or one step's (N, ·)
        if count == first:
            q = q.astype(complex)
            q[at] += step
        return q

    with moved(functions, move):  # watched copies run in the functions' place: no breakpoint there stops
        logits = np.concatenate([each.forward(*copies).logits.astype(complex) for each in models], axis=1)
    if name == "logits":
        logits[t] += step
    nats = surprisal(logits, np.tile(targets, (1, K)))
    return nats.reshape(len(targets), K, -1).mean(axis=(0, 2)).imag / COMPLEX_STEP
