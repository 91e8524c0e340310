"""What the gradient checker differentiates: a function of named arrays, seen as one number along any direction."""

from contextlib import suppress
from functools import cached_property

import numpy as np

from numpylm.proof.faults import constant, hidden_dtypes, refuse_what_cannot_be_moved, value_here
from numpylm.proof.nested import arrays_of, children, copies, with_arrays
from numpylm.proof.numerical import NotComplexSafe, along, best_step
from numpylm.proof.slopes import EPS, measured

ROUGH, CANCELS = 1e-9, 1e-3  # of |f|: more noise is not float64's; even more is what remains where terms cancel


class Problem:
    """The function as the checker sees it: a number that depends on named float64 arrays.

    arrays are float64 copies of the real arguments, constants copies of the integer ones; value_here is the number.
    originals are (what it is, array) of all that the caller gave: nobody may write into these. complaints says what
    is wrong with the function, and is_steady whether it can be differentiated at all.
    """

    def __init__(self, f, arguments, cotangents, gradients):
        refuse_what_cannot_be_moved(arguments)
        self.f, self.arguments, given = f, arguments, arrays_of(arguments, "fiub")
        weights = arrays_of({"": cotangents}, "fiub")
        self.cotangents = with_arrays({"": cotangents}, copies(weights))[""]
        self.originals = [
            *[(f"its argument {name}", array) for name, array in given.items()],
            *[(f"the cotangent {name[1:]}".rstrip(), array) for name, array in weights.items()],
            *[(f"the given gradient of {name}", array) for name, array in arrays_of(gradients, "fiuc").items()],
        ]
        self.dtypes = {name: q.dtype for name, q in given.items()}
        self.arrays = {name: np.array(q, dtype=float) for name, q in given.items() if q.dtype.kind == "f"}
        self.constants = copies({name: q for name, q in given.items() if q.ndim and q.dtype.kind != "f"})
        self.value_here, self.complaints = value_here(self)
        self.is_steady = not self.complaints
        if self.is_steady:
            self.complaints = constant(self) + hidden_dtypes(self)
        self.size = max(1.0, abs(self.value_here))
        self.reach = max(1.0, *[np.abs(q[np.isfinite(q)]).max(initial=0) for q in self.arrays.values()])

    def call(self, arrays):
        """f(**arguments), with copies of these arrays in their places and of all constants."""
        return self.f(**with_arrays(self.arguments, copies(self.constants | arrays)))

    def value(self, arrays):
        """f as one number: weighted by the cotangents, if there are any."""
        return self.as_number(self.call(arrays))

    def as_number(self, out):
        """Σ cotangent · f, or f. Raises ValueError for an array without cotangents."""
        if self.cotangents is not None:
            return weighted_sum(self.cotangents, out)
        if isinstance(out, int | float | complex | np.generic | np.ndarray) and not np.ndim(out):
            return out[()] if isinstance(out, np.ndarray) else out
        shape = f" of shape {out.shape}" if isinstance(out, np.ndarray) else ""
        raise ValueError(
            f"f must return a number; it returned {type(out).__name__}{shape}: return the loss only, or give "
            "cotangents to weight its values"
        )

    @cached_property
    def complex_arrays(self):
        """The arrays as complex ones."""
        return {name: array.astype(complex) for name, array in self.arrays.items()}

    def along(self, direction, arrays):
        """The value as a function of a step along a direction, name -> array. Other arrays do not move."""
        return lambda step: self.value(arrays | {name: arrays[name] + step * v for name, v in direction.items()})

    def difference(self, direction, method="central"):
        """The derivative along a direction by one step of the method; NaN beyond the edge of f's domain."""
        arrays = self.complex_arrays if method == "complex" else self.arrays
        step = best_step(np.array(self.size_along(direction)), method)[()]
        try:
            return along(self.along(direction, arrays), step, method)
        except (ArithmeticError, ValueError):
            return np.nan

    def exact(self, direction):
        """The derivative along a direction by the complex step; NaN if f does not allow it."""
        return self.difference(direction, "complex") if self.is_complex_safe else np.nan

    def measured(self, direction, noise=None):
        """The Slope along a direction, by steps of all sizes."""
        noise = self.noise if noise is None else noise
        return measured(self.along(direction, self.arrays), self.size_along(direction), noise)

    def size_along(self, direction):
        """The size of the largest entry that a direction moves."""
        return float(max(np.abs(self.arrays[name][v != 0]).max(initial=0) for name, v in direction.items()))

    def entry(self, name, index):
        """The direction that moves one entry and nothing else."""
        direction = np.zeros_like(self.arrays[name])
        direction[index] = 1
        return {name: direction}

    def random_direction(self, seed, names=None):
        """A random direction of length 1, of all arrays or of the named ones."""
        rng = np.random.default_rng(seed)
        direction = {name: rng.standard_normal(self.arrays[name].shape) for name in names or self.arrays}
        length = np.sqrt(sum((v * v).sum() for v in direction.values()))
        return {name: v / max(length, 1e-300) for name, v in direction.items()}

    def is_unused(self, name):
        """Whether f's value stays the same, to the last bit, however far this array is moved."""
        return self.is_steady and self.measured(self.random_direction(3, [name])).is_flat

    @cached_property
    def samples(self):
        """(direction, Slope) along two random directions of all arrays."""
        directions = [self.random_direction(seed) for seed in (1, 2)]
        return [(direction, self.measured(direction, 0.0)) for direction in directions]

    @cached_property
    def noise(self):
        """How far f's value is off if it is less precise than float64, else 0."""
        noise, size = max(slope.noise for _, slope in self.samples), abs(self.value_here)
        return noise if ROUGH * size < noise < CANCELS * size else 0.0

    @property
    def precision(self):
        """The relative precision of f if that is less than float64's, 6e-8 for float32; else 0."""
        return self.noise / abs(self.value_here) if self.noise else 0.0

    @property
    def visible(self):
        """The least relative error of a gradient that must show. With float32 inside f, differences see two digits."""
        return 1e-2 if self.precision else 3e-4

    @cached_property
    def is_complex_safe(self):
        """Whether the complex step can be taken. A function that is not made for complex numbers may raise anything."""
        with suppress(Exception), np.errstate(all="ignore"):
            self.check_complex_step()
            return True
        return False

    def check_complex_step(self):
        """Raises NotComplexSafe unless the complex step agrees with differences along two random directions."""
        for direction, found in self.samples:
            exact = self.difference(direction, "complex")
            off = abs(exact - found.value) if np.isfinite(found.error) else abs(exact)  # f may be noise and no more
            if np.isfinite(found.value) and (
                found.includes(exact, 1e-8) or off <= 16 * max(EPS * self.size, found.noise)
            ):
                continue
            why = (
                "the function takes np.abs, np.var, np.std, np.linalg.norm, .real or a maximum of magnitudes, "
                "copies into a real buffer, is noisy, or its numbers are as small as the step, 1e-30; use "
                "method='central' for it"
            )
            if not np.isfinite(found.value):
                why = "the function is not finite a little beside these arguments (it overflows, or its domain ends)"
            raise NotComplexSafe(f"the complex step gives {exact:.8g} where differences give {found.value:.8g}: {why}")


def weighted_sum(cotangents, out):
    """Σ cotangent · value over nested arrays of the same names and shapes."""
    if not children(cotangents):
        cotangents, out = {"value": cotangents}, {"value": out}
    weights, values = arrays_of(cotangents, "fiub"), arrays_of(out, "fciub")
    if not weights:
        raise ValueError("cotangents hold no array of real numbers: nothing of f's value counts")
    for name, weight in weights.items():
        if name not in values or values[name].shape != weight.shape:
            given = values[name].shape if name in values else "nothing"
            raise ValueError(f"the cotangent {name} is of shape {weight.shape}; f returned {given}")
    return sum((weight * values[name]).sum() for name, weight in weights.items())
