"""What a student's function returned, matched with the right answers by name, and compared.

Stop says why a value cannot be compared at all; Wrong is a row of the report, for a quantity that is wrong.
"""

from typing import NamedTuple

import numpy as np

from numpylm.tutor.process.stop import Stop
from numpylm.tutor.process.wire import Record, Thing

PATHS = {"state.h": "h_T", "state.c": "c_T", "dstate_0.h": "dh_0", "dstate_0.c": "dc_0"}  # of the package's own records
RTOL = 1e-9  # how right an answer must be, of its largest value: all but rounding
FLOAT32_ERROR = 1e-6  # a relative error below which float32, and nothing else, may be to blame
EXACT = 1e-8  # how right a gradient of another convention must be
ROUGH = 1e-5  # how right a gradient must be where the forward computes in float32
FAINT = (
    "the values are right to some seven digits: the errors are as small as float32's rounding. Is there a buffer of a "
    "fixed dtype (keep float64), or is a small ε added somewhere, as in log(p + 1e-8) or max_norm / (norm + 1e-6)?"
)
FLOAT32 = "it computes in float32, right to about {:.0e}: judged at that precision. Keep float64 to check a gradient"


class Wrong(NamedTuple):
    """One wrong quantity: its worst entry, and how many of its entries are wrong."""

    name: str
    shape: tuple
    index: tuple
    yours: float
    right: float
    relative_error: float
    num_wrong: int
    size: int


def named_values(returned, assignment, answers):
    """Name -> array of what was returned, in the answers' names. Raises Stop for what cannot be read.

    A tuple is in a documented order; after a forward's values it may hold one thing more, the cache. A dict or record
    holds at least one whole order; everything in it that has a known name counts.
    """
    if returned is None or str(returned) == "a ellipsis":
        raise Stop("not written", "it returns None: it is not written yet, or its line with `return` is missing")
    orders, is_dict = assignment.returns, isinstance(returned, dict)
    wanted = "  or  ".join(", ".join(order) for order in orders if len(order) < 12)
    values = flatten(returned, answers) if is_dict else {}
    if len(orders[0]) == 1 and not isinstance(returned, tuple) and not values:
        return flatten({orders[0][0]: returned}, answers)
    if is_dict:
        tops = {part for name in values for part in (name, name.partition(".")[0])}
        missing = min(([name for name in order if name not in tops] for order in orders), key=len)
        if missing:
            held, lacks = ", ".join(map(str, returned)) or "nothing", ", ".join(missing)
            raise Stop("wrong", f"the dict or record it returns holds {held}, but no {lacks}; it should hold {wanted}")
        return values
    if not isinstance(returned, tuple | list):
        raise Stop("wrong", f"it returns {describe(returned)}, but should return {wanted}")
    lengths = [len(returned)] if assignment.is_backward else [len(returned), len(returned) - 1]
    found = [dict(zip(order, returned, strict=False)) for n in lengths for order in orders if len(order) == n]
    if not found:
        raise Stop("wrong", f"it returns {len(returned)} values, but should return {wanted}")
    whole = [named for named in found if all(map(is_value, named.values()))]
    return flatten((whole or found)[0], answers)  # which says what is no array


def is_value(value):
    """Whether a value can be compared: a number, an array, or a dict of arrays."""
    return isinstance(value, np.ndarray | int | float | np.generic) or (isinstance(value, dict) and bool(value))


def flatten(named, answers):
    """Name -> array for all values with a known name, one level of dicts and records deep. Raises Stop."""
    flat = {}
    for name, value in named.items():
        inside = value if isinstance(value, dict) else {}
        for path, inner in [(f"{name}.{key}", inner) for key, inner in inside.items()] or [(name, value)]:
            known = answer_name(path, answers)
            if known:
                flat[known] = as_array(known, inner)
    return flat


def answer_name(path, answers):
    """The name under which a returned value is known, or None; "parameters.W_x" and "W_x" may stand for dW_x."""
    leaf = str(path).rpartition(".")[2]
    return next((name for name in (PATHS.get(path), path, leaf, f"d{leaf}") if name in answers), None)


def as_array(name, value):
    """A value as an array of real numbers. Raises Stop."""
    if value is None:
        raise Stop("wrong", f"{name} is None: it is not computed, or not returned")
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise Stop("wrong", f"{name} should be an array of real numbers; it is {describe(value)}")
    return array


def describe(value):
    """What a value is, in the student's words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} ({value.dtype})"
    names = {str: "string", int: "number", float: "number", Record: "record"}
    return str(value) if isinstance(value, Thing) else f"a {names.get(type(value), type(value).__name__)}"


def compare(values, answers, rtol):
    """(rows of the wrong quantities, sentences about shapes, dtypes and infinities)."""
    rows, sentences = [], []
    for name in [name for name in answers if name in values]:
        yours, right = values[name], np.asarray(answers[name])
        if yours.shape != right.shape:
            has_start = right.ndim == 3 and yours.shape == (len(right) + 1, *right.shape[1:])
            start = ": is the start state the first of the time steps? Leave it out" if has_start else ""
            sentences.append(f"{name} is of shape {yours.shape}; it should be of shape {right.shape}{start}")
        elif not np.isfinite(yours).all():
            where = tuple(np.argwhere(~np.isfinite(yours))[0].tolist())
            place = f" at {where}" if where else ""
            sentences.append(f"{name} is not finite: it is {yours[where]}{place}, where {right[where]:.6g} is right")
        else:
            rows += wrong_row(name, yours, right, rtol)
    if is_rounding(rows, rtol):
        sentences.append(FAINT)
    return rows, sentences


def is_rounding(rows, rtol):
    """Whether all errors are as small as float32's rounding: of exact answers, not of numerical derivatives."""
    return bool(rows) and rtol == RTOL and all(row.relative_error < FLOAT32_ERROR for row in rows)


def wrong_row(name, yours, right, rtol):
    """A list with the row of a wrong quantity; empty where it is right."""
    error = np.abs(yours - right)
    wrong = error > rtol * max(1, np.abs(right).max(initial=0))
    if not wrong.any():
        return []
    index = tuple(map(int, np.unravel_index(np.argmax(error), right.shape)))
    y, r, worst = float(yours[index]), float(right[index]), float(error[index])
    return [Wrong(name, right.shape, index, y, r, worst / max(abs(y), abs(r)), int(wrong.sum()), right.size)]


def without_keepdims(named, right):
    """(gradients with the right number of axes, remarks): (1, H) for (H,) is right, with keepdims."""
    squeezed, remarks = {}, []
    for name, value in named.items():
        shape = np.shape(right[name])
        if value.shape != shape and [n for n in value.shape if n > 1] == [n for n in shape if n > 1]:
            remarks.append(f"{name} is of shape {value.shape} for {shape}: right, with keepdims")
            value = value.reshape(shape)
        squeezed[name] = value
    return squeezed, remarks


def is_float32(array):
    """Whether an array holds nothing that float32 could not hold."""
    return bool((array == array.astype(np.float32)).all())
