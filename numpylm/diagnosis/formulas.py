"""Which formula someone wrote, read back from its value.

A line's value is compared, to rounding, with what may stand there: another gradient, the right value with a sign or a
factor, a gradient times a form that derivatives have (y, 1 - y, 1 - y², y (1 - y), …), a sum with one term too many or
too few, a product with the recurrent weights or their transpose, a forward quantity without a gradient. Of products
with a factor the shortest counts, its length being Formula.complexity. All arrays hold one value for each call of the
line, (calls, N, H); run is a Wiretap (wiretap.py), of a run that went the way of the claim.
"""

from typing import Any, NamedTuple

import numpy as np


class Formula(NamedTuple):
    """A formula and how long it is."""

    text: str
    complexity: int
    value: Any


def formula_of(run, line, value, truth, active):
    """(complexity, text) of the simplest formula whose value is just this; (99, "") where none is found."""
    target, size = value[active], np.abs(value).max(initial=0) + np.abs(truth).max(initial=0)

    def is_it(candidate):
        return bool((np.abs(candidate - target) <= 1e-7 * size).all())

    if not active.any():
        return 99, ""
    if is_it(0):
        return 0, "0: nothing comes through here"
    gradients = gradients_before(run, line, value.shape)
    for candidate in [*plain(gradients), *altered(line, truth, target, active)]:
        if is_it(candidate.value[active]):
            return candidate.complexity, candidate.text
    best = product_with_factor(gradients, factors_of(run, line, value.shape, active), target, size, active)
    if best[1]:
        return best
    others = sums(gradients, truth, line) + products(run, line, value.shape)
    for candidate in others + stray_fields(gradients, fields_of(run, line, value.shape)):
        if is_it(candidate.value[active]):
            return candidate.complexity, candidate.text
    return best


def product_with_factor(gradients, factors, target, size, active):
    """(complexity, text) of the simplest product of a gradient and a factor that is the target; (99, "") without."""
    best = 99, ""
    if not factors:
        return best
    table = np.stack([factor.value for factor in factors])
    for name, gradient in gradients.items():
        fits = (np.abs(gradient[active] * table - target) <= 1e-7 * size).all(axis=1)
        for k in np.flatnonzero(fits):
            if factors[k].complexity + 1 < best[0]:
                best = factors[k].complexity + 1, f"{name} ⊙ {factors[k].text}"
    return best


def plain(gradients):
    """Each gradient by itself."""
    return [Formula(name, 1, value) for name, value in gradients.items()]


def altered(line, truth, target, active):
    """The right value with a sign or a factor."""
    right = truth[active]
    k = float((right * target).sum() / (right * right).sum()) if right.any() else 1.0
    return [
        Formula(f"-{line.quantity}: the sign is wrong", 1, -truth),
        Formula(f"{k:.6g} {line.quantity}", 2, k * truth),
    ]


def sums(gradients, truth, line):
    """Sums and differences of two gradients, and the right value with one gradient too many or too few."""
    found = []
    for name, value in gradients.items():
        found += [Formula(f"{line.quantity} + {name}: one term too many", 3, truth + value)]
        found += [Formula(f"{line.quantity} - {name}: that term is left out", 3, truth - value)]
        for other, second in gradients.items():
            found += [Formula(f"{name} + {other}", 3, value + second), Formula(f"{name} - {other}", 3, value - second)]
    return found


def stray_fields(gradients, fields):
    """Fields of the forward pass where the gradient was forgotten, or was added to."""
    found = []
    for q, x in fields.items():
        found += [Formula(f"{q}: no gradient is in it", 2, x), Formula(f"(1 - {q}): no gradient is in it", 3, 1 - x)]
        for name, value in gradients.items():
            found.append(Formula(f"{name} + {q}: a sum where a product belongs", 3, value + x))
    return found


def products(run, line, shape):
    """Gradients times the recurrent weights, and their transpose."""
    weights = weights_of(run.inputs)
    found = []
    for name, calls in values_before(run, line).items():
        u = np.stack(calls)
        for symbol, W in weights.items():
            for text, matrix in ((f"{name} {symbol}", W), (f"{name} {symbol}ᵀ", W.T)):
                if u.shape[-1] == matrix.shape[0] and (*u.shape[:-1], matrix.shape[1]) == shape:
                    found.append(Formula(text, 2, u @ matrix))
    return found


def weights_of(inputs):
    """The recurrent weights among the inputs."""
    given = {**inputs, **(inputs["parameters"]._asdict() if "parameters" in inputs else {})}
    return {name: given[name] for name in ("W_h", "W_hh") if name in given}


def gradients_before(run, line, shape):
    """Name -> array of every gradient of a line's shape that is known when it runs."""
    stacked = {name: np.stack(calls) for name, calls in values_before(run, line).items()}
    return {name: array for name, array in stacked.items() if array.shape == shape}


def values_before(run, line):
    """Name -> calls of every gradient that is known when a line runs; in a loop dh_next is what it was before."""
    known = {}
    for key, calls in run.arguments.items():
        function, name = key.split()
        if function == line.function and name.startswith("d") and isinstance(calls[0], np.ndarray):
            known[name] = calls
    in_step = "step" in line.function
    for other, calls in run.values.items():
        if (other.function == line.function and other.order >= line.order) or (
            in_step and other.function != line.function
        ):
            continue
        known[other.quantity] = calls
    if "trace" in run.inputs and not in_step and "dh" in run.inputs:
        known["dh[t]"] = list(run.inputs["dh"][::-1])
        for name in ("dh_next", "dc_next"):
            calls = [call for other, found in run.values.items() if other.quantity == name for call in found]
            known[name] = calls[: len(run.inputs["dh"])]  # the first is dstate_T's
        known.update({other.quantity: calls for other, calls in run.values.items() if "step" in other.function})
    return {name: [np.asarray(call) for call in calls] for name, calls in known.items() if len(calls)}


def factors_of(run, line, shape, active):
    """What a gradient may have been multiplied by: the step's fields, in the forms that derivatives have."""
    fields = {name: array[active] for name, array in fields_of(run, line, shape).items()}
    found = []
    for q, x in fields.items():
        found += [Formula(q, 1, x), Formula(f"(1 - {q})", 2, 1 - x), Formula(f"{q}²", 2, x * x)]
        found += [Formula(f"(1 - {q}²)", 2, 1 - x * x), Formula(f"{q} (1 - {q})", 2, x * (1 - x))]
        found += [
            Formula(f"(1 + {q})", 3, 1 + x),
            Formula(f"(1 + {q}²)", 3, 1 + x * x),
            Formula(f"(1 - tanh({q})²)", 4, 1 - np.tanh(x) ** 2),
        ]
        for w, y in fields.items():
            found += [
                Formula(f"{q} {w}", 4, x * y),
                Formula(f"({q} + {w})", 4, x + y),
                Formula(f"({q} - {w})", 4, x - y),
            ]
    return found


def fields_of(run, line, shape):
    """Name -> array of the forward pass's intermediates, stacked like a line's values."""
    calls = [step for key, steps in run.arguments.items() if key.endswith(" step") for step in steps]
    if not calls:
        given = {
            key.split()[1]: np.asarray(calls[0])[None]
            for key, calls in run.arguments.items()
            if isinstance(calls[0], np.ndarray) and not key.split()[1].startswith("d")
        }
        return {name: array for name, array in given.items() if array.shape == shape}
    fields = {name: np.stack([getattr(step, name) for step in calls]) for name in calls[0]._fields}
    return {name: array for name, array in fields.items() if array.shape == shape}
