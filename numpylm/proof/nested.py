"""Arrays in nested dicts, lists, tuples, named records and dataclasses, named "parameters.W_h", "state.0.c", …"""

import copy
import dataclasses

import numpy as np


def arrays_of(tree, kinds="f"):
    """Name -> array for every array or number in a tree whose dtype is of these kinds: f real, c complex, i and u
    integer, b boolean. Raises ValueError where two have one name, such as {"a.b": …, "a": {"b": …}}."""
    arrays = {}
    for path, value in leaves(tree):
        if isinstance(value, int | float | complex | np.generic):
            value = np.asarray(value)
        if isinstance(value, np.ndarray) and value.dtype.kind in kinds:
            if path in arrays:
                raise ValueError(f"two arrays have the name {path}: rename one")
            arrays[path] = value
    return arrays


def copies(arrays):
    """Name -> copy."""
    return {name: array.copy() for name, array in arrays.items()}


def nodes(tree, prefix=""):
    """(name, value) of everything in a tree, whether it is a leaf or holds more."""
    for name, value in children(tree):
        yield f"{prefix}{name}", value
        yield from nodes(value, f"{prefix}{name}.")


def leaves(tree):
    """(name, value) of everything in a tree that holds nothing further."""
    return [(name, value) for name, value in nodes(tree) if not children(value)]


def with_arrays(tree, arrays, prefix=""):
    """The same tree with the named arrays in their places; everything else is kept."""
    replaced = [
        arrays[f"{prefix}{name}"] if f"{prefix}{name}" in arrays else with_arrays(value, arrays, f"{prefix}{name}.")
        for name, value in children(tree)
    ]
    if not replaced:
        return tree
    if isinstance(tree, dict):
        return dict(zip(tree, replaced, strict=True))
    if dataclasses.is_dataclass(tree):
        changed = copy.copy(tree)
        for field, value in zip(dataclasses.fields(tree), replaced, strict=True):
            object.__setattr__(changed, field.name, value)  # it may be frozen
        return changed
    return type(tree)(*replaced) if hasattr(tree, "_fields") else type(tree)(replaced)


def children(tree):
    """(name, value) of what a dict, a record, a list or a tuple holds; nothing for anything else."""
    if isinstance(tree, dict):
        return [(str(name), value) for name, value in tree.items()]
    if hasattr(tree, "_fields"):
        return list(zip(tree._fields, tree, strict=True))
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [(field.name, getattr(tree, field.name)) for field in dataclasses.fields(tree)]
    if isinstance(tree, list | tuple):
        return [(str(k), value) for k, value in enumerate(tree)]
    return []
