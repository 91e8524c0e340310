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
        claimed, terms = sums(claims, direction)
        verdict = judge_along(problem, claims, direction, tolerance)
        complaint = complaint_about(problem, verdict, names, claimed, terms)
        rows.append(row(names, claims, claimed, terms, verdict, complaint is not None))
        complaints += [complaint] if complaint else []
    return rows, complaints


def sums(claims, direction):
    """Σ claim · v, and the sum of the magnitudes of its terms."""
    with np.errstate(over="ignore"):
        products = [claims[name] * v for name, v in direction.items()]
        return sum(float(product.sum()) for product in products), sum(float(abs(q).sum()) for q in products)


def judge_along(problem, claims, direction, tolerance):
    """The Verdict on the claims along a direction."""
    claimed, terms = sums(claims, direction)
    allowed = None
    if tolerance is not None:
        allowed = tolerance[1] * max(problem.size, terms) + tolerance[0] * max(abs(claimed), terms)
    return judge(problem, direction, claimed, terms, "projection", terms, allowed=allowed)


def row(names, claims, claimed, terms, verdict, is_unjudged):
    """One line of the report."""
    label, shape = (names[0], claims[names[0]].shape) if len(names) == 1 else ("all together", ())
    count = sum(claims[name].size for name in names)
    error = abs(claimed - verdict.numeric) / max(abs(claimed), abs(verdict.numeric), terms, 1e-300)
    return Row(
        label, shape, None, claimed, verdict.numeric, error, count, int(verdict.is_wrong), 0, None,
        abs(verdict.numeric), None, is_unjudged and not verdict.is_wrong,
    )  # fmt: skip


def complaint_about(problem, verdict, names, claimed, terms):
    """A sentence on what cannot be judged along a direction, or None."""
    along = f"along a direction of {', '.join(names)}"
    if not np.isfinite(verdict.numeric):
        return f"the function is not finite {along}: there is no derivative to compare with"
    if verdict.is_kink:
        return (
            f"there is a kink (a ReLU at 0, a tie of a maximum, |x| at 0) {along}, where the slopes on both sides "
            "differ: use method='central', which looks at every entry by itself"
        )
    if verdict.unseen > problem.visible * max(abs(claimed), terms) and not verdict.is_wrong:
        return (
            f"{along}, the gradient is too small to be judged: {claimed:.1e} is claimed, and what differs may be "
            "rounding of f: use method='central', or arguments at which the gradient is larger"
        )
    return None


def find_wrong(problem, name, claim, candidates, rng):
    """(the flat index of a wrong entry among many candidates or None, a complaint or None).

    Test all candidates along one random direction. If that is wrong, test one half of them, and so on: two evaluations
    for each halving.
    """
    direction = rng.standard_normal(claim.shape)
    direction /= np.sqrt((direction**2).sum())

    def verdict_on(entries):
        v = np.zeros_like(direction)
        v.flat[entries] = direction.flat[entries]
        return judge_along(problem, {name: claim}, {name: v}, None), *sums({name: claim}, {name: v})

    verdict, claimed, terms = verdict_on(candidates)
    if not verdict.is_wrong or verdict.is_kink:
        hidden = verdict.unseen > problem.visible * max(abs(claimed), terms)
        return None, complaint_about(problem, verdict, [f"the entries of {name} that were not drawn"], claimed, terms) if hidden else None
    while len(candidates) > 1:
        half = candidates[: len(candidates) // 2]
        candidates = half if verdict_on(half)[0].is_wrong else candidates[len(half) :]
    return candidates[0], None
