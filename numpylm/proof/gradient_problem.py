"""What the gradient checker differentiates: a function of named arrays, seen as one number, at several scales."""

from typing import NamedTuple

import numpy as np

from numpylm.proof.nested import arrays_of, with_arrays
from numpylm.proof.numerical import NotComplexSafe, derivative, directional_derivative


class Problem:
    """The function as the checker sees it: a number that depends on named float64 (or complex128) arrays."""

    def __init__(self, f, arguments, cotangents, method):
        if not isinstance(arguments, dict):
            raise TypeError(f"arguments must be a dict of name -> array; got {type(arguments).__name__}")
        self.f, self.arguments, self.cotangents = f, arguments, cotangents
        self.dtypes = {name: array.dtype for name, array in arrays_of(arguments).items()}
        if not self.dtypes:
            raise ValueError(
                "there is no array of floating-point numbers among the arguments: nothing to differentiate"
            )
        self.arrays = {name: array.astype(float) for name, array in arrays_of(arguments).items()}
        self.size = self._size_of_value()
        self.complaints = self._complaints()
        self.moving = self.arrays
        self.method = self._base_method(method)
        if self.method == "complex":
            self.moving = {name: array.astype(complex) for name, array in self.arrays.items()}

    def value(self, arrays=None):
        """Σ cotangent · f, or f where it is a number."""
        out = self.f(**with_arrays(self.arguments, self.moving if arrays is None else arrays))
        if self.cotangents is not None:
            return weighted_sum(self.cotangents, out)
        if np.ndim(out) != 0 or not isinstance(out, int | float | complex | np.generic | np.ndarray):
            shape = f" of shape {np.shape(out)}" if isinstance(out, np.ndarray) else ""
            given = f"{type(out).__name__}{shape}"
            raise ValueError(f"f must return a number; it returned {given}: give cotangents to weight its values")
        return out[()] if isinstance(out, np.ndarray) else out

    def _size_of_value(self):
        value = self.value(self.arrays)
        if not np.isfinite(value):
            raise ValueError(f"f's value is {value}: there is no derivative to compare with")
        return max(1.0, abs(value))

    def _complaints(self):
        """What two identical calls show."""
        before = {name: array.copy() for name, array in self.arrays.items()}
        first, second = self.value(self.arrays), self.value(self.arrays)
        complaints = [
            f"the function changes its argument {name} in place: it must leave what it is given alone"
            for name, array in self.arrays.items()
            if not np.array_equal(array, before[name], equal_nan=True)
        ]
        self.arrays = before
        if first != second and not complaints:
            complaints.append(
                f"two identical calls of the function return {first!r} and {second!r}: it depends on something hidden "
                "(random numbers, or a state that it remembers)"
            )
        if np.result_type(first) == np.float32:
            complaints.append(
                "the function returns float32 for float64 arguments: a buffer of a fixed dtype is hidden in it "
                "(write np.zeros(shape, dtype=x.dtype)); nothing below 1e-3 can be judged"
            )
        return complaints

    def _base_method(self, method):
        """The method that differentiates: for "projection", the complex step where it is safe, else fourth order."""
        if method not in ("complex", "projection"):
            return method
        try:
            self.check_complex_step()
        except NotComplexSafe:
            if method == "complex":
                raise
            return "fourth"
        return "complex"

    def check_complex_step(self):
        """Raises NotComplexSafe unless the complex step agrees with some difference in two random directions.

        A kink or a curve may spoil one difference, but not those with much smaller steps too.
        """
        rng = np.random.default_rng(1)
        for _ in range(2):
            direction = unit_direction(rng, self.arrays.values())
            exact = self._directional(direction, "complex")
            steps = (("fourth", None), ("central", 1e-5), ("central", 1e-7))
            numeric = [self._directional(direction, method, epsilon) for method, epsilon in steps]
            if min(abs(exact - value) for value in numeric) > 1e-6 * abs(exact) + 1e-7 * self.size:
                raise not_complex_safe(exact, numeric[0])

    def _directional(self, direction, method, epsilon=None):
        dtype = complex if method == "complex" else float
        arrays = {name: array.astype(dtype) for name, array in self.arrays.items()}
        return directional_derivative(lambda: self.value(arrays), list(arrays.values()), direction, method, epsilon)

    def derivative(self, name, index):
        """∂value/∂array[index] by the problem's method."""
        return derivative(self.value, self.moving[name], index, self.method)

    def slopes(self, name, index):
        """The Slopes of one entry, in float64."""
        x = {other: array.copy() for other, array in self.arrays.items()}
        size = max(1.0, abs(x[name][index]))

        def slope(method, epsilon):
            return derivative(lambda: self.value(x), x[name], index, method, epsilon * size)

        return Slopes(
            coarse=slope("fourth", 1e-3),
            fine=slope("fourth", 2.5e-4),
            near=slope("central", 1e-6),
            left=slope("forward", -1e-8),
            right=slope("forward", 1e-8),
        )


class Slopes(NamedTuple):
    """One entry's derivative at five scales: where they differ, there is a kink between one and the next."""

    coarse: float
    fine: float
    near: float
    left: float
    right: float


def unit_direction(rng, arrays):
    """Random arrays of the given ones' shapes, of length 1 together."""
    direction = [rng.standard_normal(array.shape) for array in arrays]
    length = np.sqrt(sum((v * v).sum() for v in direction))
    return [v / length for v in direction]


def not_complex_safe(exact, numeric):
    """The error for a function that stays complex but loses a part of its derivative on the way."""
    return NotComplexSafe(
        f"the complex step gives {exact:.8g} where differences give {numeric:.8g}: the function takes np.abs, .real, a "
        "maximum of magnitudes, or copies into a real buffer; use method='central' for it"
    )


def weighted_sum(cotangents, out):
    """Σ cotangent · value over nested arrays of the same names and shapes."""
    if isinstance(cotangents, np.ndarray) and isinstance(out, np.ndarray):
        weights, values = {"value": cotangents}, {"value": out}
    else:
        weights, values = arrays_of(cotangents), arrays_of(out, "fc")
    for name, weight in weights.items():
        if name not in values or values[name].shape != weight.shape:
            given = values[name].shape if name in values else "nothing"
            raise ValueError(f"the cotangent {name} is of shape {weight.shape}; f returned {given}")
    return sum((weight * values[name]).sum() for name, weight in weights.items())
