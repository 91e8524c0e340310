"""Binds a function's parameters to the symbols of a problem, and says which symbol an unknown name likely meant."""

import difflib

import numpy as np

from numpylm.tutor.conventions import plain, role_of
from numpylm.tutor.stop import Stop

BY_PLACE = ("POSITIONAL_ONLY", "VAR_POSITIONAL")


def parameter_names(function, documented=()):
    """The parameters' names, as far as a function can be asked for them; the documented ones of f(*args)."""
    known = function["parameters"] or []
    names = [name for name, kind, _ in known if kind not in ("VAR_POSITIONAL", "VAR_KEYWORD")]
    return names or (list(documented) if any(kind == "VAR_POSITIONAL" for _, kind, _ in known) else [])


def bind(assignment, function, symbols):
    """Parameter's name -> the symbol that it is given. Raises Stop for parameters that are no symbols."""
    names = parameter_names(function, assignment.parameters)
    optional = {name for name, _, has_default in function["parameters"] if has_default}
    required = [name for name in names if name not in optional]
    if len(symbols) == len(required) == 1:  # a function of one argument may call it anything
        return {required[0]: next(iter(symbols))}
    unknown = [name for name in required if name not in symbols]
    if unknown:
        raise Stop("not checked", unknown_sentence(assignment, names, unknown, symbols), unknown=unknown)
    return {name: name for name in names if name in symbols}


def call_step(name, function, values, to="returned"):
    """The child's step that calls a function with values by its parameters' names, or by place where it must be."""
    kinds = {known: kind for known, kind, _ in function["parameters"] or []}
    takes_all = "VAR_POSITIONAL" in kinds.values()
    placed = [n for n in values if kinds.get(n, "VAR_POSITIONAL" if takes_all else "") in BY_PLACE]
    named = {n: value for n, value in values.items() if n not in placed}
    return {"call": [name], "args": [values[n] for n in placed], "kwargs": named, "to": to}


def unknown_sentence(assignment, names, unknown, symbols):
    """What to say of parameters that are no symbols of the problem."""
    several = len(unknown) > 1
    quoted = ", ".join(f"`{name}`" for name in unknown)
    which = f"parameters {quoted}, which are no symbols" if several else f"a parameter {quoted}, which is no symbol"
    meant = suggestions(assignment.parameters, names, unknown)
    asks = f": did you mean {', '.join(meant)}" + "?" if meant else ""
    known = ", ".join(shaped(name, symbols[name]) for name in assignment.parameters if name in symbols)
    return f"it has {which} of this problem{asks or '.'} The check calls a function by its parameters' names: {known}"


def suggestions(documented, names, unknown):
    """For each unknown name the documented one that was likely meant; nothing where one of them is like none."""
    free = [name for name in documented if name not in names]
    meant = []
    for name in unknown:
        found = [known for known in free if plain(known) == plain(name)]
        found = found or [known for known in free if role_of(known) == role_of(name) is not None]
        found = found or difflib.get_close_matches(name, free, 1, 0.6)
        found = found or ([documented[names.index(name)]] if len(names) == len(documented) else [])
        if not found or found[0] in meant:
            return []
        meant.append(found[0])
        free = [known for known in free if known != found[0]]
    return meant


def shaped(name, value):
    """A symbol with its shape, or its word."""
    if isinstance(value, str):
        return f"{name}={value!r}"
    return f"{name} {value.shape}" if isinstance(value, np.ndarray) else name
