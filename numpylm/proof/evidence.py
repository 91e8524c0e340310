"""What a wrong gradient has in common with the right one.

Each function compares a claim q with the truth p, of one shape. A relation counts only if it holds to a millionth of
p's size, so that it is no accident. NaN means "not measured" in p.
"""

from math import isclose

import numpy as np

CLOSE = 1e-6
GATES = {4: ("i", "f", "o", "c̃"), 3: ("r", "z", "n")}
UNUSED = "it is zero: the loss does not depend on it. Does the forward use it, or another array in its place?"
CLIPPED = "it is the right one with every entry clipped to ±{:.6g}: clip in the training loop, not here"
CARRIED = "it is right at the last time step only: what is carried from step t + 1 back to step t is missing or wrong"


@np.errstate(over="ignore", invalid="ignore")
def explain(rows, claims, arrays):
    """Sentences on what is likely wrong with each wrong gradient of a report, and on what all have in common."""
    truths = {row.name: row.slope for row in rows if row.num_wrong and row.terms is None}
    sizes = sizes_of(arrays)
    shared = common_factor(claims, truths, sizes)
    if shared:
        return (shared,)
    said = same_arrays({f"d{name}": q for name, q in claims.items()}, [f"d{name}" for name in truths])
    for name, slope in truths.items():
        said += [f"d{name}: {words}" for words in relations(claims[name], slope, sizes, gates_of(name, arrays))]
    return tuple(said)


def relations(q, p, sizes, gates=0):
    """The sentences that hold for a claim q and a truth p, the most telling first; two at the most.

    sizes are {"T": 4, …}, by which a factor is named; gates is how many gates the columns hold, 0 for none.
    """
    seen = ~np.isnan(p)
    if same(q, p):
        return []
    if seen.any() and not p[seen].any():
        return [UNUSED]
    made = [*scaled(q, p, sizes), *(rearranged(q, p, gates) if seen.all() else ())]
    found = [words for array, words in made if same(q, array)][:1]
    return [*found, *(right_parts(q, p, gates) if seen.all() else ())][:2]


def scaled(q, p, sizes):
    """(an array that q may be, what to say of it): p times a number, and p with a limit."""
    yield 0 * p, "it is zero everywhere: this path to the loss is missing"
    seen, limit = ~np.isnan(p), np.abs(q).max(initial=0)
    k = factor_of(q[seen], p[seen])
    if k is not None:
        times = f"it is the right one times {k:.6g}{as_size(k, sizes)}"
        yield k * p, "it has the wrong sign" if isclose(k, -1, rel_tol=CLOSE) else times
    clipped = np.clip(p, -limit, limit)
    if q.size > 1 and not same(clipped, p):  # an entry that was not measured may show the limit
        yield clipped, CLIPPED.format(limit)


def rearranged(q, p, gates):
    """(an array that q may be, what to say of it): p in another order. NaN stands for any number."""
    names = ["axis 0 (T)", "axis 1 (N)", "axis 2"] if p.ndim == 3 else [f"axis {axis}" for axis in range(p.ndim)]
    axes = [(axis, name) for axis, name in enumerate(names) if p.shape[axis] > 1]
    yield p.T, "it is the transpose of the right one"
    for axis, name in axes:
        yield np.flip(p, axis), f"it is right, but reversed along {name}"
        words = f"it is the same all along {name}: something was summed and spread that should not be"
        yield np.broadcast_to(np.take(q, [0], axis), q.shape), words
    if p.ndim == 3 and len(p) > 2:
        for other, part in (("t - 1", (p[:1] * np.nan, p[:-1])), ("t + 1", (p[1:], p[:1] * np.nan))):
            yield np.concatenate(part), f"it is off by one in time: entry t holds what belongs to {other}"
    if gates:
        yield in_other_order(q, p, gates)


def in_other_order(q, p, gates):
    """(p with its gates as they stand in q, what to say of their order); a gate may stand in two places."""
    ours, theirs, names = np.split(p, gates, axis=-1), np.split(q, gates, axis=-1), GATES[gates]
    order = [next((k for k in range(gates) if same(block, ours[k])), j) for j, block in enumerate(theirs)]
    words = ", ".join(f"that of {names[k]} equals that of {names[j]}" for k, j in enumerate(order) if k != j)
    words += ": the same array is returned for both"
    if len(set(order)) == gates:
        found = ", ".join(names[k] for k in order)
        words = f"its gates stand in the order {found}; they should be in the order {', '.join(names)}"
    return np.concatenate([ours[k] for k in order], axis=-1), words


