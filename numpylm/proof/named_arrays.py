"""Arrays by name, "parameters.W_h" or "state.0.c", in nested dicts, lists, tuples, named records and dataclasses; and
claimed gradients by name, with what is wrong with them before any derivative is taken."""

import dataclasses
from contextlib import suppress

import numpy as np


def children(tree):
    """(name, value) of what a dict, a record, a list or a tuple holds; nothing for anything else."""
    if isinstance(tree, dict):
        return [(str(name), value) for name, value in tree.items()]
    if hasattr(tree, "_fields"):
        return list(zip(tree._fields, tree, strict=True))
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [(field.name, getattr(tree, field.name)) for field in dataclasses.fields(tree)]
    return [(str(k), value) for k, value in enumerate(tree)] if isinstance(tree, list | tuple) else []


def leaves(tree, whole=(), prefix=""):
    """(name, value) of everything that holds nothing further, and of what has a name in whole."""
    for name, value in children(tree):
        if prefix + name in whole or not children(value):
            yield prefix + name, value
        else:
            yield from leaves(value, whole, f"{prefix}{name}.")


def arrays_of(tree, kinds="f"):
    """Name -> every array or number in a tree whose dtype is of these kinds: f real, c complex, i and u
    integer, b boolean. Raises ValueError where two have one name, such as {"a.b": …, "a": {"b": …}}."""
    arrays = {}
    for name, value in leaves(tree):
        is_number = isinstance(value, int | float | complex | np.generic | np.ndarray)
        if is_number and np.asarray(value).dtype.kind in kinds:
            if name in arrays:
                raise ValueError(f"two arrays have the name {name}: rename one")
            arrays[name] = np.asarray(value)
    return arrays


def with_arrays(tree, arrays, prefix=""):
    """The same tree with the named arrays in their places; everything else is kept."""
    names = [name for name, _ in children(tree)]
    values = [
        arrays[prefix + name] if prefix + name in arrays else with_arrays(value, arrays, f"{prefix}{name}.")
        for name, value in children(tree)
    ]
    if not values:
        return tree
    if isinstance(tree, dict):
        return dict(zip(tree, values, strict=True))
    if dataclasses.is_dataclass(tree):
        return dataclasses.replace(tree, **dict(zip(names, values, strict=True)))
    return type(tree)(*values) if hasattr(tree, "_fields") else type(tree)(values)


def claimed_arrays(gradients, problem):
    """(name -> claimed gradient if it can be judged, complaints about the others)."""
    if callable(gradients):
        claims, said = problem.called_twice("the backward pass", gradients, lambda out: claims_in(out, problem))
    else:
        claims, said = claims_in(gradients, problem), []
    faults = {name: fault_of(name, claims.get(name), problem) for name in [*problem.arrays, *claims]}
    said += [fault for fault in faults.values() if fault]
    return {name: claims[name] for name in problem.arrays if name in claims and not faults[name]}, said


def claims_in(gradients, problem):
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
