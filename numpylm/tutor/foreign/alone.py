"""A step's backward without its forward: what its cache holds is told by the names that it is taken apart into.

The cache is then made of our own arrays, and the layout is the one in which the gradients are right.
"""

import re

from numpylm.tutor.diagnosis.sentences import SEVERAL
from numpylm.tutor.foreign.arguments import gradients_in
from numpylm.tutor.foreign.constructors import kept_weights
from numpylm.tutor.foreign.conventions import BEFORE, GATES, cell_of, plain, roles_of, word_of
from numpylm.tutor.foreign.fits import fits
from numpylm.tutor.foreign.layouts import theirs
from numpylm.tutor.foreign.scopes import Unknown, is_weight, required
from numpylm.tutor.foreign.units import Unit
from numpylm.tutor.process.stop import Stop

KNOWN = ("x", "parameters")
NO_FORWARD = (
    "its gradients are not those of our own step, and the file has no forward of {}: without one it is not known what "
    "its cache holds"
)
ALONE = "judged without a forward: its cache was made of the values of our own step"
INSIDE = {  # quantity of a step -> its plain names in a cache
    "h": r"(next)?(h|a|s|hidden|state)(t|next|new|cur\w*)?", "c": r"(next)?(c|cell)(t|next|new|cur\w*)?",
    "tanh_c": r"tanhc\w*|ctanh", "a": r"(pre|raw)?(a|z|affine|scores?|activation|gates?)t?",
}  # fmt: skip


def is_alone(function):
    """Whether a backward is given gradients and a cache, which it takes apart, and nothing else."""
    coming, words = gradients_in(function), [word_of(n) for n in required(function) if n in function["unpacks"]]
    return bool(coming) and words == ["cache"] and len(required(function)) == len(coming) + 1


def alone_unit(scope, backward):
    """The Unit of a step's backward without its forward: its cache is made of our arrays. Raises Unknown."""
    function, coming = scope.functions[backward], gradients_in(scope.functions[backward])
    (cache,) = [n for n in required(function) if n not in coming]
    names = function["unpacks"][cache]
    cell = cell_of(f"{scope.name} {backward}", names) or "rnn"
    roles = roles_of(names, cell)
    held = kept_weights(function["keys"], cell)
    own = [n for n, role in roles.items() if not (is_weight(role) or role in KNOWN or re.search(BEFORE, plain(n)))]
    roles |= dict.fromkeys(own)
    for name in sorted(own, key=len, reverse=True):  # a_i before a
        roles[name] = inside_role(name, cell, roles.values())
    if None in roles.values():
        unknown = [n for n, role in roles.items() if role is None]
        raise Unknown(f"there is no forward, and the check does not know what {', '.join(unknown)} of the cache is")
    parts = [{n: {"slot": n} for n in held} if roles[n] == "parameters" else {"slot": n} for n in names]
    roles = {n: role for n, role in roles.items() if role != "parameters"} | held
    if not any(role.partition(":")[0] == "b" for role in roles.values()):  # a backward does not need it
        gates = {role.partition(":")[2] for role in roles.values() if ":" in role}
        roles |= {f"b{gate}": f"b:{gate}" for gate in gates} or {"b": "b"}
    args = [{"slot": n} if n in coming else tuple(parts) for n in required(function)]
    steps = [{"call": [*scope.holder, backward], "args": args, "kwargs": {}}]
    convention = "coursera" if held else "cs231n"
    unit = Unit(backward, backward, convention, (cell,), ("step",), roles, list(scope.make), steps, is_alone=True)
    return unit._replace(incoming=tuple(coming), texts=tuple(function["returns"]))


def inside_role(name, cell, taken):
    """The quantity of a step that a name in a cache means: a gate, a state, …; None for none."""
    gates = {alias: gate for gate, aliases in GATES.get(cell, {}).items() for alias in aliases.split()}
    gate = gates.get(re.sub(r"^(a|gamma)(?=.)|(?<=.)(t|gate)$", "", plain(name)))
    gate = "c_tilde" if gate == "c" else gate
    if gate and gate not in taken and plain(name) not in ("c", "ct", "h", "ht"):
        return gate
    found = [q for q, names in INSIDE.items() if re.fullmatch(names, plain(name)) and q not in taken]
    return found[0] if found else None


def best_alone(file, unit, finding_of):
    """(Fit, finding) in the layout in which the backward is right, or else the fewest entries are wrong."""
    found = []
    for fit in fits(file, unit, (2, 0)):
        arrays = {q: {q: fit.ours.arrays[f"d{q}"]} for q in ("h", "c") if f"d{q}" in fit.ours.arrays}
        coming = {slot: theirs(q, arrays[q], fit.layout) for slot, q in zip(unit.gradients, arrays, strict=False)}
        fit = fit._replace(inputs=fit.inputs | coming, precision=0.0)
        finding = finding_of(file, unit, fit)
        rank = rank_of(finding)
        found.append((rank, len(found), fit, finding))
        if not any(rank):
            break
    _, _, fit, finding = min(found)
    if finding["status"] == "ok":
        finding["sentences"].append(ALONE)
    is_explained = any(finding.get("lines", ())[:1]) and SEVERAL not in finding["diagnosis"]
    if finding["status"] == "wrong" and not is_explained:  # the cache may hold something else
        raise Stop("not checked", NO_FORWARD.format(unit.name))
    return fit, finding


def rank_of(finding):
    """How far from right a finding is, to be compared."""
    if finding["status"] == "ok":
        return 0, 0, 0
    wrong = [row["num_wrong"] for row in finding.get("table", ())]
    return 1 + (finding["status"] != "wrong" or not wrong), len(finding["sentences"]), sum(wrong)
