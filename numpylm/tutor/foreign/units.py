"""A Unit: a forward and its backward, as programs for the child, made from what is known of their names."""

import re
from difflib import get_close_matches
from typing import NamedTuple

from numpylm.tutor.foreign.arguments import Arguments
from numpylm.tutor.foreign.conventions import cell_of, plain, role_of, roles_of, word_of
from numpylm.tutor.foreign.forms import (
    cells_of,
    convention_of,
    for_all_gradients,
    for_all_steps,
    form_of,
    forms_of,
    given_on,
    goes_one_back,
    is_by_step,
    made_between,
)
from numpylm.tutor.foreign.objects import HELD, by_shape
from numpylm.tutor.foreign.scopes import Unknown, called, is_weight, required
from numpylm.tutor.process.sizes import SIZES

BOOK = ({"wx", "wh", "b", "x"}, {"wx", "wh", "b", "xs"})  # "Deep Learning from Scratch 2" (S. Goto, 2018)


class Unit(NamedTuple):
    """A forward and its backward, as programs for the child.

    cells and forms ("step", "sequence", "loss", "free") are those that it may have, the likeliest first. roles: slot ->
    role, of everything that the forward is given; None for an array that is only differentiated. shapes: of those slots
    that have one in the file. forward and backward are steps (runner.py) whose slots are these, "inputs" and "targets",
    and incoming: the gradients that come in. outputs: where the forward's values are, and named: what these are called.
    sizes: of what the check makes; again, a function, yields other Units for a backward that is not judged by this one.
    kept: slots of the states that the object keeps. unmade: why its constructor was not called. is_equal: whether all
    sizes are equal; keeps, whether the backward writes into what outlives it.
    texts name what the backward returns. places: slot -> path of a weight; snapshot: the path of an object that may
    hold gradients. free: for a layer, alternatives of slot -> shape. is_usual: whether its names are those of a course.
    """

    name: str
    forward_name: str
    convention: str
    cells: tuple
    forms: tuple
    roles: dict
    forward: list
    backward: list | None
    shapes: dict = {}  # noqa: RUF012 - never changed
    incoming: tuple = ()
    outputs: list = [["made"]]  # noqa: RUF012 - never changed
    named: tuple = ()
    texts: tuple = ()
    places: dict = {}  # noqa: RUF012 - never changed
    snapshot: tuple = ()
    free: tuple = ()
    is_usual: bool = False
    sizes: dict = SIZES
    again: object = None
    kept: tuple = ()
    unmade: str = ""
    is_equal: bool = False
    keeps: bool = False

    @property
    def program(self):
        """The steps of the forward and the backward."""
        return [*self.forward, *(self.backward or [])]

    @property
    def gradients(self):
        """The gradients of states that come in: that of h before that of c. dy alone is that of h."""
        states = [name for name in in_order(self.incoming) if rank(name) < 2]
        return states or list(self.incoming[:1])

    @property
    def is_of_book(self):
        """Whether its object is made from weights, and all that is given has the names of a well-known book."""
        return not self.places and {plain(slot) for slot in self.roles} - {"hprev", "cprev"} in BOOK

    def is_given(self, slot, steps=None):
        """Whether some steps, or all, use a slot."""
        return f"'slot': '{slot}'" in str(self.program if steps is None else steps)


def rank(name):
    """0 for the gradient of h, 1 for that of c, 2 for that of an output."""
    key = plain(name)
    if re.fullmatch("(d[jlce])?d(z|y|logits)(t|hat|pred)*", key):
        return 2
    return int(key.startswith(("dc", "dnextc", "topdiffs")) or key.endswith("c") or key.endswith("ds"))


def in_order(incoming):
    """The gradients that come in: that of h before that of c, and those of outputs last."""
    return sorted(incoming, key=rank)


