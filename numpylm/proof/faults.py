"""What is wrong with a function or a claim before any derivative is taken: what two calls of each show.

A function that changes its arguments, that returns something else when it is called again, or that is constant proves
nothing, and a wrong gradient may then look right. A claim needs the names and the shapes of the arguments.
"""

from contextlib import suppress

import numpy as np

from numpylm.proof.nested import arrays_of, children, copies, leaves, with_arrays

EPS = np.finfo(float).eps
INTEGERS = "{} holds integers and was not checked: give it as real numbers, 1.0, 2.0, …, and not 1, 2, …"


def refuse_what_cannot_be_moved(arguments):
    """Raises TypeError or ValueError for arguments that are no dict by name, or that hold nothing to differentiate."""
    if not isinstance(arguments, dict):
        raise TypeError(f"arguments must be a dict of name -> array; got {type(arguments).__name__}")
    for name in arguments:
        if not isinstance(name, str):
            raise TypeError(f"arguments are passed on by name, f(**arguments): the name {name!r} must be a string")
    for name in arrays_of(arguments, "c"):
        raise TypeError(f"{name} is complex; the checker moves real numbers: give its real and its imaginary part")
    arrays = arrays_of(arguments)
    if not any(array.size for array in arrays.values()):
        empty = ", ".join(f"{name} is of shape {array.shape}" for name, array in arrays.items())
        raise ValueError(
            f"the arguments hold no floating-point numbers ({empty or 'no array'}): nothing to differentiate"
        )


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


@np.errstate(all="ignore")  # arguments may lie beyond the edge of the function's domain
def constant(problem):
    """A sentence on a function that returns the same number even far away, where a dead ReLU would live."""
    rng, first = np.random.default_rng(2), problem.value_here
    for size in 10 ** np.linspace(-2, 3, 20):
        moved = {
            name: array + size * rng.standard_normal(array.shape) * np.maximum(1, np.abs(array))
            for name, array in problem.arrays.items()
        }
        try:
            if abs(problem.value(moved) - first) > 4 * EPS * abs(first):
                return []
        except Exception:  # a function may refuse other arguments in any way: then this cannot be tried
            return []
    return [
        f"the function returns {first:.6g} wherever its arguments are: no gradient can be proved by it (does it return "
        "what it remembers, round, or sum a softmax, or are all cotangents zero?)"
    ]


def hidden_dtypes(problem):
    """A sentence on a function that returns float32 or integers for float64 arguments."""
    found = arrays_of({"value": problem.call(problem.arrays)}, "fciub").values()
    if any(array.dtype.kind in "fc" and np.finfo(array.dtype).eps > EPS for array in found):
        return [
            "the function returns float32 for float64 arguments: a buffer of a fixed dtype is hidden in it "
            "(write np.zeros(shape, dtype=x.dtype)); nothing below 1e-3 can be judged"
        ]
    if problem.cotangents is None and any(array.dtype.kind in "iub" for array in found):
        return ["the function returns an integer for float64 arguments: it rounds somewhere"]
    return []


def claimed_arrays(gradients, problem):
    """(name -> claimed gradient if it can be judged, complaints about the others)."""
    claims, said = named_arrays(gradients, problem) if not callable(gradients) else None, []
    if claims is None:
        (claims, again), changed = called_twice(problem, gradients, lambda out: named_arrays(out, problem))
        said = [f"the backward pass changes {label} in place" for label in changed]
        said += [
            f"two identical calls of the backward pass give different gradients of {name}: it writes to what it "
            "remembers"
            for name in claims.keys() & again.keys()
            if differs(claims[name], again[name])
        ]
    faults = {name: fault_of(name, claims.get(name), problem) for name in [*problem.arrays, *claims]}
    said += [fault for fault in faults.values() if fault]
    return {name: claims[name] for name in problem.arrays if name in claims and not faults[name]}, said


def named_arrays(gradients, problem):
    """Name -> a copy of each claimed array; a list of numbers may stand for an array.

    Raises TypeError for a claim that does not say what it is the gradient of.
    """
    if type(gradients) in (list, tuple) or not (isinstance(gradients, dict) or children(gradients)):
        shape = f" of shape {gradients.shape}" if isinstance(gradients, np.ndarray) else ""
        expected = ", ".join(f'"{name}": …' for name in problem.arguments)
        raise TypeError(
            f"gradients must be a dict by the arguments' names, {{{expected}}}; got {type(gradients).__name__}{shape}"
        )
    arrays = {}
    for name, claim in leaves(gradients, problem.arrays):
        with suppress(ValueError):  # rows of several lengths
            array = np.array(claim)
            arrays |= {name: array} if array.dtype.kind in "fiuc" else {}
    return arrays


def fault_of(name, claim, problem):
    """A sentence on why a claim cannot be judged; None or "" where it can, or where there is no need for it.

    An unused argument needs no claim. A claim for integers does no harm if it is zero, or a copy of the argument.
    """
    if name not in dict(leaves(problem.arguments)):
        return f"there is a gradient of {name}, which is no argument"
    if name not in problem.arrays:
        known = arrays_of(problem.arguments, "iub").get(name)
        is_copy = claim.dtype.kind in "iub" and np.array_equal(claim, known)
        return INTEGERS.format(name) if known is not None and claim.any() and not is_copy else None
    shape = problem.arrays[name].shape
    if claim is None:
        return None if problem.is_unused(name) else f"there is no gradient of {name}"
    if claim.shape != shape:
        return f"the gradient of {name} is of shape {claim.shape}; {name} is of shape {shape}"
    if not np.isfinite(claim).all():
        return f"the gradient of {name} is not finite at {tuple(np.argwhere(~np.isfinite(claim))[0].tolist())}"
    return f"the gradient of {name} is complex; {name} is real, and so is its gradient" * np.iscomplexobj(claim)
