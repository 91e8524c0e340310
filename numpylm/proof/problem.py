"""What the gradient checker differentiates: a function of named arrays, seen as one number along any direction."""

from functools import cached_property

import numpy as np

from numpylm.proof.closer_look import jump, measured
from numpylm.proof.faults import called_twice, constant, copies, hidden_dtypes, refuse_what_cannot_be_moved
from numpylm.proof.nested import arrays_of, children, leaves, with_arrays
from numpylm.proof.numerical import COMPLEX_STEP, NotComplexSafe, along, derivative

NUDGES, DIRECTIONS = 4, 6
ROUGH, CANCELS = 1e-9, 1e-3  # of |f|: more noise is not float64's; even more is what remains where terms cancel


class Problem:
    """The function as the checker sees it: a number that depends on named float64 arrays.

    arrays are float64 copies of the real arguments, constants copies of the integer ones; value_here is the number.
    complaints says what is wrong with the function, and is_steady whether it can be differentiated at all.
    """

    def __init__(self, f, arguments, cotangents, gradients=None):
        refuse_what_cannot_be_moved(arguments)
        self.f, self.arguments = f, arguments
        weights = arrays_of({"": cotangents}, "fiub")
        self.cotangents = with_arrays({"": cotangents}, copies(weights))[""]
        self.originals = [(f"its argument {name}", array) for name, array in arrays_of(arguments, "fiub").items()]
        self.originals += [(f"the cotangent {name[1:]}".rstrip(), array) for name, array in weights.items()]
        claims = arrays_of(gradients, "fiuc")
        self.originals += [(f"the given gradient of {name}", array) for name, array in claims.items()]
        self.dtypes = {name: array.dtype for name, array in arrays_of(arguments).items()}
        self.arrays = {name: np.array(array, dtype=float) for name, array in arrays_of(arguments).items()}
        self.constants = {
            name: value.copy()
            for name, value in leaves(arguments)
            if isinstance(value, np.ndarray) and value.dtype.kind in "iub"
        }
        self.known_jumps = {}  # names -> measurements
        self.value_here, self.complaints = called_twice(self)
        self.is_steady = not self.complaints
        self.size = max(1.0, abs(self.value_here))
        if self.is_steady:
            self.complaints = constant(self) + hidden_dtypes(self)

    def call(self, function, arrays):
        """function(**arguments), with copies of these arrays in their places and of all constants."""
        return function(**with_arrays(self.arguments, copies(self.constants) | copies(arrays)))

    def value(self, arrays):
        """Σ cotangent · f, or f where it is a number."""
        return self.reduced(self.call(self.f, arrays))

    def reduced(self, out):
        """What f returned as one number: weighted by the cotangents, if there are any. Raises ValueError for arrays."""
        if self.cotangents is not None:
            return weighted_sum(self.cotangents, out)
        if not isinstance(out, int | float | complex | np.generic | np.ndarray) or np.ndim(out):
            shape = f" of shape {out.shape}" if isinstance(out, np.ndarray) else ""
            raise ValueError(
                f"f must return a number; it returned {type(out).__name__}{shape}: return the loss only, or give "
                "cotangents to weight its values"
            )
        return out[()] if isinstance(out, np.ndarray) else out

    def derivative(self, name, index, method):
        """∂value/∂array[index] by one step of the method; NaN beyond the edge of f's domain."""
        arrays = self.complex_arrays if method == "complex" else self.arrays
        try:
            return derivative(lambda: self.value(arrays), arrays[name], index, method)
        except (ArithmeticError, ValueError):
            return np.nan

    def difference(self, direction):
        """The derivative along a direction by one central difference."""
        return along(self.along(direction), np.finfo(float).eps ** (1 / 3), "central")

    def entry(self, name, index):
        """The direction that moves one entry and nothing else."""
        direction = np.zeros_like(self.arrays[name])
        direction[index] = 1
        return {name: direction}

    @cached_property
    def complex_arrays(self):
        """The arrays as complex ones."""
        return {name: array.astype(complex) for name, array in self.arrays.items()}

    def along(self, direction, arrays=None):
        """The value as a function of a step along a direction, name -> array. What is not named does not move."""
        arrays = self.arrays if arrays is None else arrays
        return lambda step: self.value(arrays | {name: arrays[name] + step * v for name, v in direction.items()})

    def exact(self, direction, arrays=None):
        """The derivative along a direction by the complex step."""
        return along(self.along(direction, self.complex_arrays if arrays is None else arrays), COMPLEX_STEP, "complex")

    def measured(self, direction, noise=None):
        """The Measured derivative along a direction, by steps of all sizes."""
        noise = self.excess if noise is None else noise
        return measured(self.along(direction), self.size_along(direction), noise)

    def closely(self, name, index):
        """∂value/∂array[index] as closely as can be."""
        direction = self.entry(name, index)
        return self.exact(direction) if self.is_complex_safe else self.measured(direction).slope

    def is_unused(self, name):
        """Whether f's value stays the same, to the last bit, however far this array is moved."""
        return self.is_steady and self.measured(self.random_direction(3, [name])).is_flat

    def random_direction(self, seed, names=None):
        """A random direction of length 1, of all arrays or of the named ones."""
        rng = np.random.default_rng(seed)
        direction = {name: rng.standard_normal(self.arrays[name].shape) for name in names or self.arrays}
        length = np.sqrt(sum((v * v).sum() for v in direction.values()))
        return {name: v / max(length, 1e-300) for name, v in direction.items()}

    @cached_property
    def looks(self):
        """(direction, Measured) along two random directions of all arrays."""
        directions = [self.random_direction(seed) for seed in (1, 2)]
        return [(direction, self.measured(direction, 0.0)) for direction in directions]

    @cached_property
    def excess(self):
        """How far f's value jumps beyond its own rounding, along directions of all arrays."""
        noise, size = max(found.excess for _, found in self.looks), abs(self.value_here)
        return noise if ROUGH * size < noise < CANCELS * size else 0.0

    @property
    def precision(self):
        """The relative precision of f if that is less than float64's, 6e-8 for float32; else 0."""
        return self.excess / abs(self.value_here) if self.excess else 0.0

    @property
    def visible(self):
        """How large an error must be, beside the gradient, to make a difference: of a function with float32 inside,
        differences see two or three digits."""
        return 1e-2 if self.precision else 3e-4

    @np.errstate(all="ignore")
    def jumps(self, direction):
        """How far a gradient may be off because what f is computed from is rounded. log(1 + e^-30) jumps by 2e-16,
        since 1 + … is rounded, and a backward pass that has y - 1 in it is off by as much.

        The largest of a few measurements for the same arrays: along a random direction, and along the first that are
        asked for.
        """
        known = self.known_jumps.setdefault(tuple(direction), [])
        for tried in (self.random_direction(3, list(direction)), direction)[: 2 if len(known) < DIRECTIONS else 0]:
            size = self.size_along(tried) or 1.0
            known.append(jump(self.along(tried), self.value_here, size) / min(1.0, size))
        return max(known)

    def size_along(self, direction):
        """The size of the largest entry that a direction moves."""
        return float(max(np.abs(self.arrays[name][v != 0]).max(initial=0) for name, v in direction.items()))

    @np.errstate(all="ignore")
    def wobble(self, direction):
        """How much the complex step's derivative along a direction changes as the last digits of all arguments do:
        where large numbers cancel, nearly nothing of it is sure."""
        rng, here = np.random.default_rng(4), self.exact(direction)
        slopes = [
            self.exact(direction, {
                name: (array + rng.integers(-2, 3, array.shape) * np.spacing(np.abs(array))).astype(complex)
                for name, array in self.arrays.items()
            })
            for _ in range(NUDGES)
        ]  # fmt: skip
        return float(np.nanmax(np.abs(np.array(slopes) - here), initial=0))

    @cached_property
    def is_complex_safe(self):
        """Whether the complex step can be taken. A function that is not made for complex numbers may raise anything."""
        try:
            with np.errstate(all="ignore"):
                self.check_complex_step()
        except Exception:
            return False
        return True

    def check_complex_step(self):
        """Raises NotComplexSafe unless the complex step agrees with differences along two random directions."""
        for direction, found in self.looks:
            exact = self.exact(direction)
            if not found.includes(exact) and not abs(exact - found.slope) <= 4 * self.jumps(direction):
                raise not_confirmed(self, exact, found.slope)


