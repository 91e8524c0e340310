"""Which input each of a backward's gradients belongs to: by its name, by its place, or by what became of a weight."""

import ast
import re

import numpy as np

from numpylm.tutor.foreign.conventions import plain, roles_of
from numpylm.tutor.foreign.scopes import arrays_in, is_weight
from numpylm.tutor.process.sizes import SIZES
from numpylm.tutor.process.stop import Stop

WEIGHT = re.compile(r"[WUVb]|w|u|v")  # how the name of a weight begins
LIKE_WEIGHT = r"[WUVEbwuv]|emb"  # and not a state that the object keeps
ONLY_ZERO = ": zero is right for this input, so that no more is known of it"
OWN = "judged by its own variables {}: what it does with them (it is no plain gradient descent) is not checked"
HEADS = re.compile(r"^(d(l|e|j|c|loss|cost)?(dd?|wrt)|grad|d|g)|(diff|grad|[gd])$")


def gradient_name(unit, slot):
    """The user's name of a gradient."""
    is_x = slot == "inputs" and unit.roles[slot] == "x"
    heads = [(text, HEADS.match(plain(text))) for text in unit.texts if text.isidentifier()]
    names = [text for text, head in heads if head and plain(text)[head.end() :] == plain(slot)]
    names += [text for text in unit.texts if is_x and re.match(r"d_?x", text)]
    return names[0] if names and names[0].isidentifier() else f"d{slot}"


def claims_in(unit, fit, returned, local, snapshot, after):
    """(slot -> gradient, of what a backward returned, an object holds after it, or a step of descent took; remarks).

    local is its own arrays, which count where it updates its weights in another way; snapshot, the object's attributes;
    after, slot -> the weight after the backward. Raises Stop.
    """
    every = reversed(assigned(unit, fit, returned))
    claims = {slot: array for slot, text, array in every if slot and not is_of_a_step(unit, fit, slot, text, array)}
    weights = [slot for slot, role in unit.roles.items() if role is None or is_weight(role)]
    states = [slot for slot in unit.roles if slot in fit.inputs and slot not in weights]
    names = ("bottomdiff{0}", "d{1}", "dld{1}") if fit.form == "step" else ("bottomdiff{0}",)
    states = {name.format(plain(slot)[0], plain(slot)): slot for slot in states for name in names}
    beside = held(snapshot, weights, fit.inputs, states) if isinstance(snapshot, dict) else {}
    if any(not array.any() for array in beside.values()):  # reset to zero, perhaps, after the weights were updated
        steps = {slot: step for slot, step in steps_of_descent(unit, fit, after).items() if step.any()}
        beside |= {slot: step for slot, step in steps.items() if slot in beside and not beside[slot].any()}
    claims = beside | claims
    claims = {slot: np.asarray(v, float) for slot, v in claims.items() if isinstance(v, np.ndarray | float)}
    if fit.form == "loss" and not (fit.layout.style and (fit.precision is not None or np.ndim(fit.inputs["inputs"]))):
        claims.pop("inputs", None)  # numbers of tokens
    if set(claims) & set(weights) or not weights:
        return claims, []
    made = {slot: q for slot, q in zip(slots_of(unit, local), local.values(), strict=True) if slot in weights}
    steps, said = steps_or_own(unit, fit, after, made)
    return claims | steps, said


def steps_or_own(unit, fit, after, made):
    """(the steps of plain descent, or else a backward's own variables, remarks). Raises Stop where there are none."""
    steps = {}
    try:
        steps = steps_of_descent(unit, fit, after)
    except Stop:
        if not made:
            raise
    if not made or (steps and not is_adapted(steps, made)):
        return steps, []
    return made, [OWN.format(", ".join(gradient_name(unit, slot) for slot in made))]


def is_adapted(steps, made):
    """Whether the steps of some weights go where their gradients point, but not in proportion, as those of Adam do."""
    both = [(steps[slot], made[slot]) for slot in made if np.shape(steps.get(slot)) == np.shape(made[slot])]
    sizes = [step[gradient != 0] / gradient[gradient != 0] for step, gradient in both]
    is_along = all(np.array_equal(np.sign(step), np.sign(gradient)) for step, gradient in both)
    return is_along and any(np.ptp(size) > 1e-6 * np.max(size) for size in sizes if size.size)


