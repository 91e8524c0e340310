"""What is wrong with claimed gradients before any derivative is taken: names, shapes, numbers, and what a backward
pass does to the arrays that it is given."""

from contextlib import suppress

import numpy as np

from numpylm.proof.nested import children, leaves


def claimed_arrays(gradients, problem):
    """(name -> claimed gradient if it can be judged, complaints about the others)."""
    if callable(gradients):
        claims, said = problem.called_twice("the backward pass", gradients, lambda out: named_arrays(out, problem))
    else:
        claims, said = named_arrays(gradients, problem), []
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
            arrays[name] = np.array(claim)
    return {name: array for name, array in arrays.items() if array.dtype.kind in "fiuc"}


def fault_of(name, claim, problem):
    """A sentence on why a claim cannot be judged; None where it can, or where there is no need for it.

    An argument that f does not use needs no claim. A claim for integers does no harm if it is zero, or a copy of the
    argument.
    """
    if name not in problem.arrays:
        known = problem.given.get(name)
        if known is None and name not in dict(leaves(problem.arguments)):
            return f"there is a gradient of {name}, which is no argument"
        is_harmless = known is None or not claim.any() or (claim.dtype.kind in "iub" and np.array_equal(claim, known))
        what = "holds integers and was not checked: give it as real numbers, 1.0, 2.0, …, and not 1, 2, …"
        return None if is_harmless else f"{name} {what}"
    if claim is None:
        is_unused = problem.is_steady and problem.measured(problem.random_direction(3, [name]))[:2] == (0, 0)
        return None if is_unused else f"there is no gradient of {name}"
    shape = problem.arrays[name].shape
    if claim.shape != shape:
        return f"the gradient of {name} is of shape {claim.shape}; {name} is of shape {shape}"
    if not np.isfinite(claim).all():
        return f"the gradient of {name} is not finite at {tuple(np.argwhere(~np.isfinite(claim))[0].tolist())}"
    if np.iscomplexobj(claim):
        return f"the gradient of {name} is complex; {name} is real, and so is its gradient"
    return None