def weighted_sum(cotangents, out):
    """Σ cotangent · value over nested arrays of the same names and shapes."""
    is_single = not children(cotangents)
    weights = arrays_of({"value": cotangents} if is_single else cotangents, "fiub")
    values = arrays_of({"value": out} if is_single else out, "fciub")
    if not weights:
        raise ValueError("cotangents hold no array of real numbers: nothing of f's value counts")
    for name, weight in weights.items():
        if name not in values or values[name].shape != weight.shape:
            given = values[name].shape if name in values else "nothing"
            raise ValueError(f"the cotangent {name} is of shape {weight.shape}; f returned {given}")
    return sum((weight * values[name]).sum() for name, weight in weights.items())


def not_confirmed(problem, exact, numeric):
    """The error for a complex step that differences do not confirm, with the most likely reason."""
    seen = f"the complex step gives {exact:.8g} where differences give {numeric:.8g}"
    sizes = np.abs(np.concatenate([array.ravel() for array in problem.arrays.values()]))
    if not np.isfinite(numeric):
        why = "the function is not finite a little beside these arguments (it overflows, or its domain ends there)"
    elif sizes.any() and sizes[sizes > 0].min() < 1e8 * COMPLEX_STEP:
        least = f"{sizes[sizes > 0].min():.0e}"
        why = f"an argument of size {least} is as small as the step itself, {COMPLEX_STEP:.0e}; scale the arguments"
    elif exact == 0 and abs(numeric) < np.finfo(float).tiny / COMPLEX_STEP:
        why = "times the step, that is less than a floating-point number can be; scale f"
    else:
        why = (
            "the function takes np.abs, np.var, np.std, np.linalg.norm, .real or a maximum of magnitudes, copies into "
            "a real buffer, or is rough (its value jumps, as with noise in it); use method='central' for it"
        )
    return NotComplexSafe(f"{seen}: {why}")
