"""What the gradient checker differentiates: a function of named arrays, seen as one number, at several scales."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from numpylm.proof.function_faults import copies, faults_of, refuse_what_cannot_be_moved
from numpylm.proof.nested import arrays_of, children, leaves, with_arrays
from numpylm.proof.numerical import NotComplexSafe, derivative, directional_derivative


class Problem:
    """The function as the checker sees it: a number that depends on named float64 (or complex128) arrays."""

    def __init__(self, f, arguments, cotangents, method):
        refuse_what_cannot_be_moved(arguments)
        self.f, self.cotangents = f, cotangents
        self.dtypes = {name: array.dtype for name, array in arrays_of(arguments).items()}
        if not self.dtypes:
            raise ValueError(
                "there is no array of floating-point numbers among the arguments: nothing to differentiate"
            )
        self.constants = {
            name: value.copy()
            for name, value in leaves(arguments)
            if isinstance(value, np.ndarray) and value.dtype.kind in "iub"
        }
        self.arguments = with_arrays(arguments, self.constants)
        self.arrays = {name: np.array(array, dtype=float) for name, array in arrays_of(arguments).items()}
        self.value_here = self._finite_value()
        self.size = max(1.0, abs(self.value_here))
        self.complaints = faults_of(self)
        self.moving, self.method, self.is_rough = self.arrays, "central", False
        self.method = self._base_method(method)
        if self.method == "complex":
            self.moving = {name: array.astype(complex) for name, array in self.arrays.items()}

    def value(self, arrays=None):
        """Σ cotangent · f, or f where it is a number."""
        return self.reduced(self.f(**with_arrays(self.arguments, self.moving if arrays is None else arrays)))

    def reduced(self, out):
        """What f returned as one number. Raises ValueError where it is none."""
        if self.cotangents is not None:
            return weighted_sum(self.cotangents, out)
        if np.ndim(out) != 0 or not isinstance(out, int | float | complex | np.generic | np.ndarray):
            shape = f" of shape {np.shape(out)}" if isinstance(out, np.ndarray) else ""
            given = f"{type(out).__name__}{shape}"
            raise ValueError(f"f must return a number; it returned {given}: give cotangents to weight its values")
        return out[()] if isinstance(out, np.ndarray) else out

    def _finite_value(self):
        arguments = with_arrays(self.arguments, copies(self.arrays) | copies(self.constants))
        value = self.reduced(self.f(**arguments))
        if not np.isfinite(value):
            raise ValueError(f"f's value is {value}: there is no derivative to compare with")
        return value

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

    @cached_property
    def is_complex_safe(self):
        """Whether the complex step can be taken, silently: where it cannot, differences have to do."""
        try:
            with np.errstate(all="ignore"):
                self.check_complex_step()
        except Exception:  # whatever a function may raise that was never meant for complex numbers
            return False
        return True

    def exact(self, name, index):
        """∂value/∂array[index] by the complex step; only where is_complex_safe."""
        arrays = self._complex_arrays
        return derivative(lambda: self.value(arrays), arrays[name], index, "complex")

    @cached_property
    def _complex_arrays(self):
        return {name: array.astype(complex) for name, array in self.arrays.items()}

    def closely(self, name, index):
        """∂value/∂array[index] as closely as can be: by the complex step where it is safe, else of fourth order."""
        return self.exact(name, index) if self.is_complex_safe else self.slopes(name, index).fine

    def along(self, name, direction, epsilon=None):
        """The derivative along a direction in one array: by the complex step where it is safe, else of fourth order."""
        method = "complex" if self.is_complex_safe else "fourth"
        others = {other: np.zeros_like(array) for other, array in self.arrays.items()}
        return self._directional(list((others | {name: direction}).values()), method, epsilon)

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
            allowed = 1e-6 * abs(exact) + 1e-7 * self.size
            if not any(abs(exact - value) <= allowed for value in numeric):  # NaN is not safe either
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
            further_left=slope("forward", -1e-7),
            further_right=slope("forward", 1e-7),
        )


class Slopes(NamedTuple):
    """One entry's derivative at seven scales: where they differ, there is a kink between one and the next."""

    coarse: float
    fine: float
    near: float
    left: float
    right: float
    further_left: float
    further_right: float

    def is_rough(self, size):
        """Whether the slope of one side changes between 1e-8 and 1e-7: that is noise, as of float32, and no kink."""
        change = max(abs(self.left - self.further_left), abs(self.right - self.further_right))
        return change > 1e-3 * max(size, abs(self.coarse))


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
    single = not children(cotangents)
    weights = arrays_of({"value": cotangents} if single else cotangents, "fiub")
    values = arrays_of({"value": out} if single else out, "fciub")
    if not weights:
        raise ValueError("cotangents hold no array of real numbers: nothing of f's value counts")
    for name, weight in weights.items():
        if name not in values or values[name].shape != weight.shape:
            given = values[name].shape if name in values else "nothing"
            raise ValueError(f"the cotangent {name} is of shape {weight.shape}; f returned {given}")
    return sum((weight * values[name]).sum() for name, weight in weights.items())
