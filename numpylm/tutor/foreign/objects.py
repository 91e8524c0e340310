"""Objects of other code: how a class is made, with what arguments, and the weights and states that it holds."""

import contextlib
import re

import numpy as np

from numpylm.tutor.foreign.constructors import construct, value_for
from numpylm.tutor.foreign.conventions import global_for, roles_of, word_of
from numpylm.tutor.foreign.scopes import Scope, Unknown, arrays_in, is_weight, required, size_slots
from numpylm.tutor.process.sizes import SIZES, size_of
from numpylm.tutor.process.stop import Stop

ZEROS = re.compile(r"^_*(reset|zero|init|initiali[sz]e|clear)_?(the_)?grad", re.IGNORECASE)  # methods that run first
HELD = re.compile(r"[dm]_?[Wb]|[dgm]$|grad|diff")  # gradients and means that are kept beside weights
STARTS = re.compile(r"^_*(init|initiali[sz]e|build|compile|create|reset|new|setup|weights?_init)", re.IGNORECASE)


def with_made_weights(scope, contents, child):
    """The scope of a file whose weights one of its functions makes from sizes. Raises Unknown without such a one."""
    for name in [name for name in scope.functions if STARTS.search(name)]:
        with contextlib.suppress(Unknown):
            values = {n: value_for(contents, "", n, [], {}) for n in required(scope.functions[name])}
            make = [{"call": [name], "kwargs": values, "to": "weights"}]
            held = contents_of(child, make, ["weights"], scope.sizes)
            keys = list(held) if isinstance(held, dict) else list(range(len(held)))
            taken = [names for function in scope.functions.values() for names in function["unpacks"].values()]
            names = keys if isinstance(held, dict) else next((n for n in taken if len(n) == len(held)), [])
            shapes = {name: np.shape(held[key]) for name, key in zip(names, keys, strict=False)}
            are_arrays = all(isinstance(held[key], np.ndarray) for key in keys)
            if len(shapes) > 2 and are_arrays and all(isinstance(name, str) for name in names):
                places = {name: ["weights", key] for name, key in zip(names, keys, strict=True)}
                return scope._replace(make=make, places=places, shapes=shapes)
    raise Unknown("no function of the file makes its weights from sizes alone")


def class_scope(contents, kind, child, cell, sizes=SIZES):
    """An object of a class. Raises Unknown for one that cannot be made."""
    methods = contents["classes"][kind]
    steps, given = [], {}
    construct(contents, kind, "object", steps, given)
    named = {n: values["slot"] for n, values in steps[-1]["kwargs"].items() if str(values).startswith("{'slot': 'size")}
    lacking = {n: global_for(n) for method in methods.values() for n in method["missing"]}
    lacking |= {n: {"slot": slot} for n, slot in named.items()}  # globals of the same name
    steps[:0] = [{"set": [n], "value": value} for n, value in lacking.items() if value is not None]
    scope = Scope(kind, methods, steps, ["object"], given, {}, {}, {}, sizes)
    if given:
        with_calls(child, scope, filter(ZEROS.match, methods))
        return scope
    held = attributes_of(child, scope)
    steps += [{"set": ["object", n], "value": 1.0} for n, value in held.items() if is_rate(n, value)]
    if not weights_in(arrays_of(held, methods), cell):
        held = with_steps(child, scope, later_steps(contents, kind, held)) or held
    # such as reset(), which makes the state before the first step
    lacks = [n for n, f in methods.items() if STARTS.search(n) and {*f["makes"]} - held.keys() and n != "__init__"]
    lacks += [n for n in methods if ZEROS.match(n) and n not in lacks]
    held = with_calls(child, scope, lacks) or held
    found = arrays_of(held, methods)
    shapes = {n: array.shape for n, (_, array) in found.items()}
    roles = by_shape(weights_in(found, cell), shapes)
    places = {n: path for n, (path, _) in found.items()}
    states = states_in(found, roles, cell, sizes["H"])
    return scope._replace(places=places, shapes=shapes, roles=roles, states=states)


def with_steps(child, scope, steps):
    """Append those of some steps that do not fail to the steps that make an object; its attributes then, or None."""
    held = None
    for step in steps:
        with contextlib.suppress(Unknown):
            held = attributes_of(child, scope._replace(make=[*scope.make, step]))
            scope.make.append(step)
    return held


def with_calls(child, scope, names):
    """The same for calls of those of some methods that need no argument."""
    names = [name for name in names if not required(scope.functions[name])]
    return with_steps(child, scope, [{"call": ["object", name], "to": "nothing"} for name in names])


def is_rate(name, value):
    """Whether an attribute is a learning rate."""
    return word_of(name) == "rate" and isinstance(value, float)


