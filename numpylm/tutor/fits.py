"""Finds the layout in which a student's forward gives our values, by trying: a Fit says where these values are."""

import re
from itertools import product
from typing import NamedTuple

import numpy as np

from numpylm.tutor.conventions import CONVENTIONS, plain
from numpylm.tutor.crash import crash_sentence, missing_name
from numpylm.tutor.foreign_problems import loss_problem, state_problem, with_dlogits
from numpylm.tutor.layouts import layouts, theirs
from numpylm.tutor.losses import ROUGHEST, gap, leaves, losses_of, outputs_of
from numpylm.tutor.scopes import SIZES, size_slots
from numpylm.tutor.stop import Stop
from numpylm.tutor.units import in_order

STYLES = tuple(  # of inputs and targets
    (one, other)
    for one in ("ids", "columns", "matrix", "array", "three", "batch", "first", "vectors")
    for other in dict.fromkeys((one, "ids", "array"))
)
MOST_TRIES = 800
BEFORE = re.compile(r"^(topdiff|dldd|dld|grad|d)")  # what stands before the output's name in that of its gradient
SMALL = 0.05  # of gradients that come in at the output: a limit inside the backward is then not reached


class Fit(NamedTuple):
    """How the forward's values compare with ours: cell, form and layout; inputs by slot; what it returned; outputs, the
    paths of what is differentiated, and losses, of which one (or the sum with these weights) is; precision, None where
    the values are not ours; scale, by which the loss is smaller than ours, if it is a mean."""

    cell: str
    form: str
    layout: object
    inputs: dict
    made: list
    outputs: list
    weights: object
    precision: float | None
    ours: object
    scale: float = 1.0
    losses: tuple = ()
    goal: object = None  # targets (T, V), one-hot or not


def best_fit(file, unit, batches=(2, 0)):
    """The first layout in which the forward gives our values, else the first in which it runs. Raises Stop.

    batches: numbers of sequences; 0 for one without an axis of its own.
    """
    runs = error = None
    for fit in fits(file, unit, batches):
        if isinstance(fit, dict):
            error = error or fit
        elif fit is not None and fit.precision is not None:
            return fit
        else:
            runs = runs or fit
    if runs:
        return runs
    raise not_run(file, unit, error)


def fits(file, unit, batches):
    """For each try a Fit, None where the outputs are not of the expected shape, or the error of the child."""
    number = 0
    for form, cell, N in product(unit.forms, unit.cells, batches):
        single = N == 0
        has = set(known_roles(unit)) | ({"dc"} if len(unit.gradients) > 1 else set())
        if form == "loss" and (N == 1 or (single and not has & {"h_prev", "x"})):
            continue
        rng = file.rng(unit.name, 0)
        ours = (
            loss_problem(cell, rng, has, SIZES["V"])
            if form == "loss"
            else state_problem(cell, form, rng, has, max(N, 1), SIZES["V"] if unit.shapes else 3)
        )
        tries = product(
            STYLES if form == "loss" else [None], layouts(cell, form, known_roles(unit), CONVENTIONS[unit.convention])
        )
        for style, layout in tries:
            inputs = inputs_in(unit, ours, layout._replace(single=single), style, rng)
            if inputs is None:
                continue
            number += 1
            if number > MOST_TRIES:
                return
            fit = Fit(cell, form, layout._replace(single=single), inputs, [], [], [], None, ours)
            yield from tried(file, unit, inputs, fit, rng)
    if not number and form == "loss" and unit.shapes:
        D, V = sizes_of(unit)
        for style, columns in product(STYLES, (True, False)):
            x, goal = rng.standard_normal((2, SIZES["T"], max(D, V)))
            inputs = own_inputs(unit, ours, style, columns, rng, x[:, :D], goal[:, :V])
            if inputs is not None:
                fit = Fit(
                    cell, form, None, inputs, [], [], [], None, ours, goal=goal[:, :V] if V != SIZES["V"] else None
                )
                yield from tried(file, unit, inputs, fit, rng)


