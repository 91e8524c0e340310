"""Finds classes whose constructor is given the weights, with a forward and a backward: layers and cells."""

from numpylm.tutor.conventions import plain, roles_of
from numpylm.tutor.unit import Unit
from numpylm.tutor.units import CACHES, Unknown, cell_of, layer_shapes, parameters


def find_classes(contents):
    """(name, how to make its unit) of every class with a forward and a backward."""
    for kind, methods in contents["classes"].items():
        if "forward" in methods and "backward" in methods:
            yield f"{kind}.backward", lambda a=(contents, kind, methods): class_unit(*a)


def layer_unit(kind, methods, made_of):
    """The unit of a layer without time: y = f(x), or x W + b."""
    (x,), coming = parameters(methods["forward"], 1), parameters(methods["backward"], 1)
    if len(coming) != 1:
        raise Unknown(f"the check does not know what to give {kind}.backward({', '.join(coming)})")
    steps = [
        {"call": [kind], "args": [{"slot": n} for n in made_of], "kwargs": {}, "to": "object"},
        {"call": ["object", "forward"], "args": [{"slot": x}], "kwargs": {}, "to": "made"},
    ]
    back = {"call": ["object", "backward"], "args": [{"slot": "gradient 0"}], "kwargs": {}}
    return Unit(
        f"{kind}.backward", f"{kind}.forward", "classes", "rnn", "free", dict.fromkeys([x, *made_of], "x"), steps,
        lambda cache: [back], texts=(f"d{x}",), claims=claims_of(made_of), has=frozenset(coming),
        sizes=layer_shapes(x, made_of),
    )  # fmt: skip


def claims_of(made_of):
    """Where the gradients of an object's weights may be: in a list beside params, in attributes, in a dict."""
    return (
        {n: ["object", "grads", k] for k, n in enumerate(made_of)}, {n: ["object", f"d{n}"] for n in made_of},
        {n: ["object", "grads", n] for n in made_of}, {},
    )  # fmt: skip


def class_unit(contents, kind, methods):
    """The unit of a class that is made from its weights."""
    made_of = parameters(methods["__init__"], 1) if "__init__" in methods else []
    cell = cell_of(kind, made_of)
    weights = roles_of(made_of, cell)
    if {plain(name) for name in made_of} <= {"w", "b"} and len(parameters(methods["forward"], 1)) == 1:
        return layer_unit(kind, methods, made_of)
    if not made_of or not all(role and role[0] in "Wb" for role in weights.values()):
        raise Unknown(f"the check does not know how to make a {kind}({', '.join(made_of)})")
    given = parameters(methods["forward"], 1)
    states = roles_of(given, cell)
    if not given or any(role not in ("x", "h_prev", "c_prev") for role in states.values()):
        raise Unknown(f"the check does not know what to give {kind}.forward({', '.join(given)})")
    make = {"call": [kind], "args": [{"slot": n} for n in made_of], "kwargs": {}, "to": "object"}
    return cell_unit(kind, methods, ("forward", "backward"), [make], states, weights, claims_of(made_of))


def cell_unit(kind, methods, pair, before, given, weights, claims, sizes=None):
    """The unit of an object that is one cell: x and states go in, and dh (and dc) in its backward.

    pair are the methods' names; before are the steps that make the object; claims, where its weights' gradients may be.
    """
    forward, backward = pair
    names, cell = parameters(methods[backward], 1), cell_of(kind, weights)
    coming = [name for name in names if plain(name) not in CACHES]
    if not 0 < len(coming) < 3:
        raise Unknown(f"the check does not know what to give {kind}.{backward}({', '.join(names)})")
    slots = dict(zip(coming, ({"slot": "dh"}, {"slot": "dc"}), strict=False))
    call = {"call": ["object", forward], "args": [{"slot": n} for n in given], "kwargs": {}, "to": "made"}

    def back(cache):
        return [{"call": ["object", backward], "args": [slots.get(n, {"from": cache}) for n in names], "kwargs": {}}]

    return Unit(
        f"{kind}.{backward}", f"{kind}.{forward}", "classes", cell,
        "step" if "h_prev" in given.values() else "sequence", given | weights, [*before, call], back,
        texts=tuple(methods[backward]["returns"]), claims=claims, has=frozenset(["dc"] if len(coming) > 1 else []),
        sizes=sizes or {}, is_named=cell in kind.lower(),
    )  # fmt: skip