def assigned(unit, fit, returned):
    """(slot, name, array) of all that a backward returned, by the names, else by shapes that all differ, else by the
    order of the forward's parameters; the slot is None where none tells it."""
    weights = [slot for slot, role in unit.roles.items() if is_weight(role)]
    named = [pair for pair in spread(returned, list(unit.texts), weights) if isinstance(pair[1], np.ndarray | float)]
    found = slots_of(unit, [text for text, _ in named])
    unnamed = [array for slot, (_, array) in zip(found, named, strict=True) if slot is None]
    slots = [slot for slot in unit.roles if slot in fit.inputs and slot not in found]
    states = [slot for slot in slots if unit.roles[slot] in ("x", "h_prev", "c_prev")]
    firsts = states[: len(unnamed)]  # dx alone, where the others are kept
    is_state = bool(firsts) and list(map(np.shape, unnamed)) == [np.shape(fit.inputs[slot]) for slot in firsts]
    slots = firsts if is_state else slots
    if len(unnamed) == len(slots) and (is_state or fit.form != "loss"):
        alike = [[slot for slot in slots if np.shape(fit.inputs[slot]) == np.shape(array)] for array in unnamed]
        rest = iter([slot for (slot,) in alike] if [len(some) for some in alike] == [1] * len(slots) else slots)
        found = [slot or next(rest) for slot in found]
    return [(slot, text, array) for slot, (text, array) in zip(found, named, strict=True)]


def is_of_a_step(unit, fit, slot, text, array):
    """Whether a gradient of the inputs is what the last step has left under a name such as dxt."""
    T = fit.ours.problem.sizes.T if fit.ours and fit.form != "step" else 1
    is_x = unit.roles[slot] == "x" and plain(text).endswith("t")
    return T > 1 and is_x and np.size(array) * T == np.size(fit.inputs[slot])


def left_out(unit, fit, returned):
    """The names of gradients that a backward returned, and that belong to no input that the check knows."""
    is_step = isinstance(returned, dict) and "loss" in returned  # of a training loop: all arrays that it made
    every = [] if is_step else assigned(unit, fit, returned)
    every = [known for known in every if known[0] is None or is_of_a_step(unit, fit, *known)]
    told = [text for _, text, array in every if text.isidentifier() and np.size(array) > 1]
    return [text for text in told if HEADS.match(plain(text)) or "grad" in text]


def not_compared(unit, fit, claims, truths, returned):
    """Remarks on gradients of which nothing is known, though all that were compared are right. Raises Stop where no
    gradient of a recurrent weight or of h_{t-1} was compared."""
    roles = {slot: str(unit.roles[slot]).partition(":")[0] for slot in claims}
    square = [slot for slot, q in claims.items() if unit.roles[slot] is None and len({*q.shape}) < q.ndim]
    is_held = unit.snapshot or unit.places  # and may be held where the check does not look
    names = ", ".join(gradient_name(unit, slot) for slot in claims)
    if is_held and not unit.free and not square and not {"W", "W_h", "W1", "h_prev"} & {*roles.values()}:
        raise Stop("not checked", f"{names} is right, but the check finds no gradient of a recurrent weight")
    unknown = {slot for slot, role in unit.roles.items() if role is None and (unit.free or slot in unit.places)}
    weights = [slot for slot, role in unit.roles.items() if is_weight(role) or slot in unknown]
    lost = [slot for slot in weights if slot not in claims and not is_told(unit.roles[slot], unit, claims)]
    words = f"the check does not find the gradient{'s' * (len(lost) > 1)} of {', '.join(lost) or 'any weight'}"
    is_lost = any(re.match("W(_[xh]|1)?(:|$)", str(unit.roles[slot])) for slot in lost) or not claims.keys() & weights
    if unit.keeps and is_lost and (weights or not unit.free):
        raise Stop("not checked", f"{names}: right; {words}")
    zero = [slot for slot, q in claims.items() if not q.any() and not np.any(truths[slot])]
    blind = ", ".join(gradient_name(unit, slot) for slot in zero) + ONLY_ZERO
    T = fit.ours.problem.sizes.T if fit.form == "loss" else 0
    back = {slot for slot, part in roles.items() if part in ("W", "W_h", "W1")}
    if len(zero) == len(claims) or (T > 1 and back and back <= {*zero}):
        raise Stop("not checked", blind)
    said = [words] * bool(lost and is_held) + [blind] * bool(zero)
    if T == 1:
        said.append("no step came after this one: what is carried back is not compared")
    names = ", ".join(left_out(unit, fit, returned))
    return said + ([f"{names}: not compared, the check does not know what it belongs to"] if names else [])


def is_told(role, unit, claims):
    """Whether the gradient of a weight is among that of all gates, or those of its gates are claimed."""
    told, part = {str(unit.roles[slot]) for slot in claims}, str(role).partition(":")[0]
    return bool(role) and (part in told or (part == role and any(other.startswith(f"{part}:") for other in told)))


