"""A Unit: a forward and its backward in some convention, how they are called, and what they are given."""

from typing import NamedTuple

import numpy as np

from numpylm.tutor.foreign_problems import loss_problem, state_problem
from numpylm.tutor.layouts import theirs


class Unit(NamedTuple):
    """A forward and its backward, as programs for the child.

    roles: slot -> role, of everything that the forward is given; gradients of these are claimed. forward and backward
    are steps (runner.py) whose slots are these, "inputs" and "targets" of a loss, and "dh", "dc", "dy": the gradients
    that come in. outputs: where the forward's values are. texts name the values that the backward returns. claims:
    alternatives, slot -> path, for gradients that are not returned; updates: slot -> path of the weight, from which the
    gradient is subtracted.
    """

    name: str
    forward_name: str
    convention: str
    cell: str
    form: str
    roles: dict
    forward: list
    backward: object  # cache's path -> steps
    outputs: list = [["made"]]  # noqa: RUF012 - never changed
    texts: tuple = ()
    claims: tuple = ({},)
    has: frozenset = frozenset()
    vocabulary: int = 0
    sizes: dict = {}  # noqa: RUF012 - never changed
    styles: tuple = (("ids", "ids"),)
    updates: dict = {}  # noqa: RUF012 - never changed
    is_named: bool = False  # whether a name says which cell it is
    cache: tuple = ()  # where the forward's cache is, if it is no array of its values


def problem_of(unit, rng):
    """Our own problem for this unit."""
    has = set(unit.roles.values()) | unit.has
    if unit.form == "free":
        return state_problem("rnn", "step", rng, has)
    if unit.form == "loss":
        return loss_problem(unit.cell, rng, has, unit.vocabulary)
    return state_problem(unit.cell, unit.form, rng, has)


def inputs_in(unit, ours, layout, style):
    """Slot -> array, in one layout; inputs and targets as numbers or as one-hot vectors."""
    given = unit.roles | {slot: slot for slot in ("dh", "dc") if slot in ours.arrays}
    found = {
        slot: theirs(role, ours.arrays, layout)
        for slot, role in given.items()
        if role.partition(":")[0] in {*ours.arrays, "W"}
    }
    tokens = {
        slot: tokens_in(ours.arrays[slot], how, unit.vocabulary)
        for slot, how in zip(("inputs", "targets"), style, strict=True)
        if slot in ours.arrays
    }
    return unit.sizes | found | tokens


def tokens_in(tokens, style, V):
    """Tokens (T,) as a list of numbers, one-hot columns, or a matrix (T, V)."""
    onehot = np.eye(V)[tokens]
    return {
        "ids": tokens.tolist(),
        "array": tokens,
        "columns": list(onehot[:, :, None]),
        "matrix": onehot,
        "three": onehot[:, :, None],
        "batch": onehot[:, None],
    }[style]
