"""The dot-product test: Σ gradient · v must be the derivative of f along v, for a random direction v."""

import numpy as np

from numpylm.proof.gradient_report import Row
from numpylm.proof.verdict import judge


def project(problem, claims, tolerance, rng):
    """(rows, complaints): each array along a direction of its own, then all arrays together.

    tolerance is (rtol, atol) if one was asked for, else None.
    """
    groups = [[name] for name in claims] + ([list(claims)] if len(claims) > 1 else [])
    rows, complaints = [], []
    for names in groups:
        direction = {name: rng.standard_normal(claims[name].shape) for name in names}
        verdict, claimed, terms = judge_along(problem, claims, direction, tolerance)
        complaint = complaint_about(problem, verdict, names, claimed, terms)
        label, shape = (names[0], claims[names[0]].shape) if len(names) == 1 else ("all together", ())
        values = [claimed, verdict.slope, True, verdict.is_wrong, verdict.is_kink, verdict.unsure]
        unjudged = complaint is not None and not verdict.is_wrong
        rows.append(Row(label, shape, *map(np.array, values), True, unjudged, terms))
        complaints += [complaint] if complaint else []
    return rows, complaints


def judge_along(problem, claims, direction, tolerance=None):
    """(the Verdict along a direction, Σ claim · v, the sum of its terms' sizes)."""
    with np.errstate(over="ignore"):
        products = [claims[name] * v for name, v in direction.items()]
        claimed, terms = sum(float(q.sum()) for q in products), sum(float(abs(q).sum()) for q in products)
        allowed = tolerance and tolerance[1] * max(problem.size, terms) + tolerance[0] * max(abs(claimed), terms)
    largest = max(terms, *[np.abs(claim).max(initial=0) for claim in claims.values()])
    return judge(problem, direction, claimed, largest, "projection", terms, allowed), claimed, terms


def complaint_about(problem, verdict, names, claimed, terms):
    """A sentence on what cannot be judged along a direction, or None."""
    along = f"along a direction of {', '.join(names)}"
    if not np.isfinite(verdict.slope):
        return f"the function is not finite {along}: there is no derivative to compare with"
    if verdict.is_kink:
        return (
            f"there is a kink (a ReLU at 0, a tie of a maximum, |x| at 0) {along}, where the slopes on both sides "
            "differ: use method='central', which looks at every entry by itself"
        )
    if verdict.unsure > problem.visible * max(abs(claimed), terms) and not verdict.is_wrong:
        return (
            f"{along}, the gradient is too small to be judged: {claimed:.1e} is claimed, and f rounds as much: use "
            "method='central', or arguments at which the gradient is larger"
        )
    return None


def find_wrong(problem, name, claim, candidates, rng):
    """(the flat index of a wrong entry among many candidates or None, a complaint or None).

    Test all candidates along one random direction. If that is wrong, test one half of them, and so on.
    """
    direction = rng.standard_normal(claim.shape)
    direction /= np.sqrt((direction**2).sum())

    def judge_entries(entries):
        v = np.zeros_like(direction)
        v.flat[entries] = direction.flat[entries]
        return judge_along(problem, {name: claim}, {name: v})

    verdict, claimed, terms = judge_entries(candidates)
    if verdict.is_kink or not np.isfinite(verdict.slope):
        return None, None
    if not verdict.is_wrong:
        return None, complaint_about(problem, verdict, [f"the entries of {name} that were not drawn"], claimed, terms)
    while len(candidates) > 1:
        half = candidates[: len(candidates) // 2]
        candidates = half if judge_entries(half)[0].is_wrong else candidates[len(half) :]
    return candidates[0], None