def tried(file, unit, inputs, fit, rng):
    """Runs the forward with these inputs: a list with the Fit, with None, or with the error of the child."""
    reply = file.child.ask({"steps": unit.forward, "inputs": inputs, "outputs": unit.outputs})
    if "error" in reply:
        return [reply["error"]]
    (made, *_) = reply["outputs"]
    if made is None or (isinstance(made, tuple) and all(part is None for part in made)):
        return [{"type": "None"}]
    found = [
        leaf for path, value in zip(unit.outputs, reply["outputs"], strict=True) for leaf in leaves(value, tuple(path))
    ]
    fit = fit._replace(made=reply["outputs"])
    return [loss_fit(unit, fit, found, rng) if fit.form == "loss" else state_fit(unit, fit, found, rng)]


def own_inputs(unit, ours, style, columns, rng, x, goal):
    """Slot -> random array, in the file's own shapes: of a network that is not ours. None for a style without sense."""
    found, H = dict(size_slots()), (SIZES["H"], 1) if columns else (1, SIZES["H"])
    for slot in unit.roles:
        found[slot] = 0.5 * rng.standard_normal(unit.shapes.get(slot, H))
    for slot, how, dense in zip(("inputs", "targets"), style, (x, goal), strict=True):
        is_token = how in ("ids", "array") or dense.shape[1] == SIZES["V"]
        if is_token and slot == "targets" and dense.shape[1] != SIZES["V"]:
            return None
        found[slot] = tokens_in(ours.arrays[slot], how, SIZES["V"]) if is_token else in_style(dense, how)
    return found


def sizes_of(unit):
    """(inputs, outputs) of a network, by the shapes of its weights; None where these do not tell."""
    H = SIZES["H"]
    sizes = {role: shape for slot, shape in unit.shapes.items() if (role := unit.roles[slot]) and len(shape) == 2}
    output = [n for role in ("W_y",) if role in sizes for n in (*sizes[role], H) if n != H]
    whole = [n - H * (role[:2] == "W" + ":"[:1] or role == "W") for role, shape in sizes.items()
             if role.partition(":")[0] in ("W_x", "W") for n in shape if n != H]  # fmt: skip
    return (whole or [H])[0], (output or [H])[0]


def known_roles(unit):
    """The roles of the unit that are known."""
    return [role for role in unit.roles.values() if role]


def inputs_in(unit, ours, layout, style, rng):
    """Slot -> array, in one layout; tokens as numbers or as one-hot vectors. None where the file has other shapes."""
    found = dict(size_slots())
    for slot, role in unit.roles.items():
        if role is None:
            found[slot] = 0.5 * rng.standard_normal(unit.shapes[slot])
            continue
        if role.partition(":")[0] not in {*ours.arrays, "W", "W1"}:
            return None
        try:
            found[slot] = theirs(role, ours.arrays, layout)
        except KeyError:
            return None
        if slot in unit.shapes and unit.shapes[slot] != found[slot].shape:
            return None
    for slot, how in zip(("inputs", "targets"), style or (), strict=False):
        found[slot] = tokens_in(ours.arrays[slot], how, SIZES["V"])
    return found


def tokens_in(tokens, style, V):
    """Tokens (T,) as numbers or as one-hot vectors."""
    whole = {"ids": tokens.tolist(), "array": tokens}
    return whole[style] if style in whole else in_style(np.eye(V)[tokens], style)


def in_style(rows, style):
    """The rows of a matrix (T, V) as a list of columns, as a matrix, and so on."""
    return {"columns": list(rows[:, :, None]), "matrix": rows, "three": rows[:, :, None], "batch": rows[:, None],
            "first": rows[None], "vectors": list(rows)}[style]  # fmt: skip


