"""What is wrong with claimed gradients before any value is compared: names, shapes, dtypes, repeated calls."""

import numpy as np

from numpylm.proof.faults import differs, watched_call
from numpylm.proof.nested import arrays_of, children, leaves, nodes, with_arrays


def claimed_arrays(gradients, problem):
    """(name -> claimed gradient where it can be judged, complaints about the rest)."""
    complaints, is_function = [], callable(gradients)
    if is_function:
        gradients, complaints = called_twice(gradients, problem)
    if not has_names(gradients):
        return {}, [*complaints, nameless(gradients, problem, is_function)]
    claims, known = named_arrays(gradients, problem), dict(leaves(problem.arguments))
    found = {name: fault_of(name, claims.get(name), problem) for name in problem.arrays}
    complaints += [complaint for complaint in found.values() if complaint]
    for name in claims.keys() - problem.arrays.keys():
        claim, constant = claims[name], np.asarray(known.get(name, 0))
        is_copy = claim.dtype.kind in "iub" and np.array_equal(claim, constant)  # as a record of gradients may hold
        if name not in known:
            complaints.append(f"there is a gradient of {name}, which is no argument")
        elif constant.dtype.kind in "iub" and claim.any() and not is_copy:
            complaints.append(f"{name} holds integers and was not checked: give it as real numbers, 1.0, 2.0, …, "
                              "and not 1, 2, …")  # fmt: skip
    return {name: claims[name] for name in claims if found.get(name, "no argument") is None}, complaints


def called_twice(backward, problem):
    """A backward function's claim, and complaints if two calls differ or if it writes into arrays."""
    first, changed = watched_call(problem, backward)
    if not has_names(first):
        return first, []
    first = named_arrays(first, problem)
    second, changed_later = watched_call(problem, backward)
    second = named_arrays(second, problem)
    complaints = [f"the backward pass changes {label} in place" for label in dict.fromkeys(changed + changed_later)]
    complaints += [
        f"two identical calls of the backward pass give different gradients of {name}: it writes to what it remembers"
        for name in first
        if name in second and differs(first[name], second[name])
    ]
    return first, complaints


def named_arrays(gradients, problem):
    """Name -> a copy of each claimed array. A list of numbers may stand for an argument's gradient."""
    arrays = {}
    for name, claim in nodes(gradients):
        if name in problem.arrays and type(claim) in (list, tuple):
            try:
                arrays[name] = np.asarray(claim)
            except ValueError:  # its rows are of several lengths
                continue
    return {name: np.array(array) for name, array in arrays_of(with_arrays(gradients, arrays), "fiuc").items()}


def has_names(gradients):
    """Whether a claim says which gradient is whose: a dict, a named record, a dataclass."""
    return isinstance(gradients, dict) or (bool(children(gradients)) and type(gradients) not in (list, tuple))


def nameless(gradients, problem, is_function):
    """A sentence on a claim that does not say what it is the gradient of."""
    shape = f" of shape {gradients.shape}" if isinstance(gradients, np.ndarray) else ""
    expected = ", ".join(f'"{name}": …' for name in problem.arguments)
    return (
        f"{'the backward pass must return' if is_function else 'gradients must be'} a dict of the gradients by their "
        f"arguments' names, {{{expected}}}; {'it returned' if is_function else 'got'} {type(gradients).__name__}{shape}"
    )


def fault_of(name, claim, problem):
    """A sentence on why a claim cannot be judged; None where it can. An unused argument needs no claim."""
    shape = problem.arrays[name].shape
    if claim is None:
        return None if problem.is_unused(name) else f"there is no gradient of {name}"
    if claim.shape != shape:
        return f"the gradient of {name} is of shape {claim.shape}; {name} is of shape {shape}"
    if not np.isfinite(claim).all():
        return f"the gradient of {name} is not finite at {tuple(np.argwhere(~np.isfinite(claim))[0].tolist())}"
    if claim.dtype.kind == "c":
        return f"the gradient of {name} is complex; {name} is real, and so is its gradient"
    if claim.dtype == np.float16:
        return f"the gradient of {name} is float16: its three digits are too few for a check"
    return None


def float32_complaints(claims, problem):
    """Complaints about claims that went through float32 although their argument is float64."""
    return [
        f"the gradient of {name} has the precision of float32 only: a buffer of a fixed dtype is hidden in it"
        for name, claim in claims.items()
        if problem.dtypes[name] == np.float64 and (claim.dtype == np.float32 or is_rounded(name, claim, problem))
    ]


def is_rounded(name, claim, problem):
    """Whether a float64 claim holds float32 numbers only, and a large entry is off as much as float32 rounds. Round
    numbers such as 1, 0.75 and 3.5 say nothing.
    """
    with np.errstate(over="ignore"):
        if claim.dtype.kind != "f" or not (claim == claim.astype(np.float32)).all():
            return False
    digits = np.frexp(claim)[0] * 2**16
    largest = sorted(map(tuple, np.argwhere(digits != np.rint(digits))), key=lambda index: -abs(claim[index]))[:8]
    for index in largest:
        direction, size = problem.entry(name, index), abs(claim[index])
        slope = problem.exact(direction) if problem.is_complex_safe else problem.measured(direction).value
        if max(3e-9 * size, 1e-15) < abs(claim[index] - slope) < 1e-5 * size:
            return True
    return False
