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


class Place(NamedTuple):
    """Where a quantity q stands: name[at], for the k-th value that this name gets on the way from the tokens to the
    logits; or the parameter of this name, if k is None."""

    name: str
    k: int | None = None
    at: int | slice = slice(None)


class Proof(NamedTuple):
    """numeric, of the gradient's shape: ∂loss/∂q entry by entry, NaN where the entry was not moved alone; error, the
    largest difference between the gradient and it; ok, whether that is rounding."""

    numeric: np.ndarray
    error: float
    ok: bool


def prove(derivatives, entry, shown=()):
    """The Proof of an Entry's gradient. derivatives(place, directions) are the loss's, along directions of q's shape.

    Every entry of a small array is moved alone; of a large one the indices shown, and one random direction proves the
    rest: its derivative adds up the roundings of n entries, about √n of them.
    """
    gradient = entry.value
    small = gradient.size <= MOST_ENTRIES
    alone = list(np.ndindex(gradient.shape)) if small else list(shown)
    directions = np.zeros((len(alone) + 1, *gradient.shape))
    for direction, index in zip(directions, alone, strict=False):
        direction[index] = 1
    directions[-1] = np.random.default_rng(0).standard_normal(gradient.shape)
    *found, along = derivatives(entry.place, directions)
    numeric = np.full(gradient.shape, np.nan)
    for index, derivative in zip(alone, found, strict=True):
        numeric[index] = derivative
    error = np.nanmax(np.abs(gradient - numeric), initial=0)
    if not small:
        error = max(error, abs((gradient * directions[-1]).sum() - along) / np.sqrt(gradient.size))
    return Proof(numeric, float(error), bool(error <= RELATIVE * np.abs(gradient).max() + ABSOLUTE))


def derivatives(model, functions, data, targets, place, directions):
    """Σ ∂loss/∂q[k] direction[k] over the entries of the q at a Place, for each of K directions: (K,).

    model.forward(*data) gives the logits; it passes through these functions, whose quantities can be moved.
    """
    K, steps = len(directions), 1j * COMPLEX_STEP * np.asarray(directions)
    step = np.concatenate(steps)  # for K copies of the sequences side by side, each with a direction of its own
    models, copies = [model], [np.tile(tokens, (1, K)) for tokens in data]
    if place.k is None:
        q = model.astype(complex).parameters()
        models, copies = [model.with_parameters(q | {place.name: q[place.name] + step}) for step in steps], data

    def move(k, name, q):
        if name == "lookup":  # a folded projection would read no x
            return None
        if (name, k) == place[:2]:
            q = q.astype(complex)
            q[place.at] += step
        return q

    with moved(functions, move):  # watched copies run in the functions' place: no breakpoint there stops
        logits = np.concatenate([each.forward(*copies).logits.astype(complex) for each in models], axis=1)
    if place.name == "logits":
        logits[place.at] += step
    nats = surprisal(logits, np.tile(targets, (1, K)))
    return nats.reshape(len(targets), K, -1).mean(axis=(0, 2)).imag / COMPLEX_STEP
