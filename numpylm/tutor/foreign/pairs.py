"""Finds, in what a file holds, what looks like a backward, and the forward that belongs to it.

Whatever looks like a backward and is not understood is named with the reason: it is never passed over in silence.
"""

import contextlib
import re
from functools import partial

from numpylm.tutor.foreign.arguments import gradients_in, is_with_targets
from numpylm.tutor.foreign.claims import parts_of
from numpylm.tutor.foreign.conventions import CONVENTIONS, cell_of, plain, role_of, roles_of, word_of
from numpylm.tutor.foreign.objects import class_scope, unmade_scope, with_empty_states, with_made_weights
from numpylm.tutor.foreign.scopes import Unknown, called, file_scope, required
from numpylm.tutor.foreign.units import script_unit, unit_of
from numpylm.tutor.process.sizes import SIZES

BACKWARD = re.compile(
    r"backw[ao]rd|back_?prop|bptt|loss_?fun|backpass|b_?prop|(compute|calc\w*|loss_and)_?grad|top_diff|forward_?back|accumulate_grad|(^|_)bwd",
    re.I,
)
FORWARD = re.compile(r"f[oa]r?wa?r?d|(^|_)fwd|fprop|forprop|^run$|^predict|^__call__$|^encode$|bottom_data", re.I)
NUMERICAL = re.compile(r"numer|(^|_)num(_|$)|check", re.I)  # a gradient by differences
LOSS = re.compile(r"loss|cost|error", re.I)
ALONE = "the check finds no forward of it"
PAIRS = (  # what stands in a backward's name, and in its forward's in that place
    ("backward", "forward"), ("backword", "forward"), ("backprop", "forwardprop"), ("back_prop", "forward_prop"),
    ("bprop", "fprop"), ("b_prop", "f_prop"),
    ("back", "for"), ("Backward", "Forward"), ("backward", "feedforward"), ("grad", "loss"), ("backward", "loss"),
    ("bwd", "fwd"), ("_backward_", ""), ("_backward", ""), ("backward_", ""),
)  # fmt: skip


def find_units(contents, taken, child, convention=None):
    """(units, name -> why it is not checked) of what is not among the names already taken."""
    units, refused, covered = [], {}, set(taken)
    for kind in ("", *contents["classes"]):
        functions = contents["classes"][kind] if kind else file_scope(contents).functions
        pairs = {dotted(kind, pair[1] or pair[0]): pair for pair in pairs_in(functions, kind, convention)}
        pairs = {name: pair for name, pair in pairs.items() if name not in taken}
        try:
            cell = cell_of(kind, [name for function in functions.values() for name in function["reads"]])
            scope = class_scope(contents, kind, child, cell) if kind and pairs else file_scope(contents)
        except Unknown as why:
            refused |= dict.fromkeys(pairs, str(why))
            scope = unmade_scope(contents, kind)
        for name, pair in pairs.items():
            try:
                every = units_of(scope, pair) if kind else file_units(scope, pair, contents, child)
                again = partial(others_of, every, contents, child, scope, cell, pair)
                units.append(every[0]._replace(name=name, again=again, unmade=refused.get(name, "")))
                covered |= {dotted(kind, other) for other in called(functions, pair[1] or pair[0])}
            except Unknown as why:
                refused[name] = str(why)
    if contents["script"] and not units and not refused:
        refused["the loop at the top level"] = "only functions are checked: put its forward and its backward into two"
    return units, {name: why for name, why in refused.items() if name not in covered}


def units_of(scope, pair):
    """The Unit, and one whose optional states are given: this first for a step, where h and c have gradients, or where
    the backward returns theirs."""
    is_lone = not pair[0] and BACKWARD.search(pair[1]) and not goes_forward(scope.functions, pair[1])
    if is_lone and gradients_in(scope.functions[pair[1]]):
        raise Unknown(ALONE)
    if pair[1] and scope.functions[pair[1]]["updates"]:
        return [script_unit(scope, pair[1], scope.functions[pair[1]]["updates"])]
    bare, whole = (unit_of(scope, *pair, all_states=is_whole) for is_whole in (False, True))
    both = [bare] if bare.roles == whole.roles else [bare, whole]
    given = {plain(f"d{n}") for n in whole.roles.keys() - bare.roles.keys()} | {"dhnext"}
    is_step = pair[0] and not any(scope.functions[n]["loops"] for n in (pair[0], *called(scope.functions, pair[0])))
    is_whole = whole.kept or is_step or len(bare.gradients) > 1 or given & {*map(plain, whole.texts)}
    return both[::-1] if is_whole else both