def right_parts(q, p, gates):
    """Sentences on a claim that is right in some time steps, or in some gates."""
    size = np.abs(p).max(initial=0)
    right = [t for t in range(len(p)) if same(q[t], p[t], size)] if p.ndim == 3 and len(p) > 1 else []
    if right:
        several = f"it is right at t = {', '.join(map(str, right))}, and wrong at all others"
        yield {(0,): "it is right at the first time step only", (len(p) - 1,): CARRIED}.get(tuple(right), several)
    pairs = zip(np.split(q, gates, axis=-1), np.split(p, gates, axis=-1), strict=True) if gates else ()
    wrong = [name for name, pair in zip(GATES.get(gates, ()), pairs, strict=True) if not same(*pair, size)]
    if len(wrong) < gates:
        yield f"only its columns of {', '.join(wrong)} are wrong, of its {gates} gates"


def common_factor(claims, truths, sizes=None):
    """One factor that every wrong gradient is off by: a loss averaged otherwise than its gradient, or clipping."""
    factors = [factor_of(claims[name][~np.isnan(p)], p[~np.isnan(p)]) for name, p in truths.items()]
    if len(truths) < 2 or None in factors or not np.allclose(factors, factors[0], CLOSE, 0):
        return None
    k, norm = factors[0], np.linalg.norm([np.linalg.norm(claims[name]) for name in truths])
    if isclose(k, -1, rel_tol=CLOSE):
        return "all gradients have the wrong sign"
    if 0 < k < 1 and isclose(norm, float(f"{norm:.2g}"), rel_tol=CLOSE):  # as a person would choose: 5, 0.25, 1, …
        return (
            f"all gradients are the right ones times {k:.6g}, and their global norm is {norm:.6g}: they were clipped "
            "before they were checked. Clipping belongs in the training loop, never in a backward pass"
        )
    return (
        f"all gradients are the right ones times {k:.6g}{as_size(k, sizes or {})}: the loss is averaged (or summed) "
        "over another number than its gradient is divided by, for instance over T·N in one and N in the other"
    )


def same_arrays(claims, wrong):
    """A list of sentences: a wrong claim that equals another one."""
    return [
        f"{name} equals {other}: the same array is returned for both"
        for name in wrong
        for other, q in claims.items()
        if other != name and not (other in wrong and other < name) and q.size > 1 and q.any() and same(claims[name], q)
    ]


def factor_of(q, p):
    """The number k with q = k p, or None: there is none, or it is 0, or it is 1 in the digits that are shown."""
    if p.size < 2 or not p.any():
        return None
    k = float((q * p).sum() / (p * p).sum())
    return k if k and f"{k:.6g}" != "1" and same(q, k * p) else None


def as_size(k, sizes):
    """ ", which is 1/N (N = 3)", or nothing."""
    sizes = {name: size for name, size in sizes.items() if size > 1}
    if {"T", "N"} <= sizes.keys():
        sizes["T·N"] = sizes["T"] * sizes["N"]
    names = [f"{name} (= {size})" for name, size in sizes.items() if isclose(k, size, rel_tol=CLOSE)]
    names += [f"1/{name} ({name} = {size})" for name, size in sizes.items() if isclose(k, 1 / size, rel_tol=CLOSE)]
    return f", which is {' or '.join(names[:3])}" if names else ""


def gates_of(name, arrays):
    """How many gates the columns of an array of this name hold: 4, 3, or 0. A cell's W_h is (H, 4H) or (H, 3H)."""
    prefix, dot, last = name.rpartition(".")
    shape = np.shape(arrays.get(f"{prefix}{dot}W_h"))
    is_cells = last in ("W_x", "W_h", "b") and len(shape) == 2
    return next((number for number in GATES if is_cells and shape[1] == number * shape[0]), 0)


def sizes_of(arrays):
    """The sizes that a factor may be: T and N of an array (T, N, ·), and every axis of the others; each size once."""
    sizes = {}
    for name, array in sorted(arrays.items(), key=lambda pair: -pair[1].ndim):
        for axis, size in enumerate(array.shape):
            if size not in sizes.values():
                sizes["TN"[axis] if array.ndim == 3 and axis < 2 else f"axis {axis} of {name}"] = size
    return sizes


def same(q, p, size=None):
    """Whether two arrays agree to a millionth of the larger's size, apart from NaN in p."""
    if q.shape != p.shape:
        return False
    size = max(np.nanmax(np.abs(p), initial=0), np.abs(q).max(initial=0)) if size is None else size
    return not (np.abs(q - p) > CLOSE * size).any()
