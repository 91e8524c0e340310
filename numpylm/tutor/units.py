"""Finds, in what a file holds, the forwards and backwards of other conventions, and how to call them: a list of Units.

Whatever looks like a backward and is not understood is named with the reason: it is never passed over in silence.
"""

import re
from difflib import get_close_matches

from numpylm.tutor.binding import call_step
from numpylm.tutor.conventions import CONVENTIONS, plain, role_of, roles_of
from numpylm.tutor.unit import Unit

CACHES = {"cache", "caches", "ctx", "saved", "trace"}
CELLS = ("lstm", "gru", "rnn")
SIZES = {  # globals and constructor's parameters that say a size, without capitals and underscores
    "H": "hiddensize hiddendim hiddenunits nhidden numhidden hidden hsize nh na h hiddenlayersize hdim nhid",
    "V": "vocabsize vsize vocab nvocab inputsize inputdim outputsize outputdim worddim ninput noutput numchars nchars "
    "nx ny datadim xdim wordim numinput numoutput nin nout dictsize charsize features",
    "T": "seqlength seqlen sequencelength tsteps timesteps numsteps T maxlen nsteps bptttruncate truncate",
}
SIZE_SLOTS = {"size H": 5, "size V": 6, "size T": 4}
SIZE_OF = {name: size for size, names in SIZES.items() for name in names.split()}


class Unknown(Exception):
    """A forward or backward that cannot be called; the argument says why."""


def cell_of(name, names=()):
    """Which cell a function or class is of, by its name or by the names of its gates."""
    found = next((cell for cell in CELLS if cell in name.lower()), None)
    if found:
        return found
    gates = {role_of(other, "lstm") for other in names}
    return (
        "lstm"
        if {"W:f", "W_x:f"} & gates
        else "gru"
        if {role_of(n, "gru") for n in names} & {"W:r", "W_x:r"}
        else "rnn"
    )


def parameters(function, skip=0):
    """The names of a function's required parameters, without self."""
    known = function["parameters"] or []
    return [name for name, kind, has_default in known if not has_default and kind != "VAR_POSITIONAL"][skip:]


def find_pairs(contents, only=None):
    """(the backward's name, how to make its unit) of every forward and backward of known names."""
    functions = contents["functions"]
    for convention, table in CONVENTIONS.items() if only is None else [(only, CONVENTIONS[only])]:
        for forward, (backward, cell, form) in table.pairs.items():
            if forward in functions and functions[forward]["own"] and backward not in functions:
                yield forward, lambda a=(contents, forward, None, convention, cell, form): pair_unit(*a)
            elif forward in functions and backward in functions and functions[backward]["own"]:
                yield backward, lambda a=(contents, forward, backward, convention, cell, form): pair_unit(*a)


def find_layers(contents):
    """(the backward's name, how to make its unit) of every NAME_forward(x, w, b) with a NAME_backward."""
    for backward, function in contents["functions"].items():
        forward = backward.replace("backward", "forward")
        if "backward" in backward and forward in contents["functions"] and function["own"]:
            x, *weights = parameters(contents["functions"][forward]) or [""]
            if x and {plain(n) for n in weights} <= {"w", "b"}:
                shapes = layer_shapes(x, weights)
                yield (
                    backward,
                    lambda a=(contents, forward, backward, shapes): free_unit(*a)._replace(convention="cs231n"),
                )


def pair_unit(contents, forward, backward, convention, cell, form):
    """The unit of two functions."""
    first, second = contents["functions"][forward], contents["functions"].get(backward)
    names, roles, values = parameters(first), {}, {}
    known = roles_of(names, cell)
    is_columns = "parameters" in known.values()
    for name in names:
        if known[name] == "parameters":
            values[name], inside = entries(contents, first, cell)
            roles |= inside
        elif known[name] is None:
            raise Unknown(f"`{name}` of {forward} is no name that the check knows")
        else:
            values[name], roles[name] = {"slot": name}, known[name]
    call = [call_step(forward, first, values, "made")]
    if second is None:
        return Unit(forward, forward, "coursera" if is_columns else convention, cell, form, roles, call, None)
    has = frozenset({"dc"} if len(incoming(second)) > 1 else ())
    if not incoming(second):
        raise Unknown(f"{backward} has no parameter for the gradient that comes in, such as dh")

    def steps(cache):
        return [call_step(backward, second, backward_values(backward, second, values, cache))]

    steps(["made"])
    return Unit(
        backward, forward, "coursera" if is_columns else convention, cell, form, roles, call, steps,
        texts=tuple(second["returns"]), has=has, is_named=True,
    )  # fmt: skip


def backward_values(name, function, values, cache):
    """Parameter -> value, of a backward: the gradients that come in, its cache, and what the forward was given."""
    given = dict(zip(incoming(function), ({"slot": "dh"}, {"slot": "dc"}), strict=False))
    given |= {n: {"from": cache} for n in parameters(function) if plain(n) in CACHES}
    given |= {n: values[n] for n in parameters(function) if n in values and n not in given}
    missing = [n for n in parameters(function) if n not in given]
    if missing:
        raise Unknown(f"`{missing[0]}` of {name} is no name that the check knows")
    return given


