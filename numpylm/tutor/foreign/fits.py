"""Finds the layout in which a student's forward gives our values, by trying: a Fit says where these values are."""

import re
from itertools import product
from typing import NamedTuple

import numpy as np

from numpylm.tutor.foreign.conventions import CONVENTIONS, plain
from numpylm.tutor.foreign.layouts import NUMBERS, OF_STEP, inputs_for, layouts, random_input, styles_of, theirs
from numpylm.tutor.foreign.losses import ROUGHEST, gap, leaves, losses_of, of_incoming, outputs_of, script_fit
from numpylm.tutor.foreign.problems import loss_problem, sizes_of, state_problem, with_dlogits
from numpylm.tutor.foreign.scopes import size_slots
from numpylm.tutor.foreign.units import in_order
from numpylm.tutor.foreign.words import not_run
from numpylm.tutor.process.stop import is_own_error

MOST_TRIES = 800
SMALL = 0.05  # of gradients that come in at the output: a limit inside the backward is then not reached
AROUND = re.compile(  # what stands around h or c
    r"^(topdiff|dl(plus1)?dd?|grad|err(or)?|delta|d|next|new)|(next|new|states?|out|t)$"
)


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


def fits(file, unit, batches, failed=()):
    """Every Fit to try: inputs in a layout of ours whose shapes are the file's, then in the file's own shapes.

    Ways that have failed are left out.
    """
    for shapes in unit.free:
        rng = file.rng(unit.name, 0)
        inputs = {slot: random_input(rng, shape) for slot, shape in shapes.items()}
        yield Fit("rnn", "free", None, size_slots(unit.sizes) | inputs, None)
    for is_strict in () if unit.free else (True, False) if unit.shapes else (True,):
        for form, cell, N in product(unit.forms, unit.cells, batches):
            yield from fits_of(unit, form, cell, N, file.rng(unit.name, 0), is_strict, failed)


def fits_of(unit, form, cell, N, rng, is_strict, failed):
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
    every = list(layouts(cell, form, roles, CONVENTIONS[unit.convention]))
    every = every if is_strict else list({layout.columns: layout for layout in reversed(every)}.values())
    sizes = sizes._replace(N=1 if is_loss else max(N, 1))
    problems = [loss_problem(cell, rng, has, sizes, is_dense) for is_dense in (False, True)] if is_loss else []
    problems = problems or [state_problem(cell, form, rng, has, sizes)]
    for style, layout in product(styles, every):
        if is_loss and ((style[1] in NUMBERS and sizes.V == 1) or ("scalars" in style and max(sizes.D, sizes.V) > 1)):
            continue
        ours = problems[bool(style) and not is_square and style[0] not in NUMBERS]
        layout = layout._replace(single={0: "all", -1: "time"}.get(N, ""))
        step = "vector" if layout.single else "column" if layout.columns else "matrix"
        style = tuple(step if how == "step" else how for how in style)
        layout = layout._replace(style="".join({*style[:1]} - NUMBERS))
        way = (form, cell, N, style, layout._replace(gates=""), is_strict)
        inputs = None if way in failed else inputs_for(unit, ours, layout, style, rng, is_strict)
        if inputs is not None:
            yield Fit(cell, form, layout, inputs, ours, goal=ours.arrays.get("goal"), way=way)


def tried(file, unit, fit):
    """The Fit with what the forward gives for its inputs, None if that has not the expected shapes, or the error."""
    reply = file.child.ask({"steps": unit.forward, "inputs": fit.inputs, "outputs": unit.outputs})
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


def state_fit(unit, fit, found, rng):
    """The Fit of a forward that returns states: h, and c if its gradient comes in too."""
    taken, errors = {}, []
    every, found = found, {path: value for path, value in found.items() if np.size(value) > 1}
    for role in ("h", "c")[: 1 + (len(unit.gradients) > 1 or unit.backward is None)]:
        right = theirs(role, fit.ours.arrays, fit.layout) if role in fit.ours.arrays else np.zeros(0)
        alike = {path: gap(np.reshape(value, right.shape), right) for path, value in found.items()
                 if long_axes(value) == long_axes(right) and path not in taken.values()}  # fmt: skip
        if alike:
            taken[role] = min(alike, key=alike.get)
        if alike or right.size:
            errors.append(min(alike.values(), default=1))
    if not errors or max(errors) > ROUGHEST:
        return named_gradients(unit, fit, found, rng)
    slots, inputs = dict(zip(taken, unit.gradients, strict=False)), dict(fit.inputs)
    told = {f"d{text_of(unit, path)}": path for path in found if len(path) == 2}
    if any(told.get(plain(slot), taken[role]) != taken[role] for role, slot in slots.items()):
        return named_gradients(unit, fit, found, rng)  # dy is of y, and not of h in the cache
    for role, slot in slots.items():
        gradient = theirs(role, {role: fit.ours.arrays.get(f"d{role}")}, fit.layout)
        inputs[slot] = gradient.reshape(np.shape(found[taken[role]]))
    rest = [value for path, value in every.items() if path not in taken.values()]
    named = [v for path, v in every.items() if path not in taken.values() and text_of(unit, path).startswith("y")]
    inputs |= {slot: np.zeros_like((named + rest)[0]) for slot in set(unit.incoming) - set(slots.values()) if rest}
    outputs, weights = [list(taken[role]) for role in slots or taken], [inputs[slot] for slot in slots.values()]
    return fit._replace(inputs=inputs, outputs=outputs, weights=weights or [1.0] * len(outputs), precision=max(errors))


