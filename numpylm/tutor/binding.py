"""Binds a function's parameters to the symbols of a problem, and says which symbol an unknown name likely meant."""

import difflib

import numpy as np

from numpylm.tutor.runner import Waves
from numpylm.tutor.stop import Stop

BY_PLACE = ("POSITIONAL_ONLY", "VAR_POSITIONAL")


def parameter_names(function, documented=()):
    """The parameters' names, as far as a function can be asked for them; the documented ones of f(*args)."""
    known = function["parameters"] or []
    names = [name for name, kind, _ in known if kind not in ("VAR_POSITIONAL", "VAR_KEYWORD")]
    return names or (list(documented) if any(kind == "VAR_POSITIONAL" for _, kind, _ in known) else [])


def call_step(assignment, function, symbols, to="returned"):
    """The child's step that calls a function with symbols by its parameters' names, or by place where it must be.

    Raises Stop for parameters that are no symbols.
    """
    values = {own: as_sent(name, symbols[name]) for own, name in bound(assignment, function, symbols).items()}
    kinds = {name: kind for name, kind, _ in function["parameters"] or []}
    otherwise = "VAR_POSITIONAL" if "VAR_POSITIONAL" in kinds.values() else ""
    placed = [values.pop(name) for name in list(values) if kinds.get(name, otherwise) in BY_PLACE]
    return {"call": [assignment.name], "args": placed, "kwargs": values, "to": to}


def bound(assignment, function, symbols):
    """Parameter's name -> the symbol that it is given. Raises Stop."""
    names = parameter_names(function, assignment.parameters)
    optional = {name for name, _, has_default in function["parameters"] if has_default}
    required = [name for name in names if name not in optional]
    if len(symbols) == len(required) == 1:  # a function of one argument may call it anything
        return {required[0]: next(iter(symbols))}
    unknown = [name for name in required if name not in symbols]
    if unknown:
        quoted = ", ".join(f"`{name}`" for name in unknown)
        meant = ", ".join(suggestions(assignment.parameters, names, unknown))
        known = ", ".join(shaped(name, symbols[name]) for name in assignment.parameters if name in symbols)
        words = f"no symbol of this problem is called {quoted}{f': did you mean {meant}?' if meant else '.'}"
        words += f" The check calls a function by its parameters' names: {known}"
        raise Stop("not checked", words, unknown=unknown)
    return {name: name for name in names if name in symbols}


def as_sent(name, value):
    """How a step names one symbol: an earlier result, the function that is differentiated, or an input."""
    if isinstance(value, dict) and "from" in value:
        return value
    return {"waves": "x"} if isinstance(value, Waves) else {"slot": name}


def inputs_of(symbols):
    """What the child gets: everything but functions and earlier results."""
    return {name: value for name, value in symbols.items() if "slot" in as_sent(name, value)}


def suggestions(documented, names, unknown):
    """For each unknown name the documented one that was likely meant; nothing where one of them is like none."""
    meant = []
    for name in unknown:
        free = [known for known in documented if known not in (*names, *meant)]
        alike = difflib.get_close_matches(name, free, 1, 0.6)
        alike += [documented[names.index(name)]] if len(names) == len(documented) else []
        if not alike or alike[0] in meant:
            return []
        meant.append(alike[0])
    return meant


def shaped(name, value):
    """A symbol with its shape, or its word."""
    if isinstance(value, str):
        return f"{name}={value!r}"
    return f"{name} {value.shape}" if isinstance(value, np.ndarray) else name