def spread(value, texts, weights):
    """(name, value) of all that a backward returned: the parts of tuples, lists, dicts and records by their names. A
    gradient may have the name of its weight in a dict."""
    value = of_all_steps(texts[0], value) if len(texts) == 1 else value
    if isinstance(value, dict):
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, tuple | list):
        texts = texts if len(texts) == len(value) else [""] * len(value)
        items = list(zip(texts, value, strict=True))
    else:
        items = [(texts[0] if len(texts) == 1 else "", value)]
    found = []
    for text, item in items:
        item = of_all_steps(text, item)
        item = item[0] if isinstance(item, list) and len(item) == 1 and isinstance(item[0], dict) else item  # one layer
        if isinstance(item, dict | tuple) or (isinstance(item, list) and len(parts_of(text)) == len(item)):
            found += spread(item, parts_of(text), weights)
        else:
            is_bare = isinstance(value, dict) and (text in weights or WEIGHT.match(text))
            found.append((f"d{text}" if is_bare else text, item))
    return found


def of_all_steps(text, item):
    """A list or dict of the gradients of all steps, under a name such as dx, as one array; another value as it is."""
    steps = [item[t] for t in sorted(item)] if isinstance(item, dict) and all(type(t) is int for t in item) else item
    is_of_steps = isinstance(steps, list) and len(steps) == SIZES["T"] and HEADS.match(plain(text))
    is_whole = is_of_steps and all(isinstance(q, np.ndarray) and q.shape == np.shape(steps[0]) for q in steps)
    return np.array(steps) if is_whole else item


def parts_of(text):
    """The texts of the parts of a tuple or list, from its own."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return []
    return [ast.unparse(part) for part in tree.elts] if isinstance(tree, ast.Tuple | ast.List) else []


def slots_of(unit, texts):
    """For each name of a gradient, the input that it belongs to; None for none."""
    bare = [plain(text.split("[")[0]) for text in texts]
    rests = [HEADS.sub("", name, count=1).removesuffix("next") for name in bare]  # dh_next is left at the first step
    roles = roles_of(rests, unit.cells[0])
    found = []
    for name, rest in zip(bare, rests, strict=True):
        exact = [slot for form in (rest, rest.removesuffix("t")) for slot in unit.roles if plain(slot) == form]  # at t
        alike = [slot for slot, role in unit.roles.items() if role and role == roles[rest]]
        found.append((exact or alike or [None])[0] if rest != name else None)
    return found


def held(snapshot, weights, inputs, states):
    """Slot -> gradient of the weights, under a name such as dW or W_diff, in a dict, or in a list beside params; and of
    states, name -> slot. Nothing where the object has sums of its own over steps, which belong to no weight alone."""
    found = {}
    for path, array in sorted(arrays_in(snapshot, (), 3), key=lambda known: len(known[0])):  # the object's own first
        name = plain(str(path[-1]))
        if name in ("d", "g", "grad", "diff", "gradient", "dv") and len(path) > 1:  # beside the value of a parameter
            name = f"d{plain(str(path[-2]))}"
        if name in states and array.shape == np.shape(inputs[states[name]]):
            found.setdefault(states[name], array)
        inside = any(re.match(r"(\w+_|d)?_?grad|diffs?$", str(part), re.I) for part in path[:-1])
        for slot in weights:
            key = plain(slot)
            is_gradient = name == f"dl{key}" or (name != key and HEADS.sub("", name, count=1) == key)
            if is_gradient or (inside and name == key):
                found.setdefault(slot, array)
    params, grads = snapshot.get("params"), snapshot.get("grads")
    if isinstance(params, list) and isinstance(grads, list) and len(params) == len(grads):
        for place, array in enumerate(params):
            for slot in weights:
                if isinstance(array, np.ndarray) and np.array_equal(array, inputs[slot]):
                    found[slot] = grads[place]
    arrays = [(plain(str(name)), q) for name, q in snapshot.items() if isinstance(q, np.ndarray) and q.ndim > 1]
    sums = [q for name, q in arrays if is_of_weights(name) and name not in map(plain, weights)]
    return {} if sums and not any(q is array for q in sums for array in found.values()) else found


def is_of_weights(name):
    """Whether a plain name is that of a gradient of weights."""
    rest = HEADS.sub("", name, count=1)
    return rest != name and re.match(LIKE_WEIGHT, rest) is not None


def steps_of_descent(unit, fit, after):
    """Slot -> old - new, the gradient of a backward that updates its weights at a learning rate of 1. Raises Stop."""
    moved = {slot: q for slot, q in after.items() if not np.array_equal(q, fit.inputs[slot])}
    updated = {s: q for s, q in after.items() if is_weight(unit.roles[s]) or (s in moved and re.match(LIKE_WEIGHT, s))}
    claims = {slot: fit.inputs[slot] - q for slot, q in updated.items() if np.shape(q) == fit.inputs[slot].shape}
    claims = claims if any(claim.any() for claim in claims.values()) else {}
    sizes = [np.abs(claim[claim != 0]) for claim in claims.values() if claim.any() and claim.size > 2]
    if any(np.median(some) > 0.99 * some.max() for some in sizes):  # as the first step of Adagrad or Adam is
        raise Stop(
            "not checked", "it returns no gradient, and it does not update its weights by plain gradient descent"
        )
    return claims