def state_fit(unit, fit, found, rng):
    """The Fit of a forward that returns states: h, and c."""
    ours, taken, precision, gradients, inputs = fit.ours, {}, 0.0, {}, dict(fit.inputs)
    found = [(path, value) for path, value in found if np.size(value) > 1]
    for role in ("h", "c"):
        if role in ours.arrays and (role == "h" or len(unit.gradients) > 1 or unit.backward is None):
            right = theirs(role, ours.arrays, fit.layout)
            alike = {p: gap(np.reshape(v, right.shape), right) for p, v in found
                     if long_axes(v) == long_axes(right) and p not in taken.values()}  # fmt: skip
            path = min(alike, key=alike.get, default=None)
            if path is None or alike[path] > ROUGHEST:
                precision = None
            if path is not None and precision is not None:
                taken[role], precision = path, max(precision, alike[path])
    if precision is None or not taken:
        return free_gradients(unit, fit, found, rng)
    slots = {role: slot for role, slot in zip(taken, unit.gradients, strict=False)}
    for role, slot in slots.items():
        gradient = theirs(role, {role: ours.arrays.get(f"d{role}")}, fit.layout)
        inputs[slot] = gradient.reshape(np.shape(dict(found)[taken[role]]))
    for slot in set(unit.incoming) - set(slots.values()):
        others = [v for p, v in found if p not in taken.values() and text_of(unit, p).startswith("y")]
        inputs[slot] = np.zeros_like(others[0] if others else found[0][1])
    outputs = [list(taken[role]) for role in slots] or [list(p) for p in taken.values()]
    return fit._replace(
        inputs=inputs, outputs=outputs, weights=[inputs[slots[r]] for r in slots] or [1.0], precision=precision
    )


def long_axes(array):
    """The lengths of an array's axes, without those of length 1."""
    return [n for n in np.shape(array) if n > 1]


def text_of(unit, path):
    """The plain name of what a forward returned at a path."""
    place = path[-1]
    return plain(
        unit.named[place] if len(path) == 2 and isinstance(place, int) and place < len(unit.named) else str(place)
    )


def free_gradients(unit, fit, found, rng):
    """The Fit of a forward whose values are not ours: gradients that come in have the outputs' shapes."""
    if not found:
        return None
    if not unit.incoming:
        return fit._replace(outputs=[list(found[0][0])], weights=[1.0])
    names = {path: text_of(unit, path) for path, _ in found}
    left, inputs, outputs = list(found), dict(fit.inputs), []
    for slot in in_order(unit.incoming):
        alike = [item for item in left if names[item[0]] and names[item[0]] == BEFORE.sub("", plain(slot))]
        if not alike and (not unit.named or not left):
            return None
        item = (alike or left)[0]
        left = [other for other in left if other is not item]
        inputs[slot] = rng.standard_normal(np.shape(item[1]))
        outputs.append((list(item[0]), inputs[slot]))
    return fit._replace(inputs=inputs, outputs=[p for p, _ in outputs], weights=[w for _, w in outputs])


def loss_fit(unit, fit, found, rng):
    """The Fit of a forward that returns a loss, outputs with targets, or outputs whose gradient comes in."""
    ours, T = fit.ours, len(fit.ours.arrays["targets"])
    goal = np.eye(SIZES["V"])[ours.arrays["targets"]] if fit.goal is None else fit.goal
    V = goal.shape[1]
    scalars = [(p, v) for p, v in found if np.size(v) == 1 and len(p) < 3]
    told = [item for item in scalars if re.search("loss|cost|error", text_of(unit, item[0]))]
    scalar = next(iter(told or (scalars if unit.is_given("targets", unit.forward) else [])), None)
    if scalar:
        right, value, sizes = (
            float(ours.arrays["loss"]),
            float(np.ravel(scalar[1])[0]),
            (1, 1 / T, 1 / V, 1 / (T * V), 1 / np.log(2)),
        )
        scale = next((k for k in sizes if abs(value - k * right) < ROUGHEST * abs(k * right)), None)
        precision = None if scale is None else abs(value - scale * right) / abs(scale * right)
        return fit._replace(outputs=[list(scalar[0])], weights=[1.0], precision=precision, scale=scale or 1.0)
    told = outputs_of(found, ours, V)
    if told is None:
        return None
    series, kind, precision = told
    if unit.incoming:
        return output_fit(unit, fit, found, told, rng)
    losses = losses_of(series, kind, goal)
    return fit._replace(
        outputs=[list(p) for p in series.paths], weights=losses[0].of, precision=precision, losses=tuple(losses)
    )


