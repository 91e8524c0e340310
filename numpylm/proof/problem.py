"""What the gradient checker differentiates: a function of named arrays, seen as one number along any direction."""

from contextlib import suppress
from functools import cached_property

import numpy as np

from numpylm.proof.nested import arrays_of, children, copies, with_arrays
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

    arrays are float64 copies of the real arguments, constants copies of the integer ones; value_here is the number.
    originals are (what it is, array) of all that the caller gave: nobody may write into these. complaints says what
    is wrong with the function, and is_steady whether it can be differentiated at all.
    """

    def __init__(self, f, arguments, cotangents):
        if not isinstance(arguments, dict):
            raise TypeError(f"arguments must be a dict of name -> array; got {type(arguments).__name__}")
        self.f, self.arguments = f, arguments
        given = arrays_of(arguments, "fiubc")
        weights = arrays_of({"": cotangents}, "fiub")
        self.cotangents = with_arrays({"": cotangents}, copies(weights))[""]
        self.originals = [(f"its argument {name}", array) for name, array in given.items()]
        self.originals += [(f"the cotangent {name[1:]}".rstrip(), array) for name, array in weights.items()]
        self.dtypes = {name: q.dtype for name, q in given.items()}
        self.arrays = {name: np.array(q, dtype=float) for name, q in given.items() if q.dtype.kind == "f"}
        self.constants = copies({name: q for name, q in given.items() if q.ndim and q.dtype.kind != "f"})
        refuse_what_cannot_be_moved(given)
        self.value_here, self.complaints = value_here(self)
        self.is_steady = not self.complaints
        self.size = max(1.0, abs(self.value_here))
        # The size of the arguments: a right backward pass rounds in proportion to it (judging.py)
        self.reach = max(1.0, *[np.abs(q[np.isfinite(q)]).max(initial=0) for q in self.arrays.values()])
        if self.is_steady:
            self.complaints = constant(self)

    def call(self, arrays):
        """f(**arguments), with copies of these arrays in their places and of all constants."""
        return self.f(**with_arrays(self.arguments, copies(self.constants | arrays)))

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

    def along(self, direction, arrays):
        """The value as a function of a step along a direction, name -> array; NaN beyond the edge of f's domain."""

        def value(step):
            moved = {name: arrays[name] + step * v for name, v in direction.items()}
            try:
                return self.as_number(self.call(arrays | moved))
            except (ArithmeticError, ValueError):
                return step * np.nan  # complex for a complex step

        return value

    def difference(self, direction, method="central"):
        """The derivative along a direction by one step of the method."""
        dtype = complex if method == "complex" else float
        arrays = {name: q.astype(dtype, copy=False) for name, q in self.arrays.items()}
        step = best_step(np.array(self.size_along(direction)), method)[()]
        return along(self.along(direction, arrays), step, method)

    def exact(self, direction):
        """The derivative along a direction by the complex step; NaN if f does not allow it."""
        return self.difference(direction, "complex") if self.is_complex_safe else np.nan

    def measured(self, direction, noise=None):
        """The Slope along a direction, by steps of all sizes."""
        noise = self.precision * abs(self.value_here) if noise is None else noise
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

    @cached_property
    def samples(self):
        """(direction, Slope) along two random directions of all arrays."""
        directions = [self.random_direction(seed) for seed in (1, 2)]
        return [(direction, self.measured(direction, 0.0)) for direction in directions]

    @cached_property
    def precision(self):
        """The relative precision of f if that is less than float64's, 6e-8 for float32; else 0."""
        precision = max(slope.noise for _, slope in self.samples) / max(abs(self.value_here), 1e-300)
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
            exact = self.difference(direction, "complex")
            off = abs(exact - found.value) if np.isfinite(found.error) else abs(exact)  # f may be noise and no more
            if not np.isfinite(found.value):
                raise NotComplexSafe(
                    "the function is not finite a little beside these arguments (it overflows, or its domain ends)"
                )
            if not found.includes(exact, 1e-8) and off > 16 * max(EPS * self.size, found.noise):
                raise NotComplexSafe(f"the complex step gives {exact:.8g}, differences give {found.value:.8g}: {WHY}")


def refuse_what_cannot_be_moved(given):
    """Raises TypeError for a complex array, ValueError if there is nothing to differentiate."""
    for name, array in given.items():
        if array.dtype.kind == "c":
            raise TypeError(f"{name} is complex; the checker moves real numbers: give its real and its imaginary part")
    shapes = {name: array.shape for name, array in given.items() if array.dtype.kind == "f"}
    if not any(map(np.prod, shapes.values())):
        empty = ", ".join(f"{name} is of shape {shape}" for name, shape in shapes.items()) or "no array"
        raise ValueError(f"the arguments hold no floating-point numbers ({empty}): nothing to differentiate")


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


def called_twice(problem, function, read):
    """(what read makes of the results of two equal calls, the names of the arrays that these calls changed).

    Changed arrays get their old values back, so that the next call finds what this one found.
    """
    results, changed = [], []
    for _ in range(2):
        given = copies(problem.arrays | problem.constants)
        watched = [(f"its argument {name}", array) for name, array in given.items()] + problem.originals
        before = [array.copy() for _, array in watched]
        results.append(read(function(**with_arrays(problem.arguments, given))))
        for (label, array), old in zip(watched, before, strict=True):
            if differs(array, old):
                changed.append(label)
                np.copyto(array, old)
    return results, list(dict.fromkeys(changed))


def differs(first, second):
    """Whether two arrays differ in any bit but those of NaN."""
    return not np.array_equal(first, second, equal_nan=first.dtype.kind in "fc")


def value_here(problem):
    """(the value of a Problem's function, sentences if it writes into arrays or if two equal calls differ)."""
    (first, second), changed = called_twice(problem, problem.f, problem.as_number)
    if not np.isfinite(first):
        raise ValueError(f"f's value is {first}: there is no derivative to compare with")
    said = [f"the function changes {label} in place: it must not write into arrays" for label in changed[:1]]
    if first != second and not said:
        said = [
            f"two identical calls of the function return {first:.17g} and {second:.17g}: it depends on something "
            "hidden (random numbers, or a state that it remembers)"
        ]
    return first, said


@np.errstate(all="ignore")
def constant(problem):
    """A sentence on a function that returns the same number even far away, where a dead ReLU would live."""
    rng, f = np.random.default_rng(2), problem.value_here
    with suppress(Exception):  # a function may refuse other arguments in any way: then this cannot be tried
        for size in 10 ** np.linspace(-2, 3, 20):
            steps = {name: size * rng.standard_normal(q.shape) for name, q in problem.arrays.items()}
            moved = {name: q + steps[name] * np.maximum(1, np.abs(q)) for name, q in problem.arrays.items()}
            if abs(problem.as_number(problem.call(moved)) - f) > 4 * EPS * abs(f):
                return []
        return [
            f"the function returns {f:.6g} wherever its arguments are: no gradient can be proved by it (does it return "
            "what it remembers, round, or sum a softmax, or are all cotangents zero?)"
        ]
    return []
