"""Finds the layout in which a student's forward gives our values, by trying: a Fit says where these values are."""

from itertools import product
from typing import NamedTuple

import numpy as np

from numpylm.tutor.foreign.conventions import CONVENTIONS
from numpylm.tutor.foreign.layouts import (
    NUMBERS,
    OF_STEP,
    gate_orders,
    in_style,
    inputs_for,
    layouts,
    random_input,
    styles_of,
)
from numpylm.tutor.foreign.losses import leaves, script_fit
from numpylm.tutor.foreign.outputs import loss_fit, named_gradients, state_fit
from numpylm.tutor.foreign.problems import FORMS, loss_problem, sizes_of, state_problem
from numpylm.tutor.foreign.scopes import size_slots
from numpylm.tutor.foreign.words import not_run
from numpylm.tutor.process.stop import is_own_error

MOST_TRIES = 800


class Fit(NamedTuple):
    """How the forward's values compare with ours: cell, form and layout; inputs by slot; outputs, the paths of what is
    differentiated, and losses, of which one (or the sum with these weights) is; precision, None where the values are
    not ours; scale, by which the loss is smaller than ours, if it is a mean; goal, the targets (T, V) of a loss; way,
    what it has in common with those whose gates alone lie in another order.
    """

    cell: str
    form: str
    layout: object
    inputs: dict
    ours: object
    outputs: list = []  # noqa: RUF012 - never changed
    weights: object = ()
    precision: float | None = None
    scale: float = 1.0
    losses: tuple = ()
    goal: object = None
    way: tuple = ()


def best_fit(file, unit, batches=(2, 0, -1), left=None):
    """The first layout in which the forward gives our values, else the first in which it runs. Raises Stop.

    batches: numbers of sequences; 0 for one without an axis of its own, -1 for one whose states alone have it. left,
    the set of shapes that are not tried, gets those that fail, and those of the Fit.
    """
    left, runs, tries, errors, failed = set() if left is None else left, None, 0, [], set()
    for fit in fits(file, unit, batches, failed):
        if runs and fit.way and not fit.way[-1]:
            break
        shapes = str([(type(value), np.shape(value)) for value in fit.inputs.values()])
        if shapes in left:
            failed.add(fit.way)
            continue
        made, tries = tried(file, unit, fit), tries + 1
        if isinstance(made, dict):  # it fails with these shapes, whatever the order of the gates
            errors.append(made)
            left.add(shapes)
            failed.add(fit.way)
        elif made and (made.precision is not None or not runs):
            runs = made, shapes
        if tries > MOST_TRIES or (runs and runs[0].precision is not None):
            break
    if runs:
        left.add(runs[1])
        return runs[0]
    raise not_run(file, unit, next(iter(sorted(errors, key=is_own_error, reverse=True)), None))


def fits(file, unit, batches, failed):
    """Every Fit to try: inputs in a layout of ours whose shapes are the file's, then in the file's own shapes.

    Ways that have failed are left out.
    """
    for shapes in unit.free:
        rng = file.rng(unit.name, 0)
        inputs = {slot: random_input(rng, shape) for slot, shape in shapes.items()}
        yield Fit("rnn", "free", None, size_slots(unit.sizes) | inputs, None)
    for is_strict in () if unit.free else (True, False) if unit.shapes else (True,):
        for form, cell, N in product(unit.forms, unit.cells, batches):
            for options in FORMS.get(cell, [{}]):
                yield from fits_of(unit, form, cell, N, options, file.rng(unit.name, 0), is_strict, failed)


def fits_of(unit, form, cell, N, options, rng, is_strict, failed):
    """The Fits of one form, cell and number of sequences."""
    roles, sizes, is_loss = [role for role in unit.roles.values() if role], sizes_of(unit), form == "loss"
    has = {*roles, *(["dc"] if len(unit.gradients) > 1 else [])}
    if (is_loss and N == 0 and "h_prev" not in has) or (N == -1 and form != "sequence"):
        return
    if not unit.shapes and is_loss:
        sizes = sizes._replace(D=sizes.V)
    is_square, is_step = sizes.D == sizes.V > 1, is_loss and (unit.is_given("zero") or N == 1)
    sizes = sizes._replace(T=1) if is_step else sizes
    styles = OF_STEP if is_step else styles_of(unit, is_square, sizes.V) if is_loss else [()]
    convention, single = CONVENTIONS[unit.convention], {0: "all", -1: "time"}.get(N, "")
    orders, every = gate_orders(cell, roles, convention), list(layouts(cell, form, roles, convention, single))
    if not is_strict:
        orders, every = orders[:1], list({layout.columns: layout for layout in reversed(every)}.values())
    sizes = sizes._replace(N=1 if is_loss else max(N, 1))
    problems = [loss_problem(cell, rng, has, sizes, options, is_dense) for is_dense in (False, True)] if is_loss else []
    problems = problems or [state_problem(cell, form, rng, has, sizes, options)]
    for style in styles:
        if is_loss and ((style[1] in NUMBERS and sizes.V == 1) or ("scalars" in style and max(sizes.D, sizes.V) > 1)):
            continue
        ours = problems[bool(style) and not is_square and style[0] not in NUMBERS]
        ways = [(form, cell, N, *in_style(layout, style), str(options), is_strict) for layout in every]
        for order, way in product(orders, ways):
            how, layout = way[3], way[4]._replace(gates=order)
            inputs = None if way in failed else inputs_for(unit, ours, layout, how, rng, is_strict)
            if inputs is None:  # its shapes are the same in each order
                failed.add(way)
            else:
                yield Fit(cell, form, layout, inputs, ours, goal=ours.arrays.get("goal"), way=way)


def tried(file, unit, fit):
    """The Fit with what the forward gives for its inputs, None if that has not the expected shapes, or the error."""
    request = {"steps": unit.forward, "inputs": fit.inputs, "outputs": unit.outputs}
    reply = file.child.ask(request | {"watched": False})
    if "error" in reply:
        return reply["error"]
    made = reply["outputs"][0]
    if made is None or (isinstance(made, tuple) and all(part is None for part in made)):
        return {"type": "None"}
    every = zip(reply["outputs"], unit.outputs, strict=True)
    found = {path: value for tree, root in every for path, value in leaves(tree, tuple(root))}
    is_script = ("returned", "targets", 0) in found
    way = {"loss": loss_fit, "free": script_fit if is_script else named_gradients}.get(fit.form, state_fit)
    return way(unit, fit, found, np.random.default_rng(len(found)))
