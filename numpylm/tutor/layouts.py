"""Our arrays in the layout of other code, and its gradients back in ours.

A Layout says how vectors, sequences, gates and biases lie. `theirs` moves our arrays into it, by moving entries only.
So the way back needs no table of its own: theirs(role, numbers of entries) tells where each entry came from.
"""

from itertools import permutations, product
from typing import NamedTuple

import numpy as np

ORDERS = {"ntd": (1, 0, 2), "tnd": (0, 1, 2), "dnt": (2, 1, 0), "tdn": (0, 2, 1), "ndt": (1, 2, 0)}  # of our (T, N, D)
FIRST_GATES = {"lstm": ("ifoc", "fcio", "ifco", "fico", "fioc", "icfo"), "gru": ("rzn", "zrn")}


class Layout(NamedTuple):
    """columns: whether vectors are columns; axes of a sequence; order of packed gates; which of h and x comes first in
    a concatenation; flat: whether a bias has one axis; whether W and U have exchanged their places; turned: whether
    weights are (H, D) beside vectors that are rows; single: whether there is no axis for the sequences of a batch."""

    cell: str
    columns: bool
    axes: str
    gates: str
    first: str = "h"
    flat: bool = True
    exchanged: bool = False
    turned: bool = False
    single: bool = False


STATES = ("x", "h_prev", "c_prev", "h", "c")  # what has an axis for the sequences of a batch


def layouts(cell, form, roles, convention):
    """Every layout that code with these roles may have, the convention's own first."""
    parts = {role.partition(":")[0] for role in roles}
    packed = bool({"W_x", "W_h", "W", "W1", "b"} & set(roles)) and cell != "rnn"
    usual = {"lstm": "ifoc", "gru": "rzn"}.get(cell, "")
    orders = dict.fromkeys([convention.gates, *FIRST_GATES.get(cell, ()), *map("".join, permutations(usual))])
    orders = [order for order in orders if sorted(order) == sorted(usual)] if packed else [usual]
    columns = [convention.columns, not convention.columns]
    for order, is_columns in product(orders, columns):
        axes = ("dnt", "tdn") if is_columns else ("ntd", "tnd", "ndt")
        axes = sorted(axes, key=lambda axis: axis != convention.axes) if form != "step" else [convention.axes]
        firsts, flats = "hx" if {"W", "W1"} & parts else "h", (False, True) if is_columns else (True, False)
        exchanges = (False, True) if any(":" in r and r.startswith("W_") for r in roles) else (False,)
        for turned, axis, first, flat, exchanged in product((False, True), axes, firsts, flats, exchanges):
            yield Layout(cell, is_columns, axis, order, first, flat, exchanged, turned and not is_columns)


def theirs(role, ours, layout):
    """One of our arrays, or several in one, as code of this layout holds it."""
    part, _, gate = role.partition(":")
    if layout.exchanged and gate and part in ("W_x", "W_h"):
        part = {"W_x": "W_h", "W_h": "W_x"}[part]
    if part == "W":
        both = [gates_of(ours[name], gate, layout) for name in ("W_h", "W_x")]
        matrix = np.concatenate(both if layout.first == "h" else both[::-1])
    elif part == "W1":
        W_h, W_x, b = (gates_of(ours[name], gate, layout) for name in ("W_h", "W_x", "b"))
        matrix = np.concatenate([b[None], *((W_h, W_x) if layout.first == "h" else (W_x, W_h))])
    elif part in ("W_x", "W_h", "b"):
        matrix = gates_of(ours[part], gate, layout)
    else:
        matrix = ours[part]
    if layout.single and part in STATES:
        matrix = matrix[..., 0, :]
        return matrix.T if layout.axes == "dnt" and matrix.ndim == 2 else matrix
    if matrix.ndim == 3:
        return matrix.transpose(ORDERS[layout.axes])
    if matrix.ndim == 2:
        is_weight = part not in STATES
        return matrix.T if layout.columns or (layout.turned and is_weight) else matrix
    if layout.flat:
        return matrix
    return matrix[:, None] if layout.columns else matrix[None]


def gates_of(array, gate, layout):
    """The columns of one gate, or of all in the layout's order."""
    ours = {"lstm": "ifoc", "gru": "rzn"}.get(layout.cell)
    if not ours:
        return array
    blocks = dict(zip(ours, np.split(array, len(ours), axis=-1), strict=True))
    return blocks[gate] if gate else np.concatenate([blocks[g] for g in layout.gates], axis=-1)


def to_ours(gradients, roles, ours, layout):
    """Our name -> gradient, of every array of ours whose gradient is whole among theirs."""
    places, start = {}, 0
    for name, array in ours.items():
        places[name] = np.arange(start, start + array.size, dtype=float).reshape(array.shape)
        start += array.size
    entries = np.full(start, np.nan)
    for name, gradient in gradients.items():
        where = theirs(roles[name], places, layout).astype(int)
        if where.size == np.size(gradient):
            entries[where] = np.reshape(gradient, where.shape)
    found = {name: entries[where.astype(int)] for name, where in places.items()}
    return {name: gradient for name, gradient in found.items() if not np.isnan(gradient).any()}


def is_ours(fit, role):
    """Whether our own problem holds the gradient of an array of this role."""
    return bool(role) and (role in fit.ours.gradients or ":" in role or role in ("W", "W1"))
