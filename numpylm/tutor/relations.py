"""What a wrong quantity has in common with a right one, said in the sizes of the problem it was made for.

numpylm.proof.evidence compares the numbers; here it is known which quantities hold gates, and what T, N, D, H, V are.
"""

import numpy as np

from numpylm.proof import evidence

GATES = {"lstm": 4, "gru": 3}


def relations(assignment, name, value, right, sizes):
    """Sentences on one wrong quantity, the most telling first."""
    q, p = np.asarray(value, dtype=float), np.asarray(right)
    candidates = [evidence.nothing(q, p), factor(q, p, sizes), evidence.transposed(q, p)]
    if not assignment.name.startswith("clip"):
        candidates += [evidence.reversed_axis(q, p), evidence.shifted(q, p)]
        candidates += [evidence.clipped_entries(q, p)] if p.ndim else []
        candidates += [evidence.repeated(q, p), in_part(assignment, q, p, sizes)]
    return [sentence for sentence in candidates if sentence][:2]


def factor(q, p, sizes):
    """A constant factor, named where it is one of the sizes."""
    k = evidence.factor_of(q, p)
    if k is None:
        return None
    if evidence.close(k, -1):
        return "it has the wrong sign"
    names = [f"{name} (= {size})" for name, size in named(sizes).items() if evidence.close(k, size)]
    names += [f"1/{name} ({name} = {size})" for name, size in named(sizes).items() if evidence.close(k, 1 / size)]
    return f"it is the right one times {k:.6g}{', which is ' if names else ''}{' or '.join(names)}"


def named(sizes):
    """T, N, D, H, V and the products that sums run over."""
    T, N, D, H, V = sizes[:5]
    return {"T": T, "N": N, "D": D, "H": H, "V": V, "T·N": T * N}


def in_part(assignment, q, p, sizes):
    """Gates in another order; right in some time steps, or some gates, only: of arrays that have such."""
    gates = GATES.get(assignment.name.partition("_")[0])
    if p.ndim == 3 or (gates and p.shape and p.shape[-1] == gates * sizes.H):
        return evidence.swapped_blocks(q, p) or evidence.right_in_part(q, p)
    return None


def exchanges(values, answers):
    """Name -> the name whose right answer it holds, of wrong quantities that stand in each other's places."""
    wrong = [name for name in values if not same(values[name], answers[name])]
    taken = {name: other for name in wrong for other in wrong if same(values[name], answers[other])}
    while not set(taken.values()) <= set(taken):
        taken = {name: other for name, other in taken.items() if other in taken}
    return taken


def exchange_sentences(taken):
    """What to say of quantities that stand in each other's places."""
    order = "Look at the order in which you return (or unpack) them"
    pairs = [(name, other) for name, other in taken.items() if taken[other] == name and name < other]
    longer = [f"{name} holds what {other} should be" for name, other in taken.items() if taken[other] != name]
    said = [f"{one} and {other} are exchanged: each holds what belongs to the other. {order}" for one, other in pairs]
    return said + ([f"{', '.join(longer)}: they are in another order. {order}"] if longer else [])


def same(q, p):
    """Whether two quantities are the same to rounding."""
    q, p = np.asarray(q), np.asarray(p)
    return q.shape == p.shape and q.dtype.kind == "f" and q.size > 1 and bool(q.any()) and evidence.same(q, p)
