"""What the gradient checker is told: claimed gradients, and what is wrong with them before a value is compared."""

import numpy as np

from numpylm.proof.faults import copies, differs, watched_call
from numpylm.proof.nested import arrays_of, children, leaves, nodes, with_arrays


def claimed_arrays(gradients, problem):
    """(name -> claimed gradient, where it can be judged, complaints about the rest)."""
    complaints, is_function = [], callable(gradients)
    if is_function:
        gradients, complaints = called_twice(gradients, problem)
    if not is_named(gradients):
        return {}, [*complaints, nameless(gradients, problem, is_function)]
    claims = {name: np.array(array) for name, array in arrays_of(lists_as_arrays(gradients, problem), "fiuc").items()}
    found = {name: what_forbids(name, claims.get(name), problem) for name in problem.arrays}
    complaints += [complaint for complaint in found.values() if complaint]
    known = dict(leaves(problem.arguments))  # with constants, which a record of gradients may hold too
    complaints += [f"there is a gradient of {name}, which is no argument" for name in claims if name not in known]
    complaints += [about_integers(name) for name, claim in claims.items() if is_of_integers(claim, known.get(name))]
    return {name: claims[name] for name in claims if found.get(name, "no argument") is None}, complaints


def lists_as_arrays(gradients, problem):
    """The same claim with arrays in place of the lists of numbers that stand for one argument's gradient."""
    arrays = {}
    for name, claim in nodes(gradients):
        if name in problem.arrays and type(claim) in (list, tuple):
            try:
                arrays[name] = np.asarray(claim)
            except ValueError:  # of rows of several lengths: then its parts are named in a complaint
                continue
    return with_arrays(gradients, arrays)


def is_of_integers(claim, argument):
    """Whether a claim is one for integers, and none that a record of gradients holds only because it must."""
    is_integer = np.asarray(argument).dtype.kind in "iub"
    is_copied = claim.dtype.kind in "iub" and np.array_equal(claim, argument)
    return bool(is_integer and claim.any() and not is_copied)


def about_integers(name):
    """The sentence on a claim for integers."""
    return f"{name} holds integers and was not checked: give it as real numbers, 1.0, 2.0, …, and not 1, 2, …"


def is_named(gradients):
    """Whether a claim is something with names in it: a dict, a named record, a dataclass."""
    return isinstance(gradients, dict) or (bool(children(gradients)) and type(gradients) not in (list, tuple))


def nameless(gradients, problem, is_function):
    """A sentence on a claim that does not say what it is the gradient of."""
    shape = f" of shape {gradients.shape}" if isinstance(gradients, np.ndarray) else ""
    expected = ", ".join(f'"{name}": …' for name in problem.arguments)
    return (
        f"{'the backward pass must return' if is_function else 'gradients must be'} a dict of the gradients by their "
        f"arguments' names, {{{expected}}}; {'it returned' if is_function else 'got'} {type(gradients).__name__}{shape}"
    )


def what_forbids(name, claim, problem):
    """A sentence on why a claim cannot be judged; None where it can."""
    shape = problem.arrays[name].shape
    if claim is None:
        return None if problem.is_unused(name) else f"there is no gradient of {name}"
    if claim.shape != shape:
        return f"the gradient of {name} is of shape {claim.shape}; {name} is of shape {shape}"
    if not np.isfinite(claim).all():
        index = tuple(int(k) for k in np.argwhere(~np.isfinite(claim))[0])
        return f"the gradient of {name} is not finite at {index}"
    if claim.dtype.kind == "c":
        return f"the gradient of {name} is complex; {name} is real, and so is its gradient"
    if claim.dtype == np.float16:
        return f"the gradient of {name} is float16: with three digits nothing can be judged"
    return None


def called_twice(backward, problem):
    """A backward function's claim, and complaints if two calls differ or if it writes into what it was given."""
    first, changed = watched_call(problem, backward)
    if not is_named(first):
        return first, []
    first = copies(arrays_of(lists_as_arrays(first, problem), "fiuc"))
    second, changed_later = watched_call(problem, backward)
    second = arrays_of(lists_as_arrays(second, problem), "fiuc")
    complaints = [f"the backward pass changes {label} in place" for label in dict.fromkeys(changed + changed_later)]
    complaints += [
        f"two identical calls of the backward pass give different gradients of {name}: it writes to what it remembers"
        for name in first
        if name in second and differs(first[name], second[name])
    ]
    return first, complaints


def float32_complaints(claims, problem):
    """Complaints about claims that went through float32 although their argument is float64."""
    return [
        f"the gradient of {name} has the precision of float32 only: a buffer of a fixed dtype is hidden in it"
        for name, claim in claims.items()
        if problem.dtypes[name] == np.float64 and (claim.dtype == np.float32 or is_rounded(name, claim, problem))
    ]


def is_rounded(name, claim, problem):
    """Whether a float64 claim holds float32 numbers only, and not by coincidence: of its largest entries that are no
    round numbers, one must be off by more than the derivative's rounding, and by float32's at most.
    """
    with np.errstate(over="ignore"):
        if claim.dtype.kind != "f" or not (claim == claim.astype(np.float32)).all():
            return False
    digits = np.frexp(claim)[0] * 2**16
    rounded = np.argwhere(digits != np.rint(digits))  # 1, 0.75, 3.5, … need few digits, and say nothing
    largest = sorted(map(tuple, rounded), key=lambda index: -abs(claim[index]))[:8]
    errors = [(abs(claim[index] - problem.closely(name, index)), abs(claim[index])) for index in largest]
    least = 4 * problem.jumps(problem.random_direction(3, [name]))  # y - 1 has few digits where y is nearly 1, in float64 too
    return any(3e-9 * size < error < 1e-5 * size and error > least for error, size in errors)