def unit_of(scope, forward, backward, usual, all_states=False):
    """The Unit of a forward and a backward, one of which may be None. Raises Unknown."""
    both = [scope.functions[name] for name in (forward, backward) if name]
    inside = {name for first in (forward, backward) if first for name in (first, *called(scope.functions, first))}
    every = [function for name, function in scope.functions.items() if name in inside]
    form = form_of(scope, forward, backward, usual)
    if form == "layer":
        return layer_unit(scope, forward, backward)
    names = [n for f in both for n in required(f)] + [n for f in every for n in (*f["keys"], *f["reads"])]
    names += [n for f in every for parts in f["unpacks"].values() for n in parts]
    cell = usual[1] if usual else cell_of(f"{scope.name} {backward}", [*names, *scope.roles, *scope.given])
    arguments = Arguments(scope.functions, cell, form, used_weights(scope, both, names, cell), all_states)
    arguments.weights = {"from": ["weights"]} if scope.make and not scope.holder else None
    places = {n: scope.places[n] for n in arguments.roles if n in scope.places}
    arguments.objects = {plain(path[0]): path[0] for path in places.values() if len(path) > 1 and not scope.make}
    arguments.missing(every)
    places |= {n: [n] for n in arguments.globals if n in arguments.roles}  # weights that the file lacks
    if form == "loss" and forward:
        arguments.roles.setdefault("inputs", "x")
    unit = assembled(scope, forward, backward, arguments, places)
    forms = ("sequence",) if form == "state" and is_by_step(scope, forward, backward) else forms_of(form, unit.roles)
    return unit._replace(
        convention=convention_of(scope, both, form, usual), cells=cells_of(cell, unit.roles, usual), forms=forms,
        is_usual=usual is not None,
    )  # fmt: skip


def assembled(scope, forward, backward, arguments, places=()):
    """A Unit of what is known of the names."""
    first, second = calls(scope, arguments, forward, backward)
    sets = [{"set": path, "value": {"slot": n}} for n, path in dict(places).items()]
    sums = {n: [*path[:-1], "d"] for n, path in dict(places).items() if path[-1] == "v"}  # beside the value, for ever
    made = {n for f in scope.functions.values() for n in f["makes"]} if scope.holder == ["object"] else ()
    sums |= {n: ["object", d] for n in dict(places) for d in (f"d{n}", f"d_{n}", f"grad_{n}") if d in made}
    sets += [{"set": path, "value": {"zeros": n}} for n, path in sums.items()]
    sets += [{"set": [n], "value": value} for n, value in arguments.globals.items()]
    is_bare = arguments.all_states and "h_prev" not in arguments.roles.values()
    kept = scope.states if is_bare and scope.holder == ["object"] else {}
    arguments.roles |= kept
    sets += [{"set": scope.places[n], "value": {"slot": n}} for n in kept]
    named, incoming = tuple(scope.functions[forward]["names"]) if forward else (), tuple(arguments.incoming)
    inside = (backward, *called(scope.functions, backward)) if backward else ()
    is_object = scope.holder == ["object"]
    in_object = forward and is_object and len(named) < sum(rank(n) < 2 for n in incoming)  # c may be there alone
    outputs = [["made"] if forward else ["returned"]] if named or not (forward and is_object) else []
    outputs += [["object", "__dict__"]] if in_object or not outputs else []
    roots = [path[0] for path in dict(places).values() if len(path) > 1]
    return Unit(
        backward or forward, f"{scope.name}.{forward or backward}".removeprefix("."), "", (), (), arguments.roles,
        [*scope.make, *sets, *(first or second)], second if forward and backward else [] if backward else None,
        {n: scope.shapes[n] for n in (*places, *kept) if n in scope.shapes}, incoming, outputs, named,
        tuple(scope.functions[backward]["returns"]) if backward else (), dict(places),
        ("object", "__dict__") if is_object else tuple(roots[:1]), sizes=scope.sizes, kept=tuple(kept),
        keeps=any(scope.functions[n]["keeps"] for n in inside),
    )  # fmt: skip


def calls(scope, arguments, forward, backward):
    """(steps that call the forward, steps that call the backward)."""
    first = second = []
    by_step = is_by_step(scope, forward, backward)
    if forward:
        names = scope.functions[forward]["names"]
        known = roles_of(required(scope.functions[forward]), arguments.cell)
        passed = {n: path for n, path in given_on(scope, "__init__", forward).items() if not (known[n] or word_of(n))}
        first = [{"call": [*scope.holder, forward], "to": "made"} | arguments.of(scope.functions[forward], passed)]
        inner = [text.removesuffix(".copy()") for text in names]
        inner = [re.sub(r"^[\w.]+\((\w+)\)$", r"\1", text) for text in inner]  # np.array(y_seq) is y_seq
        paths = [["made", k] if len(names) > 1 else ["made"] for k in range(len(names))] or [["made"]]
        earlier = dict(zip(map(plain, inner), paths, strict=False))
        single = {n[:-1]: path for n, path in earlier.items() if n[-1:] == "s" and not word_of(n[:-1]).endswith("s")}
        taken = {*earlier, *map(plain, required(scope.functions[forward]))}
        single = {n: path for n, path in single.items() if n not in taken}  # h of each step is in hs
        first = for_all_steps(first[0], arguments.roles, inner) if by_step else first
        is_inside = backward and forward in called(scope.functions, backward)  # which is then not given its values
        earlier = {} if is_inside else earlier | single
        arguments.earlier, arguments.returned = {"cache": paths[-1]} | earlier, list(map(plain, inner))
    if backward:
        passed = given_on(scope, forward, backward) if forward else {}
        names = [*(made_between(scope, forward, backward) if forward else ()), backward]
        second = [{"call": [*scope.holder, name]} | arguments.of(scope.functions[name], passed) for name in names]
        if by_step and goes_one_back(scope, forward, backward):
            second = [*second[:-1], *for_all_gradients(second[-1], arguments.incoming)]
    return first, second