def output_fit(unit, fit, found, told, rng):
    """The Fit of outputs whose gradient comes in: one array, or one for each step in a dict or list."""
    (series, kind, precision), arrays, T = told, dict(found), len(fit.ours.arrays["targets"])
    dys = [SMALL * rng.standard_normal(np.shape(arrays[path])) for path in series.paths]
    keys = [path[-1] for path in series.paths]
    dy = dys[0] if len(dys) == 1 else dict(zip(keys, dys, strict=True))
    inputs = fit.inputs | {unit.incoming[0]: dy}
    fit = fit._replace(inputs=inputs, outputs=[list(p) for p in series.paths], weights=dys)
    if precision is None or kind == "y":
        return fit
    dlogits = np.zeros((T, 1, series.values.shape[1]))
    dlogits[-len(series.values) :, 0] = series.read([q[None] for q in dys])[0]
    return fit._replace(precision=precision, ours=with_dlogits(fit.ours, fit.cell, dlogits))


def free_fit(file, unit):
    """The Fit of a function or layer whose arrays have given shapes, the first of these that it takes. Raises Stop."""
    rng = file.rng(unit.name, 0)
    for shapes in unit.free:
        inputs = {slot: random_input(rng, shape) for slot, shape in shapes.items()}
        reply = file.child.ask({"steps": unit.forward, "inputs": inputs, "outputs": unit.outputs})
        if "error" not in reply:
            break
    else:
        if unit.is_usual:
            raise not_run(file, unit, reply["error"])
        raise Stop(
            "not checked", f"{unit.forward_name} does not take real numbers of the shapes {list(unit.free[0].values())}"
        )
    found = list(leaves(reply["outputs"][0], ("made",), 1))
    found = [item for item in found if len(item[0]) == 1 or item[0][1] < max(1, len(unit.named) - 1)][
        : max(1, len(unit.incoming))
    ]
    if not found:
        raise Stop("not checked", f"{unit.forward_name} returns no array of real numbers")
    weights = [rng.standard_normal(np.shape(v)) for _, v in found] if unit.incoming else [1.0]
    inputs |= dict(zip(unit.incoming, weights, strict=False))
    return Fit("rnn", "free", None, inputs, reply["outputs"], [list(p) for p, _ in found], weights, None, None)


def random_input(rng, shape):
    """Random numbers of a shape; ("tokens", V, T, N) are numbers below V."""
    if shape[:1] == ("tokens",):
        return rng.integers(shape[1], size=shape[2:])
    return rng.standard_normal(shape) if shape else float(rng.standard_normal())


def is_own_error(error):
    """Whether an error of the child comes from the code itself, and not from what it was given."""
    return error.get("type") == "NameError" or str(error.get("text")).startswith("module ")


def not_run(file, unit, error):
    """The Stop for a forward that runs in no layout."""
    if error and error.get("type") == "None":
        return Stop("not written", "it returns None: it is not written yet, or its line with `return` is missing")
    if error is None:
        return Stop(
            "not checked", f"what {unit.forward_name} returns holds nothing of the shape that the check expects"
        )
    if error.get("type") == "NotImplementedError":
        return Stop("not written", "it is not written yet (it raises NotImplementedError)")
    why = missing_name(error, file.contents["failures"])
    code = [str(line) for line in error.get("lines", [])]
    if not unit.is_usual and not is_own_error(error):
        words = crash_sentence(error, "").removeprefix("it crashes : ").rstrip(".")
        return Stop(
            "not checked", f"{unit.forward_name} fails for all that the check gives it ({words})", *why, code=code
        )
    return Stop("crash", crash_sentence(error, f"when {unit.forward_name} is called"), *why, code=code)
