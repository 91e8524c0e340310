"""Our arrays in the layout of other code, as its forward is given them, and its gradients back in ours.

A Layout says how vectors, sequences, gates and biases lie. `theirs` moves our arrays into it, by moving entries only.
So the way back needs no table of its own: theirs(role, numbers of entries) tells where each entry came from.
"""

from itertools import permutations, product
from typing import NamedTuple

import numpy as np

from numpylm.tutor.foreign.scopes import size_slots
from numpylm.tutor.process.stand_ins import LETTERS

ORDERS = {"ntd": (1, 0, 2), "tnd": (0, 1, 2), "dnt": (2, 1, 0), "tdn": (0, 2, 1), "ndt": (1, 2, 0)}  # of our (T, N, D)
FIRST_GATES = {"lstm": ("ifoc", "fcio", "ifco", "fico", "fioc", "icfo"), "gru": ("rzn", "zrn")}


class Layout(NamedTuple):
    """columns: whether vectors are columns; axes of a sequence; order of packed gates; which of h and x comes first in
    a concatenation; flat: whether a bias has one axis; whether W and U have exchanged their places; turned: whether
    weights are (H, D) beside vectors that are rows, or (D, H) beside columns; single: whether there is no axis for the
    sequences of a batch, in "all" arrays or in those with an axis for time; "" for none; style: how the inputs of a
    loss lie, if they are vectors."""

    cell: str
    columns: bool
    axes: str
    gates: str
    first: str = "h"
    flat: bool = True
    exchanged: bool = False
    turned: bool = False
    single: str = ""
    style: str = ""


STATES = ("x", "h_prev", "c_prev", "h", "c", *"aifogrzn", "c_tilde", "tanh_c")  # with an axis for sequences


def gate_orders(cell, roles, convention):
    """The orders that packed gates may have in code with these roles, the convention's own first."""
    packed = bool({"W_x", "W_h", "W", "W1", "b"} & set(roles)) and cell != "rnn"
    usual = {"lstm": "ifoc", "gru": "rzn"}.get(cell, "")
    orders = dict.fromkeys([convention.gates, *FIRST_GATES.get(cell, ()), *map("".join, permutations(usual))])
    return [order for order in orders if sorted(order) == sorted(usual)] if packed else [usual]


def layouts(cell, form, roles, convention, single):
    """Every layout but for the order of the gates that code with these roles may have, the convention's own first."""
    parts = {role.partition(":")[0] for role in roles}
    for is_columns in (convention.columns, not convention.columns):
        axes = ("dnt", "tdn") if is_columns else ("ntd", "tnd", "ndt")
        axes = sorted(axes, key=lambda axis: axis != convention.axes) if form == "sequence" else [convention.axes]
        firsts, flats = "hx" if {"W", "W1"} & parts else "h", (False, True) if is_columns else (True, False)
        exchanges = (False, True) if {"W_x", "W_h"} <= parts else (False,)
        for turned, axis, first, flat, exchanged in product((False, True), axes, firsts, flats, exchanges):
            yield Layout(cell, is_columns, axis, "", first, flat, exchanged, turned, single)


def in_style(layout, style):
    """(a style of inputs and targets, where "step" is one step as the layout has it; the layout with that style)."""
    step = "vector" if layout.single else "column" if layout.columns else "matrix"
    style = tuple(step if how == "step" else how for how in style)
    return style, layout._replace(style="".join({*style[:1]} - NUMBERS))


def theirs(role, ours, layout):
    """One of our arrays, or several in one, as code of this layout holds it."""
    part, _, gate = role.partition(":")
    if part == "x" and layout.style:
        return np.array(STYLES[layout.style](ours["x"][:, 0], None))
    if layout.exchanged and part in ("W_x", "W_h"):
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
        matrix = gates_of(ours[part], "", layout) if part == "a" else ours[part]
    if part in STATES and (layout.single == "all" or (layout.single and matrix.ndim == 3)):
        matrix = matrix[..., 0, :]
        return matrix.T if layout.axes == "dnt" and matrix.ndim == 2 else matrix
    if matrix.ndim == 3:
        return matrix.transpose(ORDERS[layout.axes])
    if matrix.ndim == 2:
        return matrix.T if layout.columns != (layout.turned and part not in STATES) else matrix
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