def used_weights(scope, functions, names, cell):
    """Slot -> role of the weights that an object has, or that the functions read among the file's arrays."""
    if scope.holder:
        return scope.roles | (scope.given if cell != "gru" else roles_of(scope.given, cell))
    if "parameters" in [role_of(n) for f in functions for n in required(f)] and not scope.make:
        return {}
    given = {n for function in functions for n in required(function)}
    found = roles_of([n for n in scope.places if n in names], cell)
    found = {n: "b_y" if role == "c_prev" else role for n, role in found.items()}
    kept = {n: role for n, role in found.items() if is_weight(role) or not (role or HELD.match(n) or n in given)}
    return by_shape(kept, scope.shapes)


def layer_unit(scope, forward, backward):
    """The unit of a layer without time, made from or given a weight and a bias, or neither: y = f(x), or a loss."""
    x, *others = required(scope.functions[forward])
    is_loss = [word_of(n) for n in others] == ["targets"]
    tokens = [{x: (*N, 6), others[0]: ("tokens", 6, *N)} for N in ((2,), (2, 4))] if is_loss else []
    shapes = tokens or layer_shapes(x, [*scope.given, *others])
    unit = free_unit(scope, forward, backward, shapes)
    if len(unit.incoming) > 1:
        raise Unknown(f"the check does not know what to give {backward}({', '.join(unit.incoming)})")
    texts = (f"d{x}",) if scope.holder else unit.texts
    return unit._replace(convention="classes" if scope.holder else "cs231n", is_usual=False, texts=texts)


def layer_shapes(x, weights):
    """The shapes that a layer may take: x (N, D), (T, N, D), or tokens; W (D, H), b (H,)."""
    shapes = {n: (3, 5) if plain(n) == "w" else (5,) for n in weights}
    tables = dict.fromkeys(weights, (6, 5))
    return {x: (2, 3)} | shapes, {x: (4, 2, 3)} | shapes, {x: ("tokens", 6, 4, 2)} | tables


def free_unit(scope, forward, backward, alternatives):
    """The unit of any forward and backward, with one or more sets of shapes for the forward's parameters.

    Raises ValueError for names that are not there.
    """
    for name in (forward, backward):
        if name not in scope.functions:
            close = get_close_matches(name, scope.functions, 1)
            raise ValueError(f"there is no function {name} in the file{f'; did you mean {close[0]}?' if close else ''}")
    names = required(scope.functions[forward])
    missing = [name for name in names if name not in alternatives[0]]
    if missing:
        known = " ".join(f"{name}=3,4" for name in names)
        raise ValueError(f'--shapes must give {", ".join(missing)}, the parameters of {forward}: --shapes "{known}"')
    arguments = Arguments(scope.functions, "", "free", dict.fromkeys(names, "x") | dict.fromkeys(scope.given))
    unit = assembled(scope, forward, backward, arguments)
    how = {"convention": "named by you", "cells": ("rnn",), "forms": ("free",), "is_usual": True}
    return unit._replace(**how, free=tuple(alternatives))


def script_unit(scope, name, weights):
    """The unit of a loop of the top level: its gradients are the steps of its weights, and its data are its own."""
    arguments = Arguments(scope.functions, "", "free", dict.fromkeys(weights, "W"))
    arguments.missing([scope.functions[name]])
    places = {n: scope.places[n] for n in weights if n in scope.places}
    unit = assembled(scope, None, name, arguments, places)
    return unit._replace(convention="min-char-rnn", cells=("rnn",), forms=("free",), free=(unit.shapes,))
