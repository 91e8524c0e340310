"""Arrays in nested dicts, lists, tuples, named records and dataclasses, named "parameters.W_h", "state.0.c", …"""

import dataclasses

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
