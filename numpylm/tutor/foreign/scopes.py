"""Where forwards and backwards live: among a file's functions and arrays, or in an object that the check makes."""

from typing import NamedTuple

from numpylm.tutor.process.sizes import SIZES

WEIGHTS = ("W_x", "W_h", "W", "W1", "b", "W_y", "b_y")


class Unknown(Exception):
    """A forward or backward that cannot be called; the argument says why."""


class Scope(NamedTuple):
    """name, "" for the file itself; functions, name -> signature; make, the child's steps that make the object; holder,
    the path to what has the functions; given, slot -> role of weights that the constructor is given; places, name ->
    path of each array, and shapes; roles, of those that are weights; sizes, of what the constructor is given; states,
    name -> role of those that the object keeps."""

    name: str
    functions: dict
    make: list
    holder: list
    given: dict
    places: dict
    shapes: dict
    roles: dict
    sizes: dict = SIZES
    states: dict = {}  # noqa: RUF012 - never changed


def file_scope(contents):
    """The functions of the file itself, and its global arrays."""
    own = {name: f for name, f in contents["functions"].items() if f["own"] and f["kind"] == "function"}
    arrays = contents["arrays"].items()
    places, shapes = {n: list(path) for n, (path, _) in arrays}, {n: tuple(shape) for n, (_, shape) in arrays}
    return Scope("", own, [], [], {}, places, shapes, {})


def called(functions, name, seen=None):
    """The names of all functions of a scope that one calls, directly or not."""
    seen = set() if seen is None else seen
    for other in functions[name]["reads"] if name in functions else []:
        if other in functions and other not in seen:
            seen.add(other)
            called(functions, other, seen)
    return seen


def is_weight(role):
    """Whether a role is that of a weight."""
    return bool(role) and role.partition(":")[0] in WEIGHTS


def required(function):
    """The names of a function's parameters without a default."""
    known = function["parameters"] or []
    return [name for name, kind, has_default in known if not has_default and not kind.startswith("VAR")]


def size_slots(sizes):
    """Slot -> number, of the sizes of what the check makes."""
    return {f"size {letter}": size for letter, size in sizes.items()}


def arrays_in(value, path, depth):
    """(path, array) of the real arrays in a tree of dicts, lists and records, so many levels deep."""
    if getattr(value, "dtype", None) is not None and value.dtype.kind == "f" and value.ndim:
        yield path, value
    elif isinstance(value, dict | list | tuple) and depth:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from arrays_in(item, (*path, key), depth - 1)