def file_units(scope, pair, contents, child):
    """The same of a file's functions, with weights that the file makes where the check cannot."""
    try:
        return units_of(scope, pair)
    except Unknown as why:
        try:
            return units_of(with_made_weights(scope, contents, child), pair)
        except Unknown:
            raise why from None


def others_of(units, contents, child, scope, cell, pair):
    """Yields more Units after the first: the others; one in which V is of the states and W of the outputs; one of a
    network for numbers in place of vectors; one whose weights the file makes."""
    yield from units[1:]
    exchanged = {"W_h": "W_y", "W_y": "W_h"}
    if {("v", "W_y"), ("w", "W_h")} <= {(plain(slot), role) for slot, role in units[0].roles.items()}:
        yield units[0]._replace(roles={slot: exchanged.get(role, role) for slot, role in units[0].roles.items()})
    if scope.holder == ["object"] and not scope.states:
        with contextlib.suppress(Unknown):
            yield unit_of(with_empty_states(scope, child, cell), *pair, all_states=True)
    small = SIZES | {"D": 1, "V": 1}
    with contextlib.suppress(Unknown):
        if "'size V'" in str(scope.make):
            yield unit_of(class_scope(contents, scope.name, child, cell, small), *pair)
        elif not scope.name:
            first = unit_of(scope._replace(sizes=small), *pair)
            yield from [first] if first.forms == ("loss",) and not first.shapes else []
            yield unit_of(with_made_weights(scope, contents, child), *pair)
    if pair[0] and pair[1] and is_certain(scope.functions[pair[1]]):
        with contextlib.suppress(Unknown):
            equal = SIZES | dict.fromkeys("DV", SIZES["H"])
            scope = class_scope(contents, scope.name, child, cell, equal) if scope.name else scope
            yield unit_of(scope, *pair)._replace(sizes=equal, is_equal=True)


def is_certain(backward):
    """Whether a backward is given gradients and a cache alone: then no argument of it is a guess."""
    coming = gradients_in(backward)
    return all(n in coming or word_of(n) == "cache" for n in required(backward))


def dotted(kind, name):
    """A method's full name; a function's own."""
    return f"{kind}.{name}" if kind else name


def pairs_in(functions, kind, convention=None):
    """(forward or None, backward or None, (convention, cell, form) or None) of all that looks like a backward."""
    found = {} if kind else usual_pairs(functions, convention)
    for name, function in functions.items():
        is_new = name not in found and not NUMERICAL.search(name)
        if is_new and looks(name, function) and (function["parameters"] or function["is_step"] or kind):
            found[name] = None if goes_forward(functions, name) else forward_of(functions, name), name, None
    makes = [n for n, f in functions.items() if f["gradients"] > 2 and (kind or not gradients_in(f))]
    makes = [n for n in makes if n not in found and not NUMERICAL.search(n)]
    others = [n for n in makes if "grad" not in "".join(required(functions[n]))]
    known = {n for pair in found.values() for n in pair[:2] if n}
    known |= {n for first in known for n in called(functions, first)}
    found |= {n: (forward_by_values(functions, n), n, None) for n in others
              if n not in known and not known & called(functions, n)}  # fmt: skip
    if kind and not found:
        found = {n: (None, n, None) for n in functions if re.fullmatch(r"train_?step|fit_?step|train_on\w*", n)}
    inside = {n for forward, backward, _ in found.values() if backward for n in (forward, *called(functions, backward))}
    return [pair for name, pair in found.items() if pair[1] or name not in inside]


def looks(name, function):
    """Whether a function looks like a backward, by its name or by what it returns."""
    gradients = gradients_of(function)
    is_told = len(gradients) > 1 or re.search(r"grad|^g$", "".join(gradients))
    return function["is_step"] or BACKWARD.search(name) or (returns_loss(function) and is_told)


