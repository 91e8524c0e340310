"""Algebraic evidence: what a wrong gradient has in common with the right one.

Each function below looks for one relation between a claimed gradient q and the true one p, two arrays of one shape, and
returns a sentence, or None. A relation counts only where it holds to a millionth of p's size, not by accident.
"""

import numpy as np

CLOSE = 1e-6


@np.errstate(over="ignore", invalid="ignore")
def explain(report, claims, truths, arrays):
    """Sentences on what is likely wrong with each wrong gradient of a report, and on what all have in common."""
    wrong = [row.name for row in report.rows if row.num_wrong and row.name in truths]
    complete = {name: truths[name] for name in wrong if not np.isnan(truths[name]).any()}
    shared = common_factor(claims, complete)
    if shared:
        return (shared,)
    sizes = named_sizes(arrays)
    sentences = [
        f"d{name}: {sentence}" for name in complete for sentence in relations(claims[name], truths[name], sizes)
    ]
    return tuple(sentences)


def common_factor(claims, truths):
    """One factor that every wrong gradient is off by: a loss averaged otherwise than its gradient, or clipping."""
    if len(truths) < 2:
        return None
    factors = [factor_of(claims[name], truth) for name, truth in truths.items()]
    if None in factors or max(factors) - min(factors) > CLOSE * abs(factors[0]):
        return None
    total = float(np.sqrt(sum((claims[name] ** 2).sum() for name in truths)))
    if 0 < factors[0] < 1 and is_round(total):
        return (
            f"all gradients are the right ones times {factors[0]:.6g}, and their global norm is {total:.6g}: they were "
            "clipped before they were checked. Clipping belongs in the training loop, never in a backward pass"
        )
    return (
        f"all gradients are the right ones times {factors[0]:.6g}: the loss is averaged (or summed) over another "
        "number than its gradient is divided by, for instance over T·N in one and N in the other"
    )


def relations(q, p, sizes):
    """The sentences that hold for a claim q and a truth p, the most telling first."""
    candidates = [nothing(q, p), factor(q, p, sizes), transposed(q, p), reversed_axis(q, p), shifted(q, p)]
    candidates += [swapped_blocks(q, p), clipped_entries(q, p), repeated(q, p), right_in_part(q, p)]
    return [sentence for sentence in candidates if sentence][:2]


def nothing(q, p):
    """Zero where it should not be."""
    return "it is zero everywhere: this path to the loss is missing" if not q.any() and p.any() else None


def factor(q, p, sizes):
    """A constant factor, named where it is one of the sizes."""
    found = factor_of(q, p)
    if found is None:
        return None
    if close(found, -1):
        return "it has the wrong sign"
    names = [name for name, size in sizes.items() if close(found, size)]
    names += [f"1/{name}" for name, size in sizes.items() if close(found, 1 / size)]
    meaning = f", which is {' or '.join(names[:3])}" if names else ""
    return f"it is the right one times {found:.6g}{meaning}"


def transposed(q, p):
    """A square matrix the wrong way round."""
    if p.ndim == 2 and p.shape[0] == p.shape[1] and same(q, p.T) and not same(q, p):
        return "it is the transpose of the right one"
    return None


def reversed_axis(q, p):
    """An axis that runs backwards."""
    for axis in range(p.ndim):
        if p.shape[axis] > 1 and same(q, np.flip(p, axis)) and not same(q, p):
            return f"it is right, but reversed along {named_axis(p, axis)}"
    return None


def shifted(q, p):
    """Off by one in time."""
    if p.ndim != 3 or len(p) < 3:
        return None
    if same(q[1:], p[:-1]):
        return "it is off by one in time: entry t holds what belongs to t - 1"
    if same(q[:-1], p[1:]):
        return "it is off by one in time: entry t holds what belongs to t + 1"
    return None


