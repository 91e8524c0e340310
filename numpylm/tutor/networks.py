"""Finds whole networks: a class made from sizes, or functions around global weights, with a forward and a backward.

A parameter is known by its name: the inputs, the targets, a state, or something that the forward returned under this
name. The loss is the cross-entropy of the probabilities that the forward returns. What a
backward only subtracts from the weights is found there: the gradient is old - new.
"""

import re

from numpylm.tutor.classes import cell_unit, find_classes
from numpylm.tutor.conventions import CONVENTIONS, plain, roles_of
from numpylm.tutor.unit import Unit
from numpylm.tutor.units import (
    CACHES,
    SIZE_OF,
    SIZE_SLOTS,
    Unknown,
    cell_of,
    find_layers,
    find_losses,
    find_pairs,
    parameters,
)

FORWARDS = "forward forwardpropagation forwardpass feedforward forwardprop fprop forwardpropagate predict"
BACKWARDS = (
    "backward bptt backprop backpropagation backwardpass backwardpropagation backpropagate bprop backwardprop "
    "backpropagationthroughtime computegradients lossfun loss forwardbackward lossfunction trainstep"
)
GIVEN = {  # a parameter's plain name -> the slot that it is given
    "inputs": "x xs inputs input xdata inputseq tokens sequence seq inputsequence xbatch ids sentence",
    "targets": "y ys targets target labels label ytrue expected outputs desired ybatch t trueoutputs",
    "rate": "lr learningrate learnrate eta alpha stepsize",
}
GIVEN_AS = {name: slot for slot, names in GIVEN.items() for name in names.split()}
STYLES = tuple(
    (one, other)
    for one in ("ids", "columns", "matrix", "array", "three", "batch")
    for other in dict.fromkeys(("ids", "array", one))
)
BACKWARD = re.compile(r"backward|back_?prop|bptt|loss_?fun", re.IGNORECASE)


def find_units(contents, taken, child, convention=None):
    """(units, name -> why it is not checked) of what is not among the names already taken."""
    units, refused = [], {}
    finders = {
        "pairs": find_pairs, "min-char-rnn": find_losses, "classes": find_classes, "layers": find_layers,
        "networks": lambda contents: find_networks(contents, child),
    }  # fmt: skip
    for kind, find in finders.items():
        if (
            convention
            and kind not in (convention, "networks")
            and not (kind == "pairs" and CONVENTIONS[convention].pairs)
        ):
            continue
        for name, make in find(contents, convention) if kind == "pairs" else find(contents):
            if name in taken or any(name == unit.name for unit in units):
                continue
            refused.pop(name, None)
            try:
                units.append(make())
            except Unknown as why:
                refused[name] = str(why)
    done = set(taken) | {unit.name for unit in units} | {unit.forward_name for unit in units}
    looks = [n for n, f in contents["functions"].items() if f["own"] and f["kind"] == "function" and BACKWARD.search(n)]
    looks += [f"{kind}.{n}" for kind, methods in contents["classes"].items() for n in methods if BACKWARD.search(n)]
    return units, refused | {n: "the check does not know how to call it" for n in looks if n not in done | set(refused)}


def find_networks(contents, child):
    """(the backward's name, how to make its unit) of every class that is made from sizes, and of global functions."""
    for kind, methods in contents["classes"].items():
        pair = named(methods, FORWARDS), named(methods, BACKWARDS)
        if pair[1]:
            yield f"{kind}.{pair[1]}", lambda a=(contents, kind, methods, *pair, child): class_network(*a)
    own = {name: f for name, f in contents["functions"].items() if f["own"] and f["kind"] == "function"}
    pair = named(own, FORWARDS), named(own, BACKWARDS)
    if all(pair):
        yield pair[1], lambda a=(contents, own, *pair): global_network(*a)


def named(functions, names):
    """The first of these functions or methods that has one of the names."""
    return next((f for name in names.split() for f in functions if plain(f) == name), None)


def class_network(contents, kind, methods, forward, backward, child):
    """The unit of a class that is made from sizes."""
    sizes = {}
    for name, _, has_default in (methods.get("__init__", {}).get("parameters") or [])[1:]:
        size = SIZE_OF.get(plain(name))
        if size:
            sizes[name] = {"slot": f"size {size}"}
        elif GIVEN_AS.get(plain(name)) == "rate":
            sizes[name] = 1.0
        elif re.search(r"i[dn]?x$|to_?i|index$", name.lower()) and not has_default:
            sizes[name] = {letter: k for k, letter in enumerate("abcdef")}
        elif re.search(r"^(i[dn]?x|index|id)_?(to|2)|vocab|chars", name.lower()) and not has_default:
            sizes[name] = dict(enumerate("abcdef"))
        elif not has_default:
            raise Unknown(f"the check does not know what `{name}` of {kind}(…) is")
    make = {"call": [kind], "args": [], "kwargs": sizes, "to": "object"}
    reply = child.ask({"steps": [make], "inputs": SIZE_SLOTS, "outputs": [["object", "__dict__"]]})
    if "error" in reply or not isinstance(reply["outputs"][0], dict):
        raise Unknown(f"{kind} cannot be made: {reply.get('error', {}).get('text', '')}")
    paths = weight_paths(reply["outputs"][0])
    if forward and all(incoming_name(n) or plain(n) in CACHES for n in parameters(methods[backward], 1)):
        given = roles_of(parameters(methods[forward], 1), cell_of(kind, paths))
        if given and set(given.values()) <= {"x", "h_prev", "c_prev"} and parameters(methods[backward], 1):
            return cell_network(kind, methods, forward, backward, make, paths, given)
    return network_unit(f"{kind}.", methods, forward, backward, [make], ["object"], paths, kind, skip=1)


