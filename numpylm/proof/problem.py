"""What the gradient checker differentiates: a function of named arrays, seen as one number along any direction."""

from contextlib import suppress
from functools import cached_property

import numpy as np

from numpylm.proof.named_arrays import arrays_of, with_arrays
from numpylm.proof.numerical import NotComplexSafe, along, best_step
from numpylm.proof.slopes import EPS, measured

ROUGH = 1e-9  # of |f|: more noise than this is no rounding of float64
CANCELS = 1e-3  # of |f|: more noise than this comes from large terms that cancel, not from float32
WHY = (
    "the function takes np.abs, np.var, np.std, np.linalg.norm, .real or a maximum of magnitudes, copies into a real "
    "buffer, is noisy, or its numbers are as small as the step, 1e-30; use method='central' for it"
)


class Problem:
    """The function as the checker sees it: a number that depends on named float64 arrays.

    given are all numbers and arrays of the caller by their names, arrays float64 copies of the real ones; value_here is
    the number. complaints says what is wrong with the function, and is_steady whether it can be differentiated at all.
    """

    def __init__(self, f, arguments, cotangents):
        if not isinstance(arguments, dict):
            raise TypeError(f"arguments must be a dict of name -> array; got {type(arguments).__name__}")
        self.f, self.arguments, self.has_cotangents = f, arguments, cotangents is not None
        self.given = arrays_of(arguments, "fiubc")
        refuse_what_cannot_be_moved(self.given)
        self.arrays = {name: np.array(q, dtype=float) for name, q in self.given.items() if q.dtype.kind == "f"}
        self.constants = {name: q for name, q in self.given.items() if q.ndim and q.dtype.kind != "f"}
        self.weights = arrays_of({"cotangents": cotangents if self.has_cotangents else 1.0}, "fiub")
        if not self.weights:
            raise ValueError("cotangents hold no array of real numbers: nothing of f's value counts")
        found, self.complaints = self.called_twice("the function", f, lambda out: {"value": self.as_number(out)})
        self.value_here = found["value"]
        if not np.isfinite(self.value_here):
            raise ValueError(f"f's value is {self.value_here}: there is no derivative to compare with")
        self.is_steady = not self.complaints
        self.size = max(1.0, abs(self.value_here))
        self.reach = max(1.0, *[np.abs(q[np.isfinite(q)]).max(initial=0) for q in self.arrays.values()])
        if self.is_steady and self.is_constant():
            self.complaints = [
                f"the function returns {self.value_here:.6g} for all arguments, so it proves no gradient (does it "
                "return a remembered value, round, or sum a softmax? Or are all cotangents zero?)"
            ]

    def called_twice(self, what, function, read):
        """(name -> array, as read finds them in the function's result, sentences on arrays that it changes and on what
        differs in a second, equal call). Changed arrays get their old values back."""
        results, changed = [], {}
        for _ in range(2):
            given = {name: q.copy() for name, q in (self.constants | self.arrays).items()}
            watched = [*given.items(), *self.given.items(), *self.weights.items()]
            before = [q.copy() for _, q in watched]
            results.append(read(function(**with_arrays(self.arguments, given))))
            for (name, q), old in zip(watched, before, strict=True):
                if differs(q, old):
                    changed[name if name in self.weights else f"its argument {name}"] = True
                    np.copyto(q, old)
        first, second = results
        said = [f"{what} changes {name} in place: it must not write into arrays" for name in changed]
        differing = [name for name in first if name in second and differs(first[name], second[name])]
        if differing and not changed:
            said = [
                f"two identical calls of {what} give different numbers ({', '.join(differing)}): it depends on "
                "something hidden (random numbers, or a state that it remembers)"
            ]
        return first, said

    def as_number(self, out):
        """Σ cotangent · f, or f. Raises ValueError for an array without cotangents."""
        values = arrays_of({"cotangents": out}, "fciub")
        for name, weight in self.weights.items():
            shape = values[name].shape if name in values else None
            if shape != weight.shape:
                value = f"{type(out).__name__}{f' of shape {shape}' if shape else ''}"
                expected = f"{name} of shape {weight.shape}" if self.has_cotangents else "a number"
                raise ValueError(
                    f"f must return what fits {expected}; it returned {value}: return the loss only, or give "
                    "cotangents of the shape of its value"
                )
        return sum((weight * values[name]).sum() for name, weight in self.weights.items())

    def along(self, direction):
        """The value as a function of a step along a direction, name -> array; NaN beyond the edge of f's domain."""

        def value(step):
            arrays = {name: q.copy() for name, q in self.constants.items()}
            arrays |= {name: q + step * direction.get(name, 0) for name, q in self.arrays.items()}
            try:
                return self.as_number(self.f(**with_arrays(self.arguments, arrays)))
            except (ArithmeticError, ValueError):
                return step * np.nan  # complex for a complex step

        return value

    def difference(self, direction, method="central"):
        """The derivative along a direction by one step of the method."""
        return along(self.along(direction), best_step(self.size_along(direction), method)[()], method)

    def exact(self, direction):
        """The derivative along a direction by the complex step; NaN if f does not allow it."""
        return self.difference(direction, "complex") if self.is_complex_safe else np.nan

    def measured(self, direction):
        """The Slope along a direction, by steps of all sizes."""
        return measured(self.along(direction), self.size_along(direction), self.precision * abs(self.value_here))

    def size_along(self, direction):
        """The size of the largest entry that a direction moves."""
        return np.max([np.abs(self.arrays[name][v != 0]).max(initial=0.0) for name, v in direction.items()])

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

    @cached_property
    def samples(self):
        """(direction, Slope) along two random directions of all arrays."""
        directions = self.random_direction(1), self.random_direction(2)
        return [(direction, measured(self.along(direction), self.size_along(direction))) for direction in directions]

    @property
    def noise(self):
        """How far f's values are off."""
        return max(slope.noise for _, slope in self.samples)

    @property
    def precision(self):
        """The relative precision of f if that is less than float64's, 6e-8 for float32; else 0."""
        precision = self.noise / max(abs(self.value_here), 1e-300)
        return precision if ROUGH < precision < CANCELS else 0.0

    @cached_property
    def is_complex_safe(self):
        """Whether the complex step can be taken. A function that is not made for complex numbers may raise anything."""
        with suppress(Exception), np.errstate(all="ignore"):
            self.check_complex_step()
            return True
        return False

    @np.errstate(all="ignore")
    def check_complex_step(self):
        """Raises NotComplexSafe unless the complex step agrees with differences along two random directions."""
        for direction, found in self.samples:
            if not np.isfinite(found.low):
                raise NotComplexSafe(
                    "the function is not finite a little beside these arguments (it overflows, or its domain ends)"
                )
            exact = self.difference(direction, "complex")
            off = abs(exact - found.nearest(exact))
            off = off - found.error if np.isfinite(found.error) else abs(exact)  # f may be noise and no more
            if not off <= 1e-8 * abs(exact) + 16 * max(EPS * self.size, found.noise):
                raise NotComplexSafe(f"the complex step gives {exact:.8g}, differences give {found.low:.8g}: {WHY}")

    @np.errstate(all="ignore")
    def is_constant(self):
        """Whether f returns the same number even far away, where a dead ReLU would live."""
        direction = {name: v * np.maximum(1, np.abs(self.arrays[name])) for name, v in self.random_direction(2).items()}
        value = self.along(direction)
        sizes = 10 ** np.linspace(-2, 2, 16) * np.sqrt(sum(q.size for q in self.arrays.values())) * np.tile([1, -1], 8)
        with suppress(Exception):  # a function may refuse other arguments in any way: then this cannot be tried
            return all(abs(value(size) - self.value_here) <= 4 * EPS * abs(self.value_here) for size in sizes)
        return False


def refuse_what_cannot_be_moved(given):
    """Raises TypeError for a complex array, ValueError if there is nothing to differentiate."""
    for name, array in given.items():
        if array.dtype.kind == "c":
            raise TypeError(f"{name} is complex; the checker moves real numbers: give its real and its imaginary part")
    shapes = {name: array.shape for name, array in given.items() if array.dtype.kind == "f"}
    if not any(map(np.prod, shapes.values())):
        empty = ", ".join(f"{name} is of shape {shape}" for name, shape in shapes.items()) or "no array"
        raise ValueError(f"the arguments hold no floating-point numbers ({empty}): nothing to differentiate")


def differs(first, second):
    """Whether two arrays differ in any bit but those of NaN."""
    return not np.array_equal(first, second, equal_nan=np.asarray(first).dtype.kind in "fc")
