"""Finds the layout in which a student's forward gives what ours gives: a Unit says how it is called, a Fit how it lies."""

from itertools import product
from typing import NamedTuple

import numpy as np

from numpylm.tutor.conventions import CONVENTIONS
from numpylm.tutor.crash import crash_sentence, missing_name
from numpylm.tutor.foreign_problems import cell_problem, loss_problem, with_last_output
from numpylm.tutor.layouts import Layout, layouts, theirs
from numpylm.tutor.stop import Stop

ROUGHEST = 1e-5  # relative error up to which the forward's values are ours: float32 at least
MOST_TRIES = 600
SMALL = 0.05  # of gradients that come in at the output: a limit inside the backward is then not reached


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


class Fit(NamedTuple):
    """How the forward's values compare with ours: layout, inputs by slot, what it returned; outputs and weights, the
    paths and factors (or a function) of the sum that is differentiated; precision, None where the values are not ours;
    scale, by which the loss is smaller than ours, if it is a mean."""

    layout: Layout
    inputs: dict
    made: list
    outputs: list
    weights: object
    precision: float | None
    scale: float = 1.0
    ours: object = None  # our own problem with the gradient that came in here


def problem_of(unit, rng):
    """Our own problem for this unit."""
    has = set(unit.roles.values()) | unit.has
    if unit.form == "free":
        return cell_problem("rnn", "step", rng, has)
    if unit.form == "loss":
        return loss_problem(unit.cell, rng, has, unit.vocabulary)
    return cell_problem(unit.cell, unit.form, rng, has)


def inputs_in(unit, ours, layout, style):
    """Slot -> array, in one layout; inputs and targets as numbers or as one-hot vectors."""
    given = unit.roles | {slot: slot for slot in ("dh", "dc") if slot in ours.arrays}
    found = {slot: theirs(role, ours.arrays, layout) for slot, role in given.items() if role.partition(":")[0] in
             {*ours.arrays, "W"}}  # fmt: skip
    tokens = {slot: tokens_in(ours.arrays[slot], how, unit.vocabulary) for slot, how in
              zip(("inputs", "targets"), style, strict=True) if slot in ours.arrays}  # fmt: skip
    return unit.sizes | found | tokens


def tokens_in(tokens, style, V):
    """Tokens (T,) as a list of numbers, one-hot columns, or a matrix (T, V)."""
    onehot = np.eye(V)[tokens]
    return {"ids": tokens.tolist(), "array": tokens, "columns": list(onehot[:, :, None]), "matrix": onehot,
            "three": onehot[:, :, None], "batch": onehot[:, None]}[style]  # fmt: skip


def best_fit(file, unit, ours, rng):
    """The first layout in which the forward gives our values, else the first in which it runs. Raises Stop."""
    if unit.form == "free":
        return free_fit(file, unit, rng)
    runs = error = None
    tries = product(unit.styles, layouts(unit.cell, unit.form, unit.roles.values(), CONVENTIONS[unit.convention]))
    for number, (style, layout) in enumerate(tries):
        if number > MOST_TRIES:
            break
        inputs = inputs_in(unit, ours, layout, style)
        reply = file.child.ask({"steps": unit.forward, "inputs": inputs, "outputs": unit.outputs})
        if "error" in reply:
            error = error or reply["error"]
            continue
        fit = (loss_fit if unit.form == "loss" else state_fit)(unit, ours, layout, inputs, reply["outputs"], rng)
        if fit and fit.precision is not None:
            return fit
        runs = runs or fit
    if runs:
        return runs
    raise not_run(file, unit, error)


def free_fit(file, unit, rng):
    """The Fit of a function or layer whose arrays have given shapes, the first of these that it takes. Raises Stop."""
    for shapes in unit.sizes:
        inputs = {slot: random_input(rng, shape) for slot, shape in shapes.items()}
        reply = file.child.ask({"steps": unit.forward, "inputs": inputs, "outputs": unit.outputs})
        if "error" not in reply:
            break
    else:
        if unit.convention == "named by you":
            raise not_run(file, unit, reply["error"])
        raise Stop(
            "not checked",
            f"{unit.forward_name} does not take real numbers of the shapes {list(unit.sizes[0].values())}",
        )
    (made,) = reply["outputs"]
    found = [(path, v) for path, v in leaves_in(("made",), made, 1) if path != unit.cache][: len(unit.has)]
    if not found:
        raise Stop("not checked", f"{unit.forward_name} returns no array of real numbers")
    weights = [rng.standard_normal(np.shape(v)) for _, v in found]
    inputs |= {f"gradient {k}": weight for k, weight in enumerate(weights)}
    return Fit(None, inputs, [made], [list(path) for path, _ in found], weights, None)


def random_input(rng, shape):
    """Random numbers of a shape; ("tokens", V, T, N) are numbers below V."""
    if shape[:1] == ("tokens",):
        return rng.integers(shape[1], size=shape[2:])
    return rng.standard_normal(shape) if shape else float(rng.standard_normal())


