"""Which formula someone wrote in a line of a backward, read back from its value.

The value is compared, to rounding, with what may stand there: another gradient, the right value with a sign, a factor or
a term more, a gradient times a form that derivatives have (y, 1 - y, 1 - y², y (1 - y), …), a product with the recurrent
weights. Of several readings, the one counts that changes the fewest symbols of the right line, then the shortest. Arrays
hold one value for each call of the line: (calls, N, H), the last time step first.
"""

import re
from typing import Any, NamedTuple

import numpy as np

from numpylm.activations import sigmoid


class Formula(NamedTuple):
    """A formula, how long it is, its value, and by how many symbols it differs from the right line (None: count)."""

    text: str
    length: int
    value: Any = None
    changes: int | None = None


class Symbols(NamedTuple):
    """What may stand in a line: gradients and products, name -> array; factors, Formulas; names of all symbols."""

    gradients: dict
    products: dict
    factors: list
    names: set


NOT_READ = Formula("", 99, None, 99)
FORMS = [  # a factor made of one field q: text, length, value
    ("{q}", 1, lambda q: q), ("(1 - {q})", 2, lambda q: 1 - q), ("{q}²", 2, lambda q: q * q),
    ("(1 - {q}²)", 2, lambda q: 1 - q * q), ("{q} (1 - {q})", 2, lambda q: q * (1 - q)),
    ("(1 - {q})²", 3, lambda q: (1 - q) ** 2), ("(1 + {q})", 3, lambda q: 1 + q), ("σ({q})", 3, sigmoid),
    ("(1 + {q}²)", 3, lambda q: 1 + q * q), ("(1 - tanh({q})²)", 3, lambda q: 1 - np.tanh(q) ** 2),
    ("1 / (1 - {q}²)", 3, lambda q: 1 / (1 - q * q)), ("1 / ({q} (1 - {q}))", 3, lambda q: 1 / (q * (1 - q))),
]  # fmt: skip
PAIRS = [("{q} {w}", np.multiply), ("({q} + {w})", np.add), ("({q} - {w})", np.subtract)]


def formula_of(case, world, line, value, truth, active):
    """The Formula with just this value and the fewest changes to the right line; NOT_READ if there is none.

    world is the Run in which the line has its wrong value; active are the entries that matter.
    """
    if not active.any():
        return NOT_READ
    given = symbols(case, world, line, value.shape, active)
    size = np.abs(value).max(initial=0) + np.abs(truth).max(initial=0)
    value, truth = value[active], truth[active]
    right = min(readings(given, truth, size), key=lambda reading: reading.length, default=None)
    found = [*altered(given, line, truth, value, size), *readings(given, value, size)]
    counted = [reading._replace(changes=changes_of(reading, right, line, given.names)) for reading in found]
    return min(counted, key=lambda reading: (reading.changes, reading.length), default=NOT_READ)


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
    more = [
        Formula(f"{line.quantity} ⊙ {factor.text}: that factor does not belong there", factor.length + 1, None, 1)
        for factor in given.factors
        if factor.length < 4 and equal(right * factor.value, target, size)
    ]
    return [form for form in forms if equal(form.value, target, size)] + more


def readings(given, target, size):
    """Every Formula of a line's symbols whose value is the target."""
    terms = {**given.gradients, **given.products}
    listed = [Formula(name, 1 + (name in given.products), value) for name, value in terms.items()]
    for name, value in given.gradients.items():
        for other, second in terms.items():
            listed += [Formula(f"{name} + {other}", 3, value + second), Formula(f"{name} - {other}", 3, value - second)]
    found = [formula for formula in listed if equal(formula.value, target, size)]
    for factor in given.factors:
        if equal(factor.value, target, size):
            found.append(Formula(f"{factor.text}: no gradient is in it", factor.length + 1))
        for name, gradient in given.gradients.items():
            if equal(gradient * factor.value, target, size):
                found.append(Formula(f"{name} ⊙ {factor.text}", factor.length + 1))
            if equal(gradient + factor.value, target, size):
                text = f"{name} + {factor.text}: a sum where a product belongs"
                found.append(Formula(text, factor.length + 2))
    return found


def equal(value, target, size):
    """Whether a value is the target's, to rounding."""
    return bool((np.abs(value - target) <= 1e-7 * size).all())