def incoming(function):
    """The parameters of a backward that hold gradients: first that of h, then that of c."""
    found = [n for n in parameters(function) if n.lower().startswith(("d", "grad")) and plain(n) not in CACHES]
    return sorted(found, key=lambda n: bool(re.search(r"c(_|t|$|next)|_c", n.lower().removeprefix("dnext"))))[:2]


def free_unit(contents, forward, backward, alternatives):
    """The unit of any forward and backward, with one or more sets of shapes for the forward's parameters."""
    shapes = alternatives[0]
    for name in (forward, backward):
        if name not in contents["functions"]:
            close = get_close_matches(name, contents["functions"], 1)
            raise ValueError(f"there is no function {name} in the file{f'; did you mean {close[0]}?' if close else ''}")
    first, second = contents["functions"][forward], contents["functions"][backward]
    missing = [name for name in parameters(first) if name not in shapes]
    if missing:
        known = " ".join(f"{name}=3,4" for name in parameters(first))
        raise ValueError(f'--shapes must give {", ".join(missing)}, the parameters of {forward}: --shapes "{known}"')
    values = {name: {"slot": name} for name in parameters(first)}
    caches = [name for name in parameters(second) if plain(name) in CACHES]
    coming = [name for name in parameters(second) if name not in values and name not in caches]
    place = ["made", max(len(first["returns"]) - 1, 0)] if len(first["returns"]) > 1 else ["made"]
    given = {name: {"slot": f"gradient {k}"} for k, name in enumerate(coming)} | {n: {"from": place} for n in caches}
    given |= {name: values[name] for name in parameters(second) if name in values}
    return Unit(
        backward, forward, "named by you", "rnn", "free", dict.fromkeys(values, "x"),
        [call_step(forward, first, values, "made")], lambda cache: [call_step(backward, second, given)],
        texts=tuple(second["returns"]), has=frozenset(coming), sizes=tuple(alternatives),
        cache=tuple(place) if caches else (),
    )  # fmt: skip


def entries(contents, function, cell):
    """(a dict of parameters for the child, its keys' roles) of a function that reads parameters["Wax"] and so on."""
    names = dict.fromkeys(keys_of(contents, function, set()))
    roles = {key: role for key, role in roles_of(names, cell).items() if role}
    if not roles:
        raise Unknown("it reads no entry of its dict of parameters that the check knows")
    return {key: {"slot": key} for key in roles}, roles


def keys_of(contents, function, seen):
    """The keys that a function, and those that it calls, read from dicts."""
    keys = list(function["keys"])
    for name in function["reads"]:
        if name in contents["functions"] and name not in seen:
            seen.add(name)
            keys += keys_of(contents, contents["functions"][name], seen)
    return keys


def find_losses(contents):
    """(name, how to make its unit) of every function that returns a loss and the gradients of globals or parameters."""
    for name, function in contents["functions"].items():
        texts = [plain(text) for text in function["returns"]]
        grads = sum(t.startswith("d") for t in texts) > 1 or any("grad" in t or t.startswith("d") for t in texts[1:])
        first = texts[0] if function["own"] and function["kind"] == "function" and grads else ""
        if "loss" in first or "cost" in first or "error" in first:
            yield name, lambda a=(contents, name, function): loss_unit(*a)


def loss_unit(contents, name, function):
    """The unit of one function that returns (loss, gradients, states)."""
    names = [n for n in function["reads"] if n not in contents["functions"]] + parameters(function)[2:]
    cell = cell_of("", names)
    roles = {n: role for n, role in roles_of(names, cell).items() if role and role not in ("x", "parameters")}
    given = parameters(function)
    if len(given) < 2:
        raise Unknown("it has no two parameters for inputs and targets")
    values = {given[0]: {"slot": "inputs"}, given[1]: {"slot": "targets"}}
    states = iter(("h_prev", "c_prev"))
    for parameter in given[2:]:
        if plain(parameter) in SIZE_OF:
            roles.pop(parameter, None)
            values[parameter] = {"slot": f"size {SIZE_OF[plain(parameter)]}"}
            continue
        role = roles.get(parameter) or next(states, None)
        role = (
            role
            if role not in ("h_prev", "c_prev")
            else ("c_prev" if role_of(parameter, cell) == "c_prev" else "h_prev")
        )
        roles[parameter], values[parameter] = role, {"slot": parameter}
    weights = {n: r for n, r in roles.items() if n not in given}
    steps = [{"set": [n], "value": {"slot": n}} for n in weights]
    sizes = {n: SIZE_OF[plain(n)] for n in function["reads"] if plain(n) in SIZE_OF}
    steps += [{"set": [n], "value": {"slot": f"size {size}"}} for n, size in sizes.items()]
    call = call_step(name, function, values, "made")
    return Unit(
        name, name, "min-char-rnn", cell, "loss", roles, [*steps, call], lambda cache: [call | {"to": "returned"}],
        texts=tuple(function["returns"]), vocabulary=6, sizes=SIZE_SLOTS,
    )  # fmt: skip


def layer_shapes(x, weights):
    """The shapes that a layer may take: x (N, D), (T, N, D), or tokens; W (D, H), b (H,)."""
    shapes = {n: (3, 5) if plain(n) == "w" else (5,) for n in weights}
    tables = dict.fromkeys(weights, (6, 5))
    return {x: (2, 3)} | shapes, {x: (4, 2, 3)} | shapes, {x: ("tokens", 6, 4, 2)} | tables
