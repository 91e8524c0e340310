"""Arrays in nested dicts, lists, tuples, named records and dataclasses, named "parameters.W_h", "state.0.c", …"""

import copy
import dataclasses

import numpy as np


def arrays_of(tree, kinds="f", prefix=""):
    """Name -> array for every array or number in a tree whose dtype is of these kinds: f real, c complex, i and u
    integer, b boolean. Raises ValueError where two have one name, such as {"a.b": …, "a": {"b": …}}."""
    arrays = {}
    for path, value in leaves(tree, prefix):
        if isinstance(value, int | float | complex | np.generic):
            value = np.asarray(value)
        if isinstance(value, np.ndarray) and value.dtype.kind in kinds:
            if path in arrays:
                raise ValueError(f"two arrays have the name {path}: rename one")
            arrays[path] = value
    return arrays


def leaves(tree, prefix=""):
    """(name, value) of everything in a tree that holds nothing further."""
    for name, value in children(tree):
        if children(value):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def nodes(tree, prefix=""):
    """(name, value) of everything in a tree, be it a leaf or hold more."""
    for name, value in children(tree):
        yield f"{prefix}{name}", value
        yield from nodes(value, f"{prefix}{name}.")


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
        return with_fields(tree, replaced)
    return type(tree)(*replaced) if hasattr(tree, "_fields") else type(tree)(replaced)


def with_fields(record, values):
    """A copy of a dataclass's instance with other values in its fields, be it frozen or not."""
    changed = copy.copy(record)
    for field, value in zip(dataclasses.fields(record), values, strict=True):
        object.__setattr__(changed, field.name, value)
    return changed


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
