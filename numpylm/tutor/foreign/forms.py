"""What a backward is, by the names of its parameters: a step, a sequence, a loss or a layer; of which cell and
convention; and what the file itself gives it."""

import re

from numpylm.tutor.foreign.arguments import STATE, gradients_in, is_with_targets
from numpylm.tutor.foreign.conventions import plain, role_of, roles_of, word_of
from numpylm.tutor.foreign.scopes import called, required
from numpylm.tutor.process.sizes import SIZES


def convention_of(scope, functions, form, usual):
    """The convention that the report names."""
    if "parameters" in [role_of(n) for n in required(functions[0])]:
        return "coursera"
    return usual[0] if usual else "classes" if scope.holder else "min-char-rnn" if form == "loss" else "cs231n"


def cells_of(cell, roles, usual):
    """The cells that a unit may be of, the likeliest first: an RNN's name may be that of any."""
    is_told = usual is not None or (cell and (cell != "rnn" or "W_y" in roles.values()))
    return (cell,) if is_told else tuple(dict.fromkeys([cell or "rnn", "rnn", "lstm", "gru"]))


def forms_of(form, roles):
    """The forms that a unit may have, the likeliest first."""
    if form != "state":
        return (form,)
    return ("step", "sequence") if "h_prev" in roles.values() else ("sequence", "step")


def form_of(scope, forward, backward, usual):
    """Whether the backward is given targets ("loss"), or gradients of states ("state"), or has no time ("layer")."""
    if usual:
        return usual[2]
    first, second = scope.functions.get(forward), scope.functions[backward or forward]
    made = [plain(text) for text in first["names"]] if first else []
    coming = [n for n in gradients_in(second) if plain(n) not in made]
    between = made_between(scope, forward, backward) if first and backward else []
    if first and (is_with_targets(second) or (any(map(STATE.match, coming)) and takes_targets(scope, between))):
        return "loss"
    weights = {str(role).partition(":")[0] for role in (*scope.given.values(), *scope.roles.values())}
    others = [plain(n) for n in (*scope.given, *required(first)[1:])] if first and required(first) else ["?"]
    is_layer = bool(others) if scope.holder != ["object"] else not weights & {"W_h", "W_x", "W"}
    is_layer &= not (first and first["loops"] and second["goes_back"])  # through time
    if first and set(others) <= {"w", "b"} and coming and (is_layer or scope.given):
        return "layer"
    if first and scope.holder == ["object"] and is_layer and len(required(first)) == 2 and not required(second):
        return "layer"
    if not coming or not first:
        return "loss"
    states = [n for n in required(first) if role_of(n) in ("h_prev", "c_prev", "states")]
    states += [n for n in map(plain, first["names"]) if STATE.match(coming[0]) and n == plain(coming[0])[1:]]
    states = [] if re.search(r"(list|seq\w*|s)$", coming[0], re.I) else states  # of all steps
    is_cell = {"W_x", "W_h"} <= weights or {"W"} <= weights <= {"W", "b"}
    has_output = "W_y" in weights or (not is_cell and re.match(r"d_?y|dlogits|d_?out|d_?l_?d_?y", coming[0], re.I))
    return "loss" if has_output and not states and scope.holder == ["object"] and not scope.given else "state"


def is_by_step(scope, forward, backward):
    """Whether a forward takes one step, which its object notes in a list, and the backward goes through all of them."""
    if not forward or not backward:
        return False
    every = [(name, *called(scope.functions, name)) for name in (forward, backward)]
    first, second = ([scope.functions[n] for n in names] for names in every)
    is_step = any(f["appends"] for f in first) and not any(f["loops"] for f in first)
    return is_step and (any(f["goes_back"] for f in second) or goes_one_back(scope, forward, backward))