STYLES = {  # how inputs or targets are given, of their rows (T, V), or of their tokens (T,): the likeliest first
    "ids": lambda rows, tokens: tokens.tolist(),
    "columns": lambda rows, _: list(rows[:, :, None]),
    "matrix": lambda rows, _: rows,
    "array": lambda rows, tokens: tokens,
    "three": lambda rows, _: rows[:, :, None],
    "batch": lambda rows, _: rows[:, None],
    "first": lambda rows, _: rows[None],
    "vectors": lambda rows, _: list(rows),
    "scalars": lambda rows, _: rows[:, 0].tolist(),
    "across": lambda rows, _: rows.T,
    "last": lambda rows, _: rows.T[:, None],
    "row": lambda rows, tokens: tokens[None],
    "down": lambda rows, tokens: tokens[:, None],
    "text": lambda rows, tokens: "".join(LETTERS[k % len(LETTERS)] for k in tokens),
    "final": lambda rows, tokens: tokens[-1:],
    "column": lambda rows, _: rows[-1][:, None],  # of a single step, as the two below
    "vector": lambda rows, _: rows[-1],
    "token": lambda rows, tokens: int(tokens[-1]),
}
NUMBERS = {"ids", "array", "row", "down", "final", "text", "token"}  # styles of tokens
PAIRS = tuple(  # of a style of inputs and one of targets
    (one, other)
    for one in list(STYLES)[:-4]
    for other in dict.fromkeys((one, "ids", "array", "row", "final"))
    if (one, other) != ("down", "row")
)
OF_STEP = [("step", "step"), ("step", "token"), ("token", "token"), ("vector", "vector"), ("vector", "token")]


def styles_of(unit, is_square, V):
    """The styles of inputs and targets, the likeliest first."""
    first = "text" if f"{LETTERS[0]!r}: " in str(unit.forward) else "scalars"  # it is given a dict of letters
    styles = sorted(PAIRS, key=lambda both: (first not in both, not is_square and len(NUMBERS & {*both})))
    is_known = unit.is_given("targets", unit.forward)  # else the backward's own are found later
    of_numbers = [("ids", "columns"), ("array", "columns")] if V == 1 else []  # tokens in, one number out
    return of_numbers + [(one, other) for one, other in styles if is_known or one == other]


def inputs_for(unit, ours, layout, style, rng, is_strict):
    """Slot -> array, in one layout; inputs and targets in a style. None where the file has other shapes.

    Not is_strict: an array of another shape is random. An array without a role is random too.
    """
    found = size_slots(unit.sizes)
    for slot, role in unit.roles.items():
        shape = unit.shapes.get(slot)
        is_extra = role is None or (not style and role in ("W_y", "b_y") and shape is not None)  # or an output's
        try:
            array = None if is_extra else theirs(role, ours.arrays, layout)
        except KeyError:  # a gate of another cell, or what is no array of this problem
            array = None
        if array is None or array.shape != (shape or array.shape):
            if shape is None or not (is_extra or not is_strict):
                return None
            array = 0.5 * rng.standard_normal(shape)
        first = next(other for other in unit.roles if unit.roles[other] == role)
        is_second = first != slot and (role in STATES[1:] or str(role).partition(":")[0] == "b")
        found[slot] = rng.standard_normal(array.shape) if is_second else array
        if is_second and role not in STATES and found[first].shape == array.shape:  # b_ih and b_hh: the sum counts
            found[first] = found[first] - found[slot]
    if unit.is_given("zero"):
        found["zero"] = np.zeros_like(theirs("h_prev", ours.arrays, layout))
    return found | in_styles(ours, style)


def in_styles(ours, style):
    """The inputs and targets of a loss in a style."""
    if not style:
        return {}
    given = zip(("inputs", "targets"), style, (ours.problem.symbols["x"][:, 0], ours.arrays["goal"]), strict=True)
    return {slot: STYLES[how](q, ours.arrays[slot]) for slot, how, q in given}


def target_styles(goal):
    """The rows of a goal in every style, as tokens too if it is one-hot; of all steps, or of the last."""
    tokens = goal.argmax(axis=1) if goal.shape[1] > 1 else None
    for part in (slice(None), slice(-1, None)):
        for name, given in STYLES.items():
            if tokens is not None or name not in NUMBERS:
                yield given(goal[part], None if tokens is None else tokens[part])


def random_input(rng, shape):
    """Random numbers of a shape; ("tokens", V, T, N) are numbers below V."""
    if shape[:1] == ("tokens",):
        tokens = rng.integers(shape[1], size=shape[2:])
        if tokens.ndim > 1:  # one of them stands in a sequence, and in a batch, more than once
            tokens[0], tokens[:, 0] = tokens[0, 0], tokens[0, 0]
        return tokens
    return rng.standard_normal(shape) if shape else float(rng.standard_normal())