def long_axes(array):
    """The lengths of an array's axes, without those of length 1."""
    return [n for n in np.shape(array) if n > 1]


def text_of(unit, path):
    """The plain name of what a forward returned at a path."""
    place = path[-1]
    is_part = len(path) == 2 and isinstance(place, int) and place < len(unit.named)
    return plain(unit.named[place] if is_part else str(place))


def named_gradients(unit, fit, found, rng):
    """The Fit of a forward whose values are not ours: each gradient that comes in has its output's shape.

    A gradient belongs to the output of its name; without such names, to the only outputs there are. None if unclear.
    """
    names, inputs, outputs = {}, dict(fit.inputs), []
    for path in found:
        names.setdefault(AROUND.sub("", AROUND.sub("", text_of(unit, path))) or text_of(unit, path), path)
    slots = in_order(unit.incoming)
    steps = [path for path in found if len(path) == 2] if len(unit.named) < 2 and len(slots) == 1 else []
    if len(steps) > 1 and len({np.shape(found[path]) for path in steps}) == 1:  # a list or dict of all steps
        every = {path[-1]: rng.standard_normal(np.shape(found[path])) for path in steps}
        fit = fit._replace(inputs=inputs | {slots[0]: every}, weights=[*every.values()])
        return fit._replace(outputs=list(map(list, steps)))
    alike = [names.get(AROUND.sub("", AROUND.sub("", plain(slot)))) for slot in slots]
    firsts = [path for path in found if len(path) <= 2][: len(slots)]
    paths = alike if all(alike) else firsts if len(found) == len(slots) or len(slots) == 1 else []
    for slot, path in zip(slots, paths, strict=False):
        inputs[slot] = rng.standard_normal(np.shape(found[path]))
        outputs.append((list(path), inputs[slot]))
    if not outputs and unit.incoming:
        return None
    outputs = outputs or [(list(path), 1.0) for path in list(found)[:1]]
    return fit._replace(inputs=inputs, outputs=[p for p, _ in outputs], weights=[w for _, w in outputs])


def loss_fit(unit, fit, found, rng):
    """The Fit of a forward that returns a loss, outputs with targets, or outputs whose gradient comes in."""
    ours, goal = fit.ours, fit.goal
    scalars = [path for path, value in found.items() if np.size(value) == 1 and len(path) < 3]
    told = [path for path in scalars if re.search("loss|cost|error", text_of(unit, path))]
    told = told or (scalars if unit.is_given("targets", unit.forward) else [])
    if told:
        return scalar_fit(fit, told[0], float(np.ravel(found[told[0]])[0]), goal.shape)
    outputs = outputs_of(found, ours, *goal.shape, {path: text_of(unit, path[:2]) for path in found})
    if outputs is None:
        return None
    series, kind, precision = outputs
    if unit.incoming:
        return output_fit(unit, fit, found, outputs, rng)
    losses = losses_of(series, kind, goal)
    paths = [list(path) for path in series.paths]
    return fit._replace(outputs=paths, weights=losses[0].of, precision=precision, losses=tuple(losses))


def scalar_fit(fit, path, value, shape):
    """The Fit of a forward that returns its loss at a path: ours, that of the last step, or a mean of it."""
    (T, V), ours = shape, fit.ours
    fit, errors = fit._replace(outputs=[list(path)], weights=[1.0]), ours.arrays["y"] - fit.goal[:, None]
    nats = -(fit.goal * np.log(ours.arrays["y"][:, 0])).sum(axis=1)
    for last, right in enumerate((nats.sum(), nats[-1])):
        for k in (1, 1 / T, 1 / V, 1 / (T * V), 1 / np.log(2)):
            if abs(value - k * right) < ROUGHEST * k * right:
                errors[: last * (T - 1)] = 0
                ours = with_dlogits(ours, fit.cell, errors) if last else ours
                return fit._replace(precision=abs(value / (k * right) - 1), scale=k, ours=ours)
    return fit


def output_fit(unit, fit, found, told, rng):
    """The Fit of outputs whose gradient comes in: one array, or one for each step in a dict or list."""
    (series, kind, precision), T = told, len(fit.ours.arrays["targets"])
    dys = [SMALL * rng.standard_normal(np.shape(found[path])) for path in series.paths]
    if kind == "y":  # as y - onehot does, the entries of a step sum to zero
        axes = [tuple(a for a, n in enumerate(dy.shape) if len(dys) > 1 or n != T) for dy in dys]
        dys = [dy - dy.mean(axis=axis, keepdims=True) for dy, axis in zip(dys, axes, strict=True)]
    dy = dys[0] if len(dys) == 1 else dict(zip([path[-1] for path in series.paths], dys, strict=True))
    inputs, paths = fit.inputs | {unit.incoming[0]: dy}, [list(path) for path in series.paths]
    fit = fit._replace(inputs=inputs, outputs=paths, weights=dys)
    if kind == "y" or (series.values.min() > 0 and series.values.max() < 1):
        losses = tuple(of_incoming(series, kind, dys, T))
        return fit._replace(precision=precision, losses=losses, weights=losses[0].of)
    if precision is None:
        return fit
    dlogits = np.zeros((T, 1, series.values.shape[1]))
    dlogits[-len(series.values) :, 0] = series.read([q[None] for q in dys])[0]
    return fit._replace(precision=precision, ours=with_dlogits(fit.ours, fit.cell, dlogits))
