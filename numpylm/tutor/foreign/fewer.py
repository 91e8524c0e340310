"""Fits of less than a whole sequence: of its first step, or with the gradient of the last step alone."""

import numpy as np

from numpylm.tutor.foreign.problems import of_first_step, with_dh
from numpylm.tutor.process.sizes import SIZES


def of_one_step(unit, fit):
    """The Fit of the first step alone, for a forward that gives our values; None where x has no axis of time, or the
    loss is a mean."""
    is_x = {slot for slot in fit.inputs if slot == "inputs" or unit.roles.get(slot) == "x"}
    taken = {slot: fit.inputs[slot] for slot in (*is_x, "targets", *unit.incoming) if slot in fit.inputs}
    cut = {slot: first for slot, value in taken.items() if (first := first_of(value)) is not None}
    if fit.form == "step" or fit.scale != 1 or not is_x & cut.keys():
        return None
    return fit._replace(inputs=fit.inputs | cut, ours=of_first_step(fit.ours, fit.cell))


def first_of(value):
    """The first step of a list, a dict or an array; None where no axis must be that of time."""
    if isinstance(value, list | dict):
        return value[:1] if isinstance(value, list) else {0: value[min(value)]}
    axes = [axis for axis, length in enumerate(np.shape(value)) if length == SIZES["T"]]
    return np.take(value, [0], axis=axes[0]) if len(axes) == 1 else None


def other_gradients(unit, fit):
    """Yields Fits with gradients that come in of other shapes: with an axis for sequences beside vectors without one;
    that of the last step alone, without an axis for time."""
    arrays = {slot: q for slot in unit.incoming if isinstance(q := fit.inputs.get(slot), np.ndarray)}
    if fit.layout and fit.layout.single:
        rows = {slot: q[None] for slot, q in arrays.items() if q.ndim == 1 and slot in unit.gradients}
        yield from [fit._replace(inputs=fit.inputs | rows)] if rows else []
    last = {slot: cut for slot, q in arrays.items() if (cut := only_last(q)) is not None}
    if last and not callable(fit.weights):
        weights = [w if (cut := only_last(w)) is None else cut[0] for w in fit.weights]
        inputs = fit.inputs | {slot: q.sum(axis=axis) for slot, (q, axis) in last.items()}
        fit = fit._replace(inputs=inputs, weights=weights)
        dh = fit.ours.arrays.get("dh") if fit.ours else None
        has_ours = dh is not None and fit.precision is not None
        ours = with_dh(fit.ours, only_last(dh)[0]) if has_ours else fit.ours
        yield fit._replace(ours=ours, precision=fit.precision if has_ours else None)


def only_last(array):
    """(an array with zeros at all steps but the last, the axis of time); None where no axis must be that of time."""
    axes = [axis for axis, length in enumerate(np.shape(array)) if length == SIZES["T"]]
    if len(axes) != 1:
        return None
    kept = np.zeros(SIZES["T"])
    kept[-1] = 1
    return array * np.moveaxis(kept.reshape(-1, *[1] * (np.ndim(array) - 1)), 0, axes[0]), axes[0]
