"""Finds the layout in which a student's forward gives our values, by trying: a Fit says where these values are."""

from itertools import product
from typing import NamedTuple

import numpy as np

from numpylm.tutor.conventions import CONVENTIONS
from numpylm.tutor.crash import crash_sentence, missing_name
from numpylm.tutor.foreign_problems import with_last_output
from numpylm.tutor.layouts import Layout, layouts, theirs
from numpylm.tutor.stop import Stop
from numpylm.tutor.unit import inputs_in

ROUGHEST = 1e-5  # relative error up to which the forward's values are ours: float32 at least
MOST_TRIES = 600
SMALL = 0.05  # of gradients that come in at the output: a limit inside the backward is then not reached


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
        alike = {
            p: gap(v, right)
            for p, v in found.items()
            if right is not None and np.shape(v) == right.shape and list(p) not in outputs
        }
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
    """The Fit of a forward that returns a loss, probabilities, or an output whose gradient the backward is given."""
    found, T, V = list(leaves(made, unit.outputs)), len(ours.arrays["targets"]), unit.vocabulary
    loss = (
        next(([p], [1.0], float(np.ravel(v)[0])) for p, v in found if np.size(v) == 1)
        if any(np.size(v) == 1 for _, v in found)
        else probabilities(found, ours.arrays["targets"], V)
    )
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
            groups[path] = [path]
    for paths in groups.values():
        if len(paths) in (1, T):
            values = [np.asarray(dict(found)[path], float)[None] for path in paths]
            return paths, lambda q: surprise(q, targets, V), surprise(values, targets, V)[0]
    return None


def surprise(q, targets, V):
    """The cross-entropy, summed over time, of K sequences of distributions: T arrays (K, V), or one over time."""
    T = len(targets)
    if len(q) == T > 1:
        y = np.stack([p.reshape(len(p), V) for p in q], 1)
    else:
        y = np.moveaxis(q[0], 1 + q[0].shape[1:].index(T), 1).reshape(-1, T, V)
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