def incoming_name(name):
    """Whether a parameter of a backward is the gradient of a state, and not of an output's logits."""
    return bool(re.match(r"(d|grad)", name.lower())) and not re.match(r"d_?y|dlogits", name.lower())


def cell_network(kind, methods, forward, backward, make, paths, given):
    """The unit of a class made from sizes that is one cell."""
    roles = roles_of(paths, cell_of(kind, paths))
    weights = {n: r for n, r in roles.items() if r and r.partition(":")[0] in ("W_x", "W_h", "W", "b")}
    before = [make, *({"set": paths[n], "value": {"slot": n}} for n in weights)]
    returns = sum(plain(text).startswith(("d", "grad")) for text in methods[backward]["returns"])
    claims = (*beside(paths, weights), {}) if returns < len(weights) else ({},)
    return cell_unit(kind, methods, (forward, backward), before, given, weights, claims, SIZE_SLOTS)


def beside(paths, weights):
    """Where the gradients of weights at these paths may be: beside each, or in the object's dict."""
    return (
        {n: [*paths[n][:-1], f"d{n}"] for n in weights},
        *({n: ["object", "grads", f"{d}{n}"] for n in weights} for d in ("", "d")),
    )


def weight_paths(attributes):
    """Name -> path of every real array in an object's attributes, or in a dict of them."""
    found = {}
    for name, value in attributes.items():
        inside = value.items() if isinstance(value, dict) else [(None, value)]
        for key, array in inside:
            if getattr(array, "dtype", None) is not None and array.dtype.kind == "f" and array.ndim:
                found[str(key or name)] = ["object", name, key] if key is not None else ["object", name]
    return found


def global_network(contents, own, forward, backward):
    """The unit of functions around global weights."""
    reads = set(own[forward]["reads"]) | set(own[backward]["reads"])
    paths = {name: [name] for name in contents["arrays"] if name in reads}
    sizes = [{"set": [n], "value": {"slot": f"size {SIZE_OF[plain(n)]}"}} for n in reads if plain(n) in SIZE_OF]
    return network_unit("", own, forward, backward, sizes, [], paths, "")


def network_unit(prefix, functions, forward, backward, before, holder, paths, kind, skip=0):
    """The Unit of a forward and a backward whose weights lie at these paths."""
    cell = cell_of(kind, paths)
    roles = roles_of(paths, cell)
    roles |= {n: "b_y" for n, r in roles.items() if r == "c_prev"}
    roles = {n: r for n, r in roles.items() if r and r.partition(":")[0] in ("W_x", "W_h", "W", "b", "W_y", "b_y")}
    if not roles:
        raise Unknown("it has no weights whose names the check knows")
    weights = [{"set": paths[n], "value": {"slot": n}} for n in roles]
    first, second = functions.get(forward) if forward else None, functions[backward]
    steps, places, outputs = [*before, *weights], {}, [["returned"]]
    if first:
        steps.append({"call": [*holder, forward], "to": "made"} | resolved(first, {}, roles, cell, skip))
        several = len(first["returns"]) > 1
        places = {text: ["made", k] if several else ["made"] for k, text in enumerate(first["returns"])}
        outputs = [["made"]]
    last = {"call": [*holder, backward]} | resolved(second, places, roles, cell, skip)
    returns = sum(plain(text).startswith(("d", "grad")) for text in second["returns"])
    return Unit(
        f"{prefix}{backward}", f"{prefix}{forward or backward}", "classes" if holder else "min-char-rnn", cell,
        "loss", roles, steps if first else [*steps, last], lambda cache: [last], outputs, tuple(second["returns"]),
        ({},) if returns > 1 else beside(paths, [n for n in paths if n in roles]), vocabulary=6, sizes=SIZE_SLOTS,
        styles=STYLES, updates={n: p for n, p in paths.items() if n in roles},
    )  # fmt: skip


def resolved(function, places, roles, cell, skip):
    """args and kwargs: what each required parameter is given, and a learning rate of 1. Raises Unknown."""
    found, optional = [], [name for name, _, has_default in function["parameters"] or [] if has_default]
    for name in parameters(function, skip):
        key = plain(name)
        text = next((text for text in places if plain(text.removeprefix("self.")) == key), None)
        role = roles_of([name], cell)[name]
        if text is not None:
            found.append({"from": places[text]})
        elif GIVEN_AS.get(key) == "rate":
            found.append(1.0)
        elif key in GIVEN_AS:
            found.append({"slot": GIVEN_AS[key]})
        elif role in ("h_prev", "c_prev"):
            roles[name] = role
            found.append({"slot": name})
        elif re.match(r"d_?y|dlogits|grad|dout|d_?l_?d_?y", name.lower()):
            found.append({"slot": "dy"})
        else:
            raise Unknown(f"the check does not know what `{name}` is")
    return {"args": found, "kwargs": {name: 1.0 for name in optional if GIVEN_AS.get(plain(name)) == "rate"}}