def goes_one_back(scope, forward, backward):
    """Whether a backward goes through one step a call, from the last to the first, and keeps what it carries."""
    every = [scope.functions[name] for name in (backward, *called(scope.functions, backward))]
    given = {role_of(name) for name in required(scope.functions[forward])}
    is_step = any(f["pops"] for f in every) and not any(f["loops"] for f in every)
    return is_step and len(gradients_in(every[0])) == 1 and not given & {"h_prev", "c_prev", "states"}


def for_all_steps(call, roles, names):
    """The calls of such a forward for T steps, each with the states that it returned before."""
    letters = [re.sub(r"^(next|new|cur(rent)?)", "", plain(name))[:1] for name in names]
    places = {letter: [letters.index(letter)] if len(names) > 1 else [] for letter in letters}

    def at(t, value):
        slot = value.get("slot") if isinstance(value, dict) else None
        role = "x" if slot == "inputs" else roles.get(slot)
        if role == "x":
            return {"slot": slot, "at": t}
        is_state = t and role in ("h_prev", "c_prev") and plain(slot)[:1] in places
        return {"from": [f"step {t - 1}", *places[plain(slot)[:1]]]} if is_state else t if type(value) is int else value

    every = [call | {"args": [at(t, value) for value in call["args"]], "to": f"step {t}"} for t in range(SIZES["T"])]
    every = [step | {"kwargs": {n: at(t, v) for n, v in call["kwargs"].items()}} for t, step in enumerate(every)]
    return [*every, {"call": ["_gathered"], "args": [[{"from": [step["to"]]} for step in every]], "to": "made"}]


def for_all_gradients(call, incoming):
    """The calls of a backward that goes through one step a call, each with the gradient of its step."""

    def at(t, value):
        is_gradient = isinstance(value, dict) and value.get("slot") in incoming
        return value | {"at": t} if is_gradient else t if type(value) is int else value

    steps = reversed(range(SIZES["T"]))
    every = [call | {"args": [at(t, value) for value in call["args"]], "to": f"back {t}"} for t in steps]
    return [*every, {"call": ["_gathered"], "args": [[{"from": [step["to"]]} for step in every[::-1]]]}]


def takes_targets(scope, names):
    """Whether some methods, such as one for the loss, are given the targets."""
    return any(word_of(n) == "targets" for name in names for n in required(scope.functions[name]))


def made_between(scope, forward, backward):
    """The methods that make what a backward reads of its object, and no one before: such as one for the loss."""
    functions = scope.functions
    starts = [step["call"][-1] for step in scope.make if "call" in step]
    before = {n for first in ("__init__", *starts, forward) for n in (first, *called(functions, first))}
    inside = {backward, *called(functions, backward)}
    read = {text for n in inside for text in functions[n]["reads"]}
    known = {text for n in before | inside if n in functions for text in functions[n]["makes"]}
    others = [n for n in functions if n not in before | inside and backward not in called(functions, n)]
    return [n for n in others if required(functions[n]) and (set(functions[n]["makes"]) & read) - known]


def given_on(scope, forward, backward):
    """Parameter -> path of what the forward returned, or of what its object holds, if the file gives that to the
    backward. A parameter whose name says nothing gets the value to which a caller of the forward gives this name."""
    functions, found, names = scope.functions, {}, required(scope.functions[backward])
    unknown = {name: name for name, role in roles_of(names, "").items() if not (role or word_of(name))}
    first = functions.get(forward, {"calls": []})
    held = {n for name in (forward, *called(functions, forward)) if name in functions for n in functions[name]["reads"]}
    for call in (*first["calls"], *functions[backward]["calls"]):
        made = [texts for function, texts in call["made"] if function == forward]
        paths = {f"self.{n}": ["object", n] for n in held}
        paths |= {t: ["made", k] if len(texts) > 1 else ["made"] for texts in made for k, t in enumerate(texts)}
        given = dict(zip(names, call["args"], strict=False)) if call["name"] == backward else unknown
        found |= {n: paths[text] for n, text in given.items() if text in paths and text != "_"}
    return found
