"""What the gradient checker is told: claimed gradients, and what is wrong with them before a value is compared."""

import numpy as np

from numpylm.proof.nested import arrays_of, with_arrays


def claimed_arrays(gradients, problem):
    """(name -> claimed gradient in float64 where it can be judged, complaints about the rest)."""
    complaints = []
    if callable(gradients):
        gradients, complaints = called_twice(gradients, problem)
    claims = arrays_of(gradients, "fiuc")
    judged = {}
    for name, array in problem.arrays.items():
        if name not in claims:
            complaints.append(f"there is no gradient of {name}")
        elif claims[name].shape != array.shape:
            complaints.append(
                f"the gradient of {name} is of shape {claims[name].shape}; {name} is of shape {array.shape}"
            )
        elif not np.isfinite(claims[name]).all():
            complaints.append(f"the gradient of {name} is not finite at {first_true(~np.isfinite(claims[name]))}")
        else:
            complaints += dtype_complaint(name, claims[name], problem.dtypes[name])
            judged[name] = claims[name]
    complaints += [
        f"there is a gradient of {name}, which is no argument" for name in claims if name not in problem.arrays
    ]
    return judged, complaints


def first_true(condition):
    """The index of the first True, as a tuple of integers."""
    return tuple(int(k) for k in np.argwhere(condition)[0])


def called_twice(backward, problem):
    """A backward function's claim, and complaints where two calls differ or change the arguments."""
    arrays = {name: array.copy() for name, array in problem.arrays.items()}
    first = {
        name: array.copy() for name, array in arrays_of(backward(**with_arrays(problem.arguments, arrays))).items()
    }
    changed = [name for name in arrays if not np.array_equal(arrays[name], problem.arrays[name])]
    second = arrays_of(backward(**with_arrays(problem.arguments, arrays)))
    complaints = [f"the backward pass changes its argument {name} in place" for name in changed]
    complaints += [
        f"two identical calls of the backward pass give different gradients of {name}: it writes to what it remembers"
        for name in first
        if name in second and not np.array_equal(first[name], second[name]) and not changed
    ]
    return first, complaints


def dtype_complaint(name, claim, dtype):
    """A complaint, if the claim went through float32 although the argument is float64."""
    if dtype != np.float64:
        return []
    with np.errstate(over="ignore"):
        survives_float32 = (claim == claim.astype(np.float32)).all()
    if claim.dtype == np.float32 or (claim.size > 4 and claim.any() and survives_float32):
        return [f"the gradient of {name} has the precision of float32 only: a buffer of a fixed dtype is hidden in it"]
    return []
