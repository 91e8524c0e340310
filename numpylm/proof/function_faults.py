"""What is wrong with a function before any derivative is taken: what a few calls of it show.

A function that changes its arguments, that returns something else when it is called again, that remembers what it was
given or computes in float32 makes every numerical derivative worthless, and a wrong gradient may then look right.
"""

import numpy as np

from numpylm.proof.nested import arrays_of, leaves, with_arrays


def faults_of(problem):
    """(sentences on what is wrong with a Problem's function, whether two equal calls agree and leave it alone)."""
    found = writes_or_differs(problem)
    return (found, False) if found else ([*remembers(problem), *hidden_dtypes(problem)], True)


def writes_or_differs(problem):
    """Two identical calls: do they leave the arguments alone, and agree?"""
    before, given = problem.arrays | problem.constants, copies(problem.arrays | problem.constants)
    arguments, values = with_arrays(problem.arguments, given), []
    for _ in range(2):
        values.append(problem.reduced(problem.f(**arguments)))
        changed = [name for name, array in given.items() if differs(array, before[name])]
        if changed:
            return [f"the function changes its argument {name} in place: it must leave what it is given alone"
                    for name in changed]  # fmt: skip
    first, second = values
    if differs(np.asarray(first), np.asarray(second)):
        return [
            f"two identical calls of the function return {first:.17g} and {second:.17g}: it depends on something "
            "hidden (random numbers, or a state that it remembers)"
        ]
    return []


@np.errstate(all="ignore")  # of arguments that may lie beyond the edge of the function's domain
def remembers(problem):
    """Arguments that are moved: does the value move, and does it do so in the same arrays as in new ones?"""
    rng, arrays = np.random.default_rng(2), copies(problem.arrays)
    try:
        first = problem.value(arrays)
        move(arrays, rng, 1e-2)
        in_place, anew = problem.value(arrays), problem.value(copies(arrays))
    except Exception:  # a function may refuse other arguments: then this cannot be tried
        return []
    if differs(np.asarray(in_place), np.asarray(anew)):
        return [
            "the function returns something else for new arrays than for the same numbers written into the arrays that "
            "it has seen before: it remembers results by the array, or keeps a reference to one"
        ]
    if is_same(first, anew) and is_constant(problem, first, rng):
        return [
            f"the function returns {first:.6g} wherever its arguments are: no gradient can be proved by it (does it "
            "return what it remembers, round, or sum a softmax, or are all cotangents zero?)"
        ]
    return []


def move(arrays, rng, size):
    """Moves every entry at random, in place."""
    for array in arrays.values():
        array += size * rng.standard_normal(array.shape) * np.maximum(1, np.abs(array))


def is_same(first, second):
    """Whether two values agree to the last bits."""
    return bool(abs(second - first) <= 4 * np.finfo(float).eps * abs(first))


def is_constant(problem, first, rng):
    """Whether a value stays the same even far away, where a ReLU that is dead here would live."""
    for _ in range(30):
        arrays = copies(problem.arrays)
        move(arrays, rng, 2.0)
        try:
            with np.errstate(all="ignore"):
                if not is_same(first, problem.value(arrays)):
                    return False
        except Exception:  # as above
            return False
    return True


def hidden_dtypes(problem):
    """Does it keep float64, in everything that counts?"""
    out = problem.f(**with_arrays(problem.arguments, copies(problem.arrays)))
    found = arrays_of({"value": out}, "fciub").values()
    if any(array.dtype.kind in "fc" and np.finfo(array.dtype).eps > np.finfo(float).eps for array in found):
        return [
            "the function returns float32 for float64 arguments: a buffer of a fixed dtype is hidden in it "
            "(write np.zeros(shape, dtype=x.dtype)); nothing below 1e-3 can be judged"
        ]
    if problem.cotangents is None and any(array.dtype.kind in "iub" for array in found):
        return ["the function returns an integer for float64 arguments: what it computes is rounded somewhere"]
    return []


def copies(arrays):
    """Name -> copy."""
    return {name: array.copy() for name, array in arrays.items()}


def differs(first, second):
    """Whether two arrays differ in any bit but those of NaN."""
    return not np.array_equal(first, second, equal_nan=first.dtype.kind in "fc")


def refuse_what_cannot_be_moved(arguments):
    """Raises TypeError for arguments that are no dict by name, or hold complex numbers or arrays of a special kind."""
    if not isinstance(arguments, dict):
        raise TypeError(f"arguments must be a dict of name -> array; got {type(arguments).__name__}")
    for name in arguments:
        if not isinstance(name, str):
            raise TypeError(f"arguments are passed on by name, f(**arguments): the name {name!r} must be a string")
    for name, value in leaves(arguments):
        if isinstance(value, np.ma.MaskedArray | np.matrix):
            raise TypeError(f"{name} is a {type(value).__name__}; give a plain array, np.asarray({name})")
        if isinstance(value, complex | np.complexfloating) or getattr(value, "dtype", np.dtype(float)).kind == "c":
            raise TypeError(
                f"{name} is complex; derivatives are taken by real numbers: give its real and its imaginary part"
            )
