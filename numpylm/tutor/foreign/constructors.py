"""What the constructor of a class of other code is given: sizes, weights, rates, settings, other objects."""

import re

from numpylm.tutor.foreign.conventions import FUNCTIONS, LIMIT, VALUES, cell_of, plain, roles_of, word_of
from numpylm.tutor.foreign.scopes import WEIGHTS, Unknown, is_weight
from numpylm.tutor.process.sizes import size_of
from numpylm.tutor.process.stand_ins import LETTERS


def construct(contents, kind, to, steps, given):
    """Append the steps that make an object under a name; its weights are noted in given. Raises Unknown."""
    method = contents["classes"][kind].get("__init__", {"parameters": [], "unpacks": {}, "measured": []})
    known = [known for known in method["parameters"] or [] if not known[1].startswith("VAR")]
    roles, values = roles_of([name for name, _, _ in known], ""), {}
    taken = dict(pair for other in contents["classes"][kind].values() for pair in other["unpacks"].items())
    are_weights = sum(role in WEIGHTS for role in roles.values()) > 1
    reads = [name for other in contents["classes"][kind].values() for name in other["reads"]]
    is_cell = cell_of(kind, reads) and "H" not in [size_of(name) for name, _, _ in known]  # its output is the state
    for name, _, has_default in known:
        parts = [size_of(part, True) for part in taken.get(name, [])]
        size, is_array = size_of(name), roles[name] in WEIGHTS and (are_weights or len(name) > 1 or name == "W")
        shape = shape_for(name, contents["classes"][kind]) or [{"slot": f"size {part}"} for part in parts if all(parts)]
        if shape:
            values[name] = shape
        elif size and not (is_array and len(name) == 1):
            values[name] = {"slot": "size H" if is_cell and "out" in name.lower() else f"size {size}"}
        elif roles[name] == "parameters" and (held := kept_weights(method["keys"], cell_of(kind, method["keys"]))):
            given |= held
            values[name] = {key: {"slot": key} for key in held}
        elif word_of(name) == "rate" or LIMIT.search(name):
            values[name] = 1e6 if LIMIT.search(name) else 1.0
        elif is_array and not has_default:
            given[name], values[name] = roles[name], {"slot": name}
        elif not has_default:
            is_list = name in method["measured"] and plain(name) in ("vocab", "vocabulary")
            values[name] = LETTERS if is_list else value_for(contents, kind, name, steps, given)
    steps.append({"call": [kind], "args": [], "kwargs": values, "to": to})


def kept_weights(keys, cell=""):
    """Key -> role of those keys of a dict that are weights."""
    return {key: role for key, role in roles_of(dict.fromkeys(keys), cell).items() if is_weight(role)}


def value_for(contents, kind, name, steps, given):
    """What a constructor's parameter may be given that is neither a size nor a weight. Raises Unknown."""
    if shape := shape_for(name, contents["classes"].get(kind, {})):
        return shape
    called = [attribute for method in contents["classes"].get(kind, {}).values() for attribute in method["asks"]]
    values = FUNCTIONS if name in called else VALUES
    value = next((value for names, value in values if re.search(names, name.lower())), None)
    if value is not None:
        return value
    if size_of(name):
        return {"slot": f"size {size_of(name)}"}
    others = [k for k in contents["classes"] if plain(k) == plain(name)]
    records = [k for k, methods in contents["classes"].items() if k != kind and all_sizes(methods)]
    others += sorted(records, key=lambda k: plain(name) not in plain(k))
    if others:
        construct(contents, others[0], f"made {name}", steps, given)
        return {"from": [f"made {name}"]}
    if size_of(name, True):
        return {"slot": f"size {size_of(name, True)}"}
    raise Unknown(f"the check does not know what `{name}` of {kind}(…) is")


def shape_for(name, methods):
    """The shape of the inputs, for a parameter of such a name whose parts are taken by their places; () for another."""
    taken = {text for method in methods.values() for text in method["indexed"] if text.startswith(f"{name}[")}
    letters = ("NTD" if f"{name}[2]" in taken else "TD") if taken and "shape" in name else ""
    return tuple({"slot": f"size {letter}"} for letter in letters)


def all_sizes(methods):
    """Whether a class is made from sizes and rates alone: a record of settings."""
    words = [word_of(name) for name, _, _ in methods.get("__init__", {}).get("parameters") or []]
    return bool(words) and all(word == "rate" or word.startswith("size") for word in words)