def states_in(found, weights, cell, H):
    """Name -> role of the states that an object keeps: arrays of H entries, known by name. Only an LSTM has c."""
    sized = [n for n, (path, array) in found.items() if n not in weights and len(path) == 2 and array.size == H]
    states = ("h_prev", "c_prev") if cell == "lstm" else ("h_prev",)
    return {n: role for n, role in roles_of(sized, cell).items() if role in states}


def with_empty_states(scope, child, cell):
    """The scope whose states are those that the constructor left None. Raises Unknown without such."""
    empty = {n: np.zeros(1) for n, value in attributes_of(child, scope).items() if value is None}
    states = states_in({n: (["object", n], array) for n, array in empty.items()}, {}, cell, 1)
    if not states:
        raise Unknown("the constructor leaves no state None")
    return scope._replace(states=states, places=scope.places | {n: ["object", n] for n in states})


def unmade_scope(contents, kind):
    """An object whose constructor was not called: its methods may be functions of their arguments alone."""
    make = [{"call": [kind, "__new__"], "args": [{"from": [kind]}], "to": "object"}]
    return Scope(kind, contents["classes"][kind], make, ["object"], {}, {}, {}, {})


def later_steps(contents, kind, held):
    """Steps that make the weights of an object that its constructor has left without any: its sizes, and a call."""
    starts = [method for name, method in contents["classes"][kind].items() if STARTS.search(name)]
    names = {*held, *(n for method in starts for n in method["reads"])}
    sizes = {n: size_of(n) for n in names if type(held.get(n)) is int or (held.get(n) is None and len(n) > 2)}
    steps = [{"set": ["object", n], "value": {"slot": f"size {size}"}} for n, size in sizes.items() if size]
    for name, method in contents["classes"][kind].items():
        if STARTS.search(name) and name != "__init__":
            values = dict.fromkeys(required(method))
            for n in values:
                with contextlib.suppress(Unknown):  # it may not use it
                    values[n] = value_for(contents, kind, n, steps, {})
            steps.append({"call": ["object", name], "kwargs": values, "to": "nothing"})
    return steps


def weights_in(found, cell):
    """Name -> role of those arrays that are weights: known by name, or without a known name and not all zeros."""
    roles = roles_of(found, cell)
    if cell and not any(str(r)[0] == "W" for r in roles.values()):  # "weights" may be all of them, or an embedding
        roles = {n: "W" if r == "parameters" else r for n, r in roles.items()}
    if cell != "lstm" and len(roles) > 4:  # c may be the bias beside V
        roles = {n: "b_y" if r == "c_prev" else r for n, r in roles.items()}
    kept = {n: r for n, r in roles.items() if is_weight(r)}
    others = [n for n, r in roles.items() if r is None and found[n][1].any() and not HELD.match(n)]
    told = {r[0] for r in kept.values()}
    if cell and "W" not in told and len(others) == 1 and len({*found[others[0]][1].shape}) == 2:
        kept[others[0]] = "W"  # one oblong matrix, of any name, is for x and h both
    return dict.fromkeys(others) | kept if kept or cell else {}


def by_shape(roles, shapes):
    """The roles; where names give W_h to an oblong matrix, and W_x or W_y to the one square one, the two change."""
    parts = {role: n for n, role in roles.items() if role in ("W_x", "W_h", "W_y")}
    square = [n for n in parts.values() if len(shapes[n]) == 2 and len({*shapes[n]}) == 1]
    if len(square) == 1 and "W_h" in parts and parts["W_h"] not in square:
        return roles | {square[0]: "W_h", parts["W_h"]: roles[square[0]]}
    return roles


def attributes_of(child, scope):
    """The attributes of the object. Raises Unknown where it cannot be made."""
    return contents_of(child, scope.make, ["object", "__dict__"], scope.sizes, scope.name)


def contents_of(child, make, path, sizes, name="it"):
    """The dict or tuple that some steps make. Raises Unknown where they fail, or make something else."""
    try:
        reply = child.ask({"steps": make, "inputs": size_slots(sizes), "outputs": [path]})
    except Stop as stop:
        raise Unknown(f"{name} cannot be made: {stop.finding['sentences'][0]}") from stop
    (held,) = reply.get("outputs") or [None]
    if "error" in reply or not isinstance(held, dict | tuple | list):
        raise Unknown(f"{name} cannot be made: {reply.get('error', {}).get('text', '')}")
    return held


def arrays_of(held, methods):
    """Name -> (path, array) of the real arrays in an object; the parts of a list as a method takes it apart."""
    taken = [pair for method in methods.values() for pair in method["unpacks"].items()]
    found = {}
    for path, array in arrays_in(held, ("object",), 3):
        *_, parent, name = path
        if isinstance(name, int):  # the place in a list
            parts = [names for text, names in taken if text == parent and len(names) == len(held.get(parent, ()))]
            name = parts[0][name] if parts else ""
        if name and isinstance(name, str) and array.size and not any(HELD.match(str(part)) for part in path[1:-1]):
            found.setdefault(name, (list(path), array))
    return found