def not_run(file, unit, error):
    """The Stop for a forward that runs in no layout."""
    if error is None:
        return Stop(
            "not checked", f"what {unit.forward_name} returns holds nothing of the shape that the check expects"
        )
    if error.get("type") == "NotImplementedError":
        return Stop("not written", "it is not written yet (it raises NotImplementedError)")
    why = missing_name(error, file.contents["failures"])
    code = [str(line) for line in error.get("lines", [])]
    return Stop("crash", crash_sentence(error, f"when {unit.forward_name} is called"), *why, code=code)


def state_fit(unit, ours, layout, inputs, made, rng):
    """The Fit of a forward that returns states: h, and c."""
    found, outputs, weights, gaps = dict(leaves(made, unit.outputs)), [], [], []
    for role in ("h", "c"):
        right = theirs(role, ours.arrays, layout) if role in ours.arrays else None
        alike = {p: gap(v, right) for p, v in found.items() if right is not None and np.shape(v) == right.shape
                 and list(p) not in outputs}  # fmt: skip
        if alike:
            best = min(alike, key=alike.get)
            best = best if alike[best] < ROUGHEST else next(iter(alike))
            gaps.append(alike[best])
            if f"d{role}" in inputs or unit.backward is None:
                outputs.append(list(best))
                weights.append(inputs.get(f"d{role}", 1.0))
    if not outputs:
        return None
    return Fit(layout, inputs, made, outputs, weights, max(gaps) if max(gaps) < ROUGHEST else None)


def gap(value, right):
    """The largest error, relative to the largest value."""
    return float(np.abs(np.asarray(value, float) - right).max() / max(1, np.abs(right).max()))


def loss_fit(unit, ours, layout, inputs, made, rng):
    """The Fit of a forward that returns a loss, the probabilities, or an output whose gradient the backward is given."""
    found, T, V = list(leaves(made, unit.outputs)), len(ours.arrays["targets"]), unit.vocabulary
    loss = next(([p], [1.0], float(np.ravel(v)[0])) for p, v in found if np.size(v) == 1) if any(
        np.size(v) == 1 for _, v in found) else probabilities(found, ours.arrays["targets"], V)  # fmt: skip
    if loss is None:
        output = next((p for p, v in found if np.size(v) == V), None)
        if output is None or "dy" not in str(unit.backward(["made"])):
            return None
        value = np.asarray(dict(found)[output], float)
        dy = SMALL * rng.standard_normal(value.shape)
        error = gap(value.ravel(), ours.arrays["logits"])
        fit = Fit(layout, inputs | {"dy": dy}, made, [list(output)], [dy], error if error < ROUGHEST else None)
        return fit if fit.precision is None else fit._replace(ours=with_last_output(ours, unit.cell, dy.ravel()))
    paths, weights, value = loss
    right, sizes = float(ours.arrays["loss"]), {1, 1 / T, 1 / V, 1 / (T * V), 1 / np.log(2)}
    scale = next((k for k in sizes if abs(value - k * right) < ROUGHEST * abs(k * right)), None)
    precision = None if scale is None else abs(value - scale * right) / abs(scale * right)
    return Fit(layout, inputs, made, [list(p) for p in paths], weights, precision, scale or 1.0)


def probabilities(found, targets, V):
    """(paths, the function that gives the cross-entropy, its value) of T distributions that a forward returned."""
    T, groups = len(targets), {}
    for path, value in found:
        if np.size(value) == V and np.min(value) > 0 and abs(np.sum(value) - 1) < 1e-5:
            groups.setdefault(path[:-1], []).append(path)
        elif np.size(value) == T * V and np.min(value) > 0 and abs(np.sum(value) - T) < 1e-5:
            first = np.shape(value).index(T)
            return [path], lambda q: surprise(np.moveaxis(q[0], first + 1, 1).reshape(-1, T, V), targets), surprise(
                np.moveaxis(value, first, 0).reshape(1, T, V), targets)[0]  # fmt: skip
    for paths in groups.values():
        if len(paths) == T:
            values = np.stack([np.ravel(dict(found)[path]) for path in paths])[None]
            return paths, lambda q: surprise(np.stack([p.reshape(len(p), V) for p in q], 1), targets), surprise(
                values, targets)[0]  # fmt: skip
    return None


def surprise(y, targets):
    """The cross-entropy, summed over time, of K sequences of distributions (K, T, V)."""
    return -np.log(np.take_along_axis(y, targets[None, :, None], 2)).sum(axis=(1, 2))


def leaves(made, outputs):
    """(path, array) of what the forward returned, two levels deep, in order of time."""
    for path, value in zip(outputs, made, strict=True):
        yield from leaves_in(tuple(path), value, 2)


def leaves_in(path, value, depth):
    """The same of one value."""
    if isinstance(value, np.ndarray | float):
        yield path, value
    elif isinstance(value, dict | list | tuple) and depth:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in sorted(items, key=lambda item: (isinstance(item[0], str), item[0])):
            if key != -1:
                yield from leaves_in((*path, key), item, depth - 1)
