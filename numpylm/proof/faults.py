"""What is wrong with a function before any derivative is taken: what a few calls of it show.

A function that changes its arguments, returns something else when it is called again, or is constant proves nothing,
and a wrong gradient may then look right.
"""

import numpy as np

from numpylm.proof.nested import arrays_of, copies, leaves, with_arrays


def refuse_what_cannot_be_moved(arguments):
    """Raises TypeError or ValueError for arguments that are no dict by name, or that hold nothing to differentiate."""
    if not isinstance(arguments, dict):
        raise TypeError(f"arguments must be a dict of name -> array; got {type(arguments).__name__}")
    for name in arguments:
        if not isinstance(name, str):
            raise TypeError(f"arguments are passed on by name, f(**arguments): the name {name!r} must be a string")
    for name, value in leaves(arguments):
        if isinstance(value, np.ma.MaskedArray | np.matrix):
            raise TypeError(f"{name} is a {type(value).__name__}; give a plain array, np.asarray({name})")
        if np.asarray(value).dtype.kind == "c":
            raise TypeError(f"{name} is complex; the checker moves real numbers: give its real and its imaginary part")
    arrays = arrays_of(arguments)
    if not any(array.size for array in arrays.values()):
        empty = ", ".join(f"{name} is of shape {array.shape}" for name, array in arrays.items())
        raise ValueError(
            f"the arguments hold no floating-point numbers ({empty or 'no array'}): nothing to differentiate"
        )


def called_twice(problem):
    """(the value of a Problem's function, sentences if it writes into arrays or two equal calls differ)."""
    (first, changed), (second, changed_later) = [watched_call(problem, problem.f) for _ in range(2)]
    first, second = problem.as_number(first), problem.as_number(second)
    if not np.isfinite(first):
        raise ValueError(f"f's value is {first}: there is no derivative to compare with")
    if changed + changed_later:
        return first, [f"the function changes {(changed + changed_later)[0]} in place: it must not write into arrays"]
    if differs(np.asarray(first), np.asarray(second)):
        return first, [
            f"two identical calls of the function return {first:.17g} and {second:.17g}: it depends on something "
            "hidden (random numbers, or a state that it remembers)"
        ]
    return first, []


def watched_call(problem, function):
    """(what function(**arguments) returns, which of our and the caller's arrays it changed).

    Changed arrays get their old values back, so that the next call finds what this one found.
    """
    given = copies(problem.arrays | problem.constants)
    watched = [(f"its argument {name}", array) for name, array in given.items()] + problem.originals
    before = [array.copy() for _, array in watched]
    out = function(**with_arrays(problem.arguments, given))
    changed = []
    for (label, array), old in zip(watched, before, strict=True):
        if differs(array, old):
            changed.append(label)
            np.copyto(array, old)
    return out, list(dict.fromkeys(changed))


def differs(first, second):
    """Whether two arrays differ in any bit but those of NaN."""
    return not np.array_equal(first, second, equal_nan=first.dtype.kind in "fc")


@np.errstate(all="ignore")  # of arguments that may lie beyond the edge of the function's domain
def constant(problem):
    """A sentence on a function that returns the same number even far away, where a dead ReLU would live."""
    rng, first = np.random.default_rng(2), problem.value_here
    for size in 10 ** np.linspace(-2, 3, 20):
        moved = {
            name: array + size * rng.standard_normal(array.shape) * np.maximum(1, np.abs(array))
            for name, array in problem.arrays.items()
        }
        try:
            if abs(problem.value(moved) - first) > 4 * np.finfo(float).eps * abs(first):
                return []
        except Exception:  # a function may refuse other arguments in any way: then this cannot be tried
            return []
    return [
        f"the function returns {first:.6g} wherever its arguments are: no gradient can be proved by it (does it return "
        "what it remembers, round, or sum a softmax, or are all cotangents zero?)"
    ]


def hidden_dtypes(problem):
    """A sentence on a function that returns float32 or integers for float64 arguments."""
    found = arrays_of({"value": problem.call(problem.f, problem.arrays)}, "fciub").values()
    if any(array.dtype.kind in "fc" and np.finfo(array.dtype).eps > np.finfo(float).eps for array in found):
        return [
            "the function returns float32 for float64 arguments: a buffer of a fixed dtype is hidden in it "
            "(write np.zeros(shape, dtype=x.dtype)); nothing below 1e-3 can be judged"
        ]
    if problem.cotangents is None and any(array.dtype.kind in "iub" for array in found):
        return ["the function returns an integer for float64 arguments: it rounds somewhere"]
    return []
