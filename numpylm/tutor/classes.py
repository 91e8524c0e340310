"""Finds classes whose constructor is given the weights, with a forward and a backward: layers and cells."""

from numpylm.tutor.conventions import plain, roles_of
from numpylm.tutor.unit import Unit
from numpylm.tutor.units import CELLS, Unknown, cell_of, layer_shapes, parameters


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
    form = "step" if "h_prev" in states.values() else "sequence"
    coming = parameters(methods["backward"], 1)
    if not 0 < len(coming) < 3:
        raise Unknown(f"the check does not know what to give {kind}.backward({', '.join(coming)})")
    slots = [{"slot": name} for name in ("dh", "dc")[: len(coming)]]
    steps = [
        {"call": [kind], "args": [{"slot": n} for n in made_of], "kwargs": {}, "to": "object"},
        {"call": ["object", "forward"], "args": [{"slot": n} for n in given], "kwargs": {}, "to": "made"},
    ]
    return Unit(
        f"{kind}.backward", f"{kind}.forward", "classes", cell, form, states | weights, steps,
        lambda cache: [{"call": ["object", "backward"], "args": slots, "kwargs": {}}],
        texts=tuple(methods["backward"]["returns"]), claims=claims_of(made_of),
        has=frozenset(["dc"] if len(coming) > 1 else []), is_named=any(c in kind.lower() for c in CELLS),
    )  # fmt: skip
