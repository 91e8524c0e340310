"""Arrays in nested dicts, lists, tuples and records, under names such as "parameters.W_h" and "state.0.c"."""

import numpy as np


def arrays_of(tree, kinds="f", prefix=""):
    """Name -> array for every array in a tree whose dtype is of these kinds: f real, c complex, i and u integer."""
    arrays = {}
    for name, value in children(tree):
        path = f"{prefix}{name}"
        if isinstance(value, float | complex | np.inexact):
            value = np.asarray(value)
        if isinstance(value, np.ndarray):
            if value.dtype.kind in kinds:
                arrays[path] = value
        else:
            arrays.update(arrays_of(value, kinds, f"{path}."))
    return arrays


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
    return type(tree)(*replaced) if hasattr(tree, "_fields") else type(tree)(replaced)


def children(tree):
    """(name, value) of what a dict, a record, a list or a tuple holds; nothing for anything else."""
    if isinstance(tree, dict):
        return [(str(name), value) for name, value in tree.items()]
    if hasattr(tree, "_fields"):
        return list(zip(tree._fields, tree, strict=True))
    if isinstance(tree, list | tuple):
        return [(str(k), value) for k, value in enumerate(tree)]
    return []