def swapped_blocks(q, p):
    """Gates in another order."""
    for number, names in ((4, "ifoc"), (3, "rzn")):
        if p.shape and p.shape[-1] % number == 0 and p.shape[-1] >= number:
            ours, theirs = np.split(p, number, axis=-1), np.split(q, number, axis=-1)
            order = [next((k for k in range(number) if same(block, ours[k])), None) for block in theirs]
            if None not in order and order != sorted(order):
                found = ", ".join(names[k] for k in order)
                return f"its gates stand in the order {found}; they should be in the order {', '.join(names)}"
    return None


def clipped_entries(q, p):
    """Entries cut at a limit."""
    limit = np.abs(q).max(initial=0)
    if limit > 0 and same(q, np.clip(p, -limit, limit)) and not same(q, p):
        return f"it is the right one with every entry clipped to ±{limit:.6g}: clip in the training loop, not here"
    return None


def repeated(q, p):
    """A sum that was broadcast or never taken: the same value along an axis."""
    for axis in range(p.ndim):
        first = np.take(q, [0], axis)
        if p.shape[axis] > 1 and q.any() and same(q, np.broadcast_to(first, q.shape)) and not same(q, p):
            return f"it is the same all along {named_axis(p, axis)}: something was summed and spread that should not be"
    return None


def right_in_part(q, p):
    """Right in some time steps, or in some gates, and wrong in the others."""
    if p.ndim == 3 and len(p) > 1:
        right = [t for t in range(len(p)) if same(q[t], p[t], np.abs(p).max())]
        if right == [len(p) - 1]:
            return (
                "it is right at the last time step only: what is carried from step t + 1 back to step t is missing or "
                "wrong"
            )
        if right == [0]:
            return "it is right at the first time step only"
        if right and len(right) < len(p):
            return f"it is right at t = {', '.join(map(str, right))}, and wrong at all others"
    for number, names in ((4, "ifoc"), (3, "rzn")):
        if p.shape and p.shape[-1] % number == 0 and p.shape[-1] > number:
            pairs = zip(np.split(q, number, axis=-1), np.split(p, number, axis=-1), strict=True)
            right = [same(block, truth, np.abs(p).max()) for block, truth in pairs]
            if any(right) and not all(right):
                wrong = ", ".join(name for name, is_right in zip(names, right, strict=True) if not is_right)
                return f"of its {number} blocks of columns, only {wrong} {'is' if len(wrong) == 1 else 'are'} wrong"
    return None


def factor_of(q, p):
    """The number k with q = k p, or None where there is none, or it is 0, or 1 in the digits that are shown."""
    if not p.any() or p.size < 2:
        return None
    k = float((q * p).sum() / (p * p).sum())
    return k if k and f"{k:.6g}" != "1" and same(q, k * p) else None


def same(q, p, size=None):
    """Whether two arrays agree to a millionth of the larger's size."""
    size = max(np.abs(p).max(initial=0), np.abs(q).max(initial=0)) if size is None else size
    return q.shape == p.shape and bool((np.abs(q - p) <= CLOSE * size).all())


def close(a, b):
    """Whether two numbers agree to a millionth."""
    return abs(a - b) <= CLOSE * max(abs(a), abs(b))


def is_round(number):
    """Whether a number is one that a person would choose as a limit: 5, 0.25, 1, …"""
    return number > 0 and close(number, float(f"{number:.2g}"))


def named_sizes(arrays):
    """Sizes that a factor may be: every axis of every array, and the products of the first two axes."""
    sizes = {"2": 2}
    for array in arrays.values():
        for axis, size in enumerate(array.shape):
            if size > 1:
                sizes.setdefault(f"{axis_name(array, axis)} = {size}", size)
        if array.ndim == 3:
            sizes.setdefault(f"T·N = {array.shape[0] * array.shape[1]}", array.shape[0] * array.shape[1])
    return sizes


def axis_name(array, axis):
    """What an axis is in the package's convention: (T, N, ·) for three axes."""
    return "TN"[axis] if array.ndim == 3 and axis < 2 else f"the size of axis {axis}"


def named_axis(array, axis):
    """An axis by its number and, where it has one, its name."""
    return f"axis {axis} ({axis_name(array, axis)})" if array.ndim == 3 and axis < 2 else f"axis {axis}"