def symbols(case, world, line, shape, active):
    """The Symbols of a line, each at the active entries."""
    gradients = {name: np.stack(calls) for name, calls in gradients_before(case, world, line).items()}
    weights, products = recurrent_weights(case), {}
    for name, u in gradients.items():
        for text, W in weights.items():
            if u.shape[-1] == W.shape[0] and (*u.shape[:-1], W.shape[1]) == shape:
                products[f"{name} {text}"] = dropped(case, u @ W)[active]
    fields = fields_of(case, line, shape)
    alike = {name: q[active] for name, q in gradients.items() if q.shape == shape}
    factors = factors_of({name: q[active] for name, q in fields.items()})
    return Symbols(alike, products, factors, {*gradients, *fields, *[name.rstrip("ᵀ") for name in weights]})


def gradients_before(case, world, line):
    """Name -> calls of every gradient that is known when a line runs; in the loop, dh_next is what it was before."""
    order = list(world.values)  # of the lines' first calls
    before, inside = order[: order.index(line)], line.function == case.step
    if not case.cell:
        given = {name: [q] for name, q in case.arguments.items() if name.startswith("d")}
        return given | {other.quantity: world.values[other] for other in before}
    known = {} if inside else {"dh[t]": list(case.arguments["dh"][::-1])}
    for other in before:
        name, calls = other.quantity, world.values[other]
        if inside and other.function != case.step:
            name = {"dh_t": "dh_t", "dc_t": "dc_next"}.get(name)  # the step's arguments
        elif name in ("dh_next", "dc_next"):
            calls = [call for each in order if each.quantity == name for call in world.values[each]][: case.T]
        if name:
            known[name] = calls
    return known


def recurrent_weights(case):
    """The recurrent weights and their transpose."""
    if not case.cell:
        return {}
    name = "W_hh" if case.cell == "rnn" else "W_h"
    W = getattr(case.arguments["parameters"], name)
    return {name: W, f"{name}ᵀ": W.T}


def dropped(case, q):
    """A product with the recurrent weights' transpose, after recurrent dropout where there is any."""
    mask = case.arguments["trace"].recurrent_dropout
    return q if mask is None or mask.shape != q.shape[1:] else q * mask


def fields_of(case, line, shape):
    """Name -> array of the forward's intermediates, stacked like a line's calls."""
    if case.cell:
        steps = case.arguments["trace"].steps[::-1]
        fields = {name: np.stack([getattr(step, name) for step in steps]) for name in steps[0]._fields}
    else:
        given = {name: q for name, q in case.arguments.items() if isinstance(q, np.ndarray)}
        fields = {name: q[None] for name, q in given.items() if not name.startswith("d")}
    return {name: q for name, q in fields.items() if q.shape == shape}


def factors_of(fields):
    """What a gradient may have been multiplied by: the step's fields, in the forms that derivatives have."""
    found = []
    with np.errstate(all="ignore"):
        for q, x in fields.items():
            found += [Formula(text.format(q=q), length, f(x)) for text, length, f in FORMS]
            for w, y in fields.items():
                found += [Formula(text.format(q=q, w=w), 4, f(x, y)) for text, f in PAIRS]
    return found


def changes_of(formula, right, line, names):
    """How many symbols of a line must be changed for a formula to stand there: one at least, for it is wrong.

    right is the right value in the same notation, or None; names are what may stand in the line.
    """
    if formula.changes is not None:
        return formula.changes
    ours = symbols_in(right.text if right else line.source.partition("=")[2], names)
    theirs = symbols_in(formula.text, names)
    changed = max(len(ours - theirs), len(theirs - ours))
    if right and len(ours) == len(theirs) and operations(formula.text, names) != operations(right.text, names):
        changed += 1
    return max(1, changed)


def symbols_in(text, names):
    """The names in a formula, or in a line of source, that stand for arrays."""
    text = text.replace("ᵀ", " ").partition(":")[0]
    return {word for word in re.findall(r"[^\W\d]\w*(?:\[t\])?", text) if word in names}


def operations(text, names):
    """A formula with a mark in place of every name."""
    text = text.partition(":")[0]
    for word in sorted(symbols_in(text, names), key=len, reverse=True):
        text = text.replace(word, "·")
    return text
