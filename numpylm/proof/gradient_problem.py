"""What the gradient checker differentiates: a function of named arrays, seen as one number, at several scales."""

from functools import cached_property

import numpy as np

from numpylm.proof.complex_safety import check_complex_step
from numpylm.proof.function_faults import copies, faults_of, refuse_what_cannot_be_moved
from numpylm.proof.nested import arrays_of, children, leaves, with_arrays
from numpylm.proof.numerical import NotComplexSafe, best_step, derivative, directional_derivative
from numpylm.proof.own_scale import measured


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
        if not any(array.size for array in arrays_of(arguments).values()):
            empty = ", ".join(f"{name} is of shape {array.shape}" for name, array in arrays_of(arguments).items())
            raise ValueError(f"the arguments' arrays have no entries ({empty}): nothing to differentiate")
        self.constants = {
            name: value.copy()
            for name, value in leaves(arguments)
            if isinstance(value, np.ndarray) and value.dtype.kind in "iub"
        }
        self.arguments = with_arrays(arguments, self.constants)
        self.arrays = {name: np.array(array, dtype=float) for name, array in arrays_of(arguments).items()}
        self.value_here = self._finite_value()
        self.size = max(1.0, abs(self.value_here))
        self.complaints, self.is_steady = faults_of(self)
        self.moving, self.method, self.is_rough = self.arrays, "central", False
        self.has_kink = False
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
        if isinstance(out, tuple | list | dict):
            given = type(out).__name__
            raise ValueError(f"f returned a {given}; return the loss only, or give cotangents to weight its values")
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
        if not self.is_steady:
            return "fourth"  # and nothing will be compared
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

    def difference(self, name, index):
        """∂value/∂array[index] by central differences, whatever the problem's method."""
        arrays = self.arrays
        return derivative(lambda: self.value(arrays), arrays[name], index, "central")

    def closely(self, name, index):
        """∂value/∂array[index] as closely as can be: by the complex step where it is safe, else by differences."""
        return self.exact(name, index) if self.is_complex_safe else self.measured(name, index).slope

    def measured(self, name, index):
        """The Measured derivative of one entry, by differences at the function's own scale."""
        x = {other: array.copy() for other, array in self.arrays.items()}
        entry = self.arrays[name][index]

        def value(step):
            x[name][index] = entry + step
            return self.value(x)

        return measured(value, float(entry))

    def measured_along(self, direction):
        """The Measured derivative along a direction, name -> array: what is not named does not move."""
        size = max(np.abs(self.arrays[name]).max(initial=0) for name in direction)

        def value(step):
            return self.value(
                {
                    name: array + step * direction[name] if name in direction else array.copy()
                    for name, array in self.arrays.items()
                }
            )

        return measured(value, float(size))

    def exactly_along(self, direction):
        """The derivative along a direction, name -> array, by the complex step; only where is_complex_safe."""
        arrays = {name: array.astype(complex) for name, array in self.arrays.items()}
        moved = [arrays[name] for name in direction]
        return directional_derivative(lambda: self.value(arrays), moved, list(direction.values()), "complex")

    def check_complex_step(self):
        """Raises NotComplexSafe unless the complex step agrees with differences; notes whether there is a kink."""
        self.has_kink = check_complex_step(self)

    @np.errstate(all="ignore")
    def first_look(self, name, index):
        """(∂value/∂array[index] by the problem's method, whether the function bends too much for it to be believed)."""
        values = []

        def f():
            values.append(self.value())
            return values[-1]

        try:
            slope = derivative(f, self.moving[name], index, self.method)
            if self.method == "forward":
                derivative(f, self.moving[name], index, "central", best_step(self.arrays[name][index], "forward"))
        except (ArithmeticError, ValueError):  # beyond the edge of the function's domain, as math.log says it
            return np.nan, True
        if self.method == "complex":
            return slope, not np.isfinite(slope)
        plus, minus = values[:2] if self.method != "forward" else values[-2:]
        much = 3e-2 if self.method == "fourth" else 1e-3  # of the change of f, which a fourth-order difference forgives
        bend, rounding = abs(plus - 2 * self.value_here + minus), 1e-13 * max(abs(plus), abs(minus))
        return slope, not bend <= much * abs(plus - minus) + rounding


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