def returns_loss(function):
    """Whether the first value that a function returns is a loss, by its name."""
    return bool(LOSS.search(re.split(r"\W", "".join(function["returns"][:1]).removeprefix("self."))[0]))


def gradients_of(function):
    """The names of gradients that a function returns."""
    return [text for text in function["returns"] if re.match(r"d|grad|g$", plain(text))]


def goes_forward(functions, name):
    """Whether a backward goes forward itself, as lossFun does."""
    words = [word_of(n) or role_of(n) or "?" for n in required(functions[name])]
    forward = forward_of(functions, name)
    is_apart = forward and forward not in called(functions, name) and name not in called(functions, forward)
    if is_apart and keeps_for(functions[forward], functions[name]):
        return False
    made = functions[forward]["names"] if forward else []
    is_given = any(n in made and role_of(n) not in ("h_prev", "c_prev") for n in required(functions[name]))
    is_loss = returns_loss(functions[name]) and words != ["targets"] and not is_given
    is_whole = is_loss and (gradients_of(functions[name]) or not set(words) & {"cache", "?"})
    return bool(functions[name]["is_step"] or is_whole or re.match("forward_?back", name))


def keeps_for(forward, backward):
    """Whether a forward keeps in its object what the backward reads there."""
    return bool(({*forward["makes"]} & {*backward["reads"]}) - {*backward["makes"]})


def forward_by_values(functions, backward):
    """The forward of a backward of any name that is given what it returns, or a gradient; None for none."""
    forward = forward_of(functions, backward)
    made = functions[forward]["names"] if forward else ()
    return forward if {*made} & {*required(functions[backward])} or gradients_in(functions[backward]) else None


def usual_pairs(functions, convention):
    """Name -> pair, of the functions of courses, whose names say all."""
    found = {}
    for style in CONVENTIONS if convention is None else [convention]:
        for forward, (backward, cell, form) in CONVENTIONS[style].pairs.items():
            second = backward if backward in functions else None
            if forward in functions and is_usual(functions[forward], functions.get(second)):
                found.setdefault(second or forward, (forward, second, (style, cell, form)))
    return found


def is_usual(forward, backward):
    """Whether a pair of well-known names is called in the usual way: with a cache, and without targets."""
    words = [word_of(n) for n in required(forward)[1:]]
    if backward is not None and not gradients_in(backward):
        words += [word_of(n) for n in required(backward)]
    is_step = backward is not None and is_with_targets(backward)
    is_known = all(role_of(n) or word_of(n)[:4] not in ("", "size") for n in required(forward)) or backward is None
    return "targets" not in words and not is_step and is_known and (backward is None or len(required(backward)) < 4)


def forward_of(functions, backward):
    """The forward of a backward: by its name, by what it calls, or the one that calls most."""
    for old, new in PAIRS:
        name = backward.replace(old, new)
        if old in backward and name in functions and (new or len(required(functions[name])) > 1):  # no activation
            return name
    taken = [names for n, names in functions[backward]["unpacks"].items() if word_of(n) == "cache"]
    made = {n: parts_of("".join(f["returns"][-1:])) for n, f in functions.items() if n != backward}
    made = {n: parts for n, parts in made.items() if len(parts) in map(len, taken)}
    if made:  # the one that makes the cache
        return max(made, key=lambda n: len({*made[n]} & {*taken[0]}))
    inside = [n for n in functions if n in called(functions, backward) and FORWARD.search(n)]
    others = inside or [n for n in functions if FORWARD.search(n) and not BACKWARD.search(n)]
    others = others or [n for n in functions if n != backward and is_step(functions[n])]
    given = {*required(functions[backward])}  # its values, perhaps
    told = {n: (not n.startswith("predict"), len(given & {*functions[n]["names"]})) for n in others}
    return max(others, key=lambda n: (told[n], len(called(functions, n))), default=None)


def is_step(function):
    """Whether a function is given x and the state before it."""
    return {"x", "h_prev"} <= {*roles_of([name for name, _, _ in function["parameters"] or []], "").values()}
