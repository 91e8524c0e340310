"""Which formula someone wrote, read back from its value.

A line's value is compared, to rounding, with what may stand there: another gradient, the right value with a sign or a
factor, a gradient times a form that derivatives have (y, 1 - y, 1 - y², y (1 - y), …), a sum with one term too many or
too few, a product with the recurrent weights or their transpose, a forward quantity without a gradient. Of several that
fit, the one counts that changes the fewest symbols of the right line (changes.py), and of those the shortest. All
arrays hold one value for each call of the line, (calls, N, H); run is a Wiretap (wiretap.py), of a run that went the
way of the claim.
"""

from typing import Any, NamedTuple

import numpy as np

from numpylm.diagnosis.changes import changes_of


class Formula(NamedTuple):
    """A formula, how long it is, and in how many symbols it differs from the right one (None: to be counted)."""

    text: str
    complexity: int
    value: Any
    changes: int | None = None


NOT_READ = Formula("", 99, None, 99)


def formula_of(run, line, value, truth, active):
    """The Formula whose value is just this, with the fewest changes to the right line; NOT_READ where none is found.

    value, truth and active are (calls, N, H): what the line had, what it should have had, and the entries that matter.
    """
    if not active.any():
        return NOT_READ
    given = Symbols(run, line, value.shape, active)
    right = the_right_one(given, truth[active])
    size = np.abs(value).max(initial=0) + np.abs(truth).max(initial=0)
    readings = [
        reading._replace(changes=changes_of(reading, right, line, given.names))
        for reading in altered(given, line, truth[active], value[active], size)
        + readings_of(given, value[active], size)
    ]
    return min(readings, key=lambda reading: (reading.changes, reading.complexity), default=NOT_READ)


class Symbols:
    """What may stand in a line, each at the entries that matter: gradients, products with weights, factors."""

    def __init__(self, run, line, shape, active):
        gradients = gradients_before(run, line, shape)
        self.gradients = {name: value[active] for name, value in gradients.items()}
        self.products = [product._replace(value=product.value[active]) for product in products(run, line, shape)]
        self.factors = factors_of(run, line, shape, active)
        dropout = dropout_of(run.inputs, shape)
        self.dropout = None if dropout is None else np.broadcast_to(dropout, shape)[active]
        fields = fields_of(run, line, shape)
        self.names = {*values_before(run, line), *fields, *weights_of(run.inputs)}


def the_right_one(given, truth):
    """The reading of the right value, None where it has none: of several the shortest."""
    readings = readings_of(given, truth, 2 * np.abs(truth).max(initial=0))
    return min(readings, key=lambda reading: reading.complexity, default=None)


def readings_of(given, target, size):
    """Every Formula of a line's symbols whose value is the target."""
    listed = [*plain(given.gradients), *sums(given.gradients, given.dropout), *given.products]
    found = [formula for formula in listed if equal(formula.value, target, size).all()]
    if not given.factors:
        return found
    table = np.stack([factor.value for factor in given.factors])

    def add(form, values, length):
        for k in np.flatnonzero(equal(values, target, size).all(axis=1)):
            factor = given.factors[k]
            found.append(Formula(form.format(factor.text), factor.complexity + length, None))

    add("{}: no gradient is in it", table, 1)
    for name, gradient in given.gradients.items():
        add(f"{name} ⊙ {{}}", gradient * table, 1)
        add(f"{name} + {{}}: a sum where a product belongs", gradient + table, 2)
    return found


def equal(values, target, size):
    """Booleans: where values are the target's, to rounding."""
    return np.abs(values - target) <= 1e-7 * size


def plain(gradients):
    """Each gradient by itself."""
    return [Formula(name, 1, value) for name, value in gradients.items()]


def altered(given, line, right, target, size):
    """The readings of a target as the right value with one change: nothing, a sign, a factor, a term."""
    k = float((right * target).sum() / (right * right).sum()) if right.any() else 1.0
    forms = [
        Formula("0: nothing comes through here", 0, np.zeros(()), 1),
        Formula(f"-{line.quantity}: the sign is wrong", 1, -right, 1),
        Formula(f"{k:.6g} {line.quantity}", 2, k * right, 1),
    ]
    for name, value in given.gradients.items():
        forms.append(Formula(f"{line.quantity} + {name}: one term too many", 3, right + value, 1))
        forms.append(Formula(f"{line.quantity} - {name}: that term is left out", 3, right - value, 1))
    return [form for form in forms if equal(form.value, target, size).all()]


def sums(gradients, dropout):
    """Sums and differences of two gradients, the second with recurrent dropout where there is any."""
    found = []
    for name, value in gradients.items():
        for other, second in gradients.items():
            found += [Formula(f"{name} + {other}", 3, value + second), Formula(f"{name} - {other}", 3, value - second)]
            if dropout is not None:
                found += [Formula(f"{name} + drop({other})", 4, value + second * dropout)]
                found += [Formula(f"{name} - drop({other})", 4, value - second * dropout)]
    return found


def dropout_of(inputs, shape):
    """What recurrent dropout multiplies by, if it is on; of the shape of one step's gradients."""
    dropout = inputs.get("recurrent_dropout", getattr(inputs.get("trace"), "recurrent_dropout", None))
    return dropout if dropout is not None and dropout.shape == shape[1:] else None


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
                Formula(f"(1 - {q} - {w})", 5, 1 - x - y),
                Formula(f"({q} - (1 - {w}))", 5, x - (1 - y)),
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
