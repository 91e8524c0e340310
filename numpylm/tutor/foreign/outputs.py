"""Which of a forward's values are differentiated: the states, a loss, or outputs, each as a Fit (fits.py)."""

import re

import numpy as np

from numpylm.tutor.foreign.arguments import STATE
from numpylm.tutor.foreign.conventions import plain
from numpylm.tutor.foreign.layouts import theirs
from numpylm.tutor.foreign.losses import ROUGHEST, gap, losses_of, of_incoming, outputs_of
from numpylm.tutor.foreign.problems import with_dh, with_dlogits
from numpylm.tutor.foreign.units import in_order, rank

SMALL = 0.05  # of gradients that come in at the output: a limit inside the backward is then not reached
AROUND = re.compile(  # what stands around h or c
    r"^(topdiff|dl(plus1)?dd?|grad|err(or)?|delta|d|next|new)|(next|new|states?|out|t)$"
)


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
        last = with_last_state(fit, found)
        return state_fit(unit, last, found, rng) if last else named_gradients(unit, fit, found, rng)
    slots, inputs, weights = dict(zip(taken, unit.gradients, strict=False)), dict(fit.inputs), []
    told = {f"d{text_of(unit, path)}": path for path in found if len(path) == 2}
    if any(told.get(plain(slot), taken[role]) != taken[role] for role, slot in slots.items()):
        return named_gradients(unit, fit, found, rng)  # dy is of y, and not of h in the cache
    for role, (first, *others) in of_states(unit, slots).items():
        gradient = theirs(role, {role: fit.ours.arrays.get(f"d{role}")}, fit.layout)
        weights.append(gradient.reshape(np.shape(found[taken[role]])))
        inputs |= {slot: rng.standard_normal(weights[-1].shape) for slot in others}
        inputs[first] = weights[-1] - sum(inputs[slot] for slot in others)
    rest = [value for path, value in every.items() if path not in taken.values()]
    named = [v for path, v in every.items() if path not in taken.values() and text_of(unit, path).startswith("y")]
    left = [slot for slot in unit.incoming if slot not in inputs and rest]
    inputs |= {slot: np.zeros_like((named + rest)[0]) for slot in left}
    outputs = [list(taken[role]) for role in slots or taken]
    return fit._replace(inputs=inputs, outputs=outputs, weights=weights or [1.0] * len(outputs), precision=max(errors))


def with_last_state(fit, found):
    """The Fit whose h is the state after the last step, for a forward that returns this alone; None for another."""
    h, dh = (fit.ours.arrays[name] for name in ("h", "dh"))
    if h.ndim < 3 or len(h) < 2:
        return None
    right = theirs("h", {"h": h[-1]}, fit.layout)
    alike = [value for value in found.values() if long_axes(value) == long_axes(right)]
    errors = [gap(np.reshape(value, right.shape), right) for value in alike]
    if min(errors, default=1) > ROUGHEST:
        return None
    ours = with_dh(fit.ours, dh * (np.arange(len(h)) == len(h) - 1)[:, None, None])
    return fit._replace(ours=ours._replace(arrays=ours.arrays | {"h": h[-1], "dh": dh[-1]}))


def of_states(unit, slots):
    """Role -> the gradients that come in for a state: one of its own, and perhaps one of the next step beside it."""
    kinds = {role: [slot for slot in unit.gradients if rank(slot) == "hc".index(role)] for role in slots}
    if not all(kinds.values()):  # the names do not tell
        return {role: [slot] for role, slot in slots.items()}
    return {role: [first, *filter(STATE.match, others)] for role, (first, *others) in kinds.items()}


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
    kept = [p for p in found if len(p) == 3 and p[1] == "__dict__" and p[2] not in unit.places and p[2][0] != "d"]
    if not paths and len(kept) == 1:  # one state, with a gradient of its own and one of the next step
        paths = kept * len(slots)
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
                ours = with_dlogits(ours, errors) if last else ours
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
    if kind != "logits":
        losses = tuple(of_incoming(series, kind, dys, T))
        return fit._replace(precision=precision, losses=losses, weights=losses[0].of)
    if precision is None:
        return fit
    dlogits = np.zeros((T, 1, series.values.shape[1]))
    dlogits[-len(series.values) :, 0] = series.read([q[None] for q in dys])[0]
    return fit._replace(precision=precision, ours=with_dlogits(fit.ours, dlogits))
