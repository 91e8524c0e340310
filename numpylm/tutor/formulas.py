"""Which formula someone wrote in a line of a backward, read back from its value.

The value is compared, to rounding, with what may stand there: another gradient; the right value with a sign, a factor
or a term more; a gradient times a form that derivatives have (y, 1 - y, 1 - y², y (1 - y), …); a product with the
recurrent weights. Of several readings the best is the right line with one change, or else the shortest.
Arrays hold one value for each call of the line: (calls, N, H), the last time step first.
"""

from typing import Any, NamedTuple

import numpy as np

from numpylm.activations import sigmoid


class Formula(NamedTuple):
    """A formula, how long it is, its value, and whether it is the right line with one change (1) or another one (2)."""

    text: str
    length: float
    value: Any = None
    changes: int = 2


NOT_READ = Formula("", 99, None, 99)
DERIVATIVE = 2.5  # the length of a factor that an activation's derivative has
FORMS = [  # a factor made of one field q: text, length, value
    ("{q}", 1, lambda q: q), ("(1 - {q})", 2, lambda q: 1 - q),
    ("(1 - {q}²)", DERIVATIVE, lambda q: 1 - q * q), ("{q} (1 - {q})", DERIVATIVE, lambda q: q * (1 - q)),
    ("(1 - {q})²", 3, lambda q: (1 - q) ** 2), ("(1 + {q})", 3, lambda q: 1 + q), ("σ({q})", 3, sigmoid),
    ("(1 + {q}²)", 3, lambda q: 1 + q * q), ("(1 - tanh({q})²)", 3, lambda q: 1 - np.tanh(q) ** 2),
    ("1 / (1 - {q}²)", 3, lambda q: 1 / (1 - q * q)), ("1 / ({q} (1 - {q}))", 3, lambda q: 1 / (q * (1 - q))),
]  # fmt: skip
PAIRS = [("{q} {w}", np.multiply), ("({q} + {w})", np.add), ("({q} - {w})", np.subtract)]


def formula_of(case, wrong_run, line, value, truth, active):
    """The simplest Formula with just this value; NOT_READ if there is none.

    wrong_run is the Run in which the line has its wrong value; active are the entries that matter.
    """
    if not active.any():
        return NOT_READ
    gradients = {name: np.stack(calls) for name, calls in gradients_before(case, wrong_run, line).items()}
    products = {name: q[active] for name, q in products_of(case, gradients, value.shape).items()}
    gradients = {name: q[active] for name, q in gradients.items() if q.shape == value.shape}
    factors = factors_of({name: q[active] for name, q in fields_of(case, value.shape).items()})
    size = np.abs(value).max(initial=0) + np.abs(truth).max(initial=0)
    forms = [*altered(line.quantity, truth[active], value[active], gradients, factors),
             *others(gradients, products, factors)]  # fmt: skip
    found = [form for form in forms if (np.abs(form.value - value[active]) <= 1e-7 * size).all()]
    return min(found, key=lambda form: (form.changes, form.length), default=NOT_READ)


def altered(q, right, value, gradients, factors):
    """The right value of a line, of the quantity q, with one change: nothing, a sign, a factor, a term."""
    k = float((right * value).sum() / (right * right).sum()) if right.any() else 1.0
    yield Formula("0: nothing comes through here", 0, np.zeros(()), 1)
    yield Formula(f"-{q}: the sign is wrong", 1, -right, 1)
    yield Formula(f"{k:.6g} {q}", 2, k * right, 1)
    for name, dq in gradients.items():
        yield Formula(f"{q} + {name}: one term too many", 3, right + dq, 1)
        yield Formula(f"{q} - {name}: that term is left out", 3, right - dq, 1)
    for text, length, factor, _ in factors:
        if length == DERIVATIVE:
            yield Formula(f"{q} ⊙ {text}: that factor does not belong there", length + 1, right * factor, 1)


def others(gradients, products, factors):
    """Every other Formula of a line's symbols."""
    terms = {**gradients, **products}
    for name, dq in terms.items():
        yield Formula(name, 1 + (name in products), dq)
    for text, length, factor, _ in factors:
        yield Formula(f"{text}: no gradient is in it", length + 1, factor)
    for name, dq in gradients.items():
        for other, term in terms.items():
            yield Formula(f"{name} + {other}", 3, dq + term)
            yield Formula(f"{name} - {other}", 3, dq - term)
        for text, length, factor, _ in factors:
            yield Formula(f"{name} ⊙ {text}", length + 1, dq * factor)
            yield Formula(f"{name} + {text}: a sum where a product belongs", length + 2, dq + factor)


def products_of(case, gradients, shape):
    """Name -> product of a gradient with the recurrent weights or their transpose, after recurrent dropout."""
    found = {}
    if case.cell:
        parameters, mask = case.arguments["parameters"], case.arguments["trace"].recurrent_dropout
        name, W = parameters._fields[1], parameters[1]
        for dq, u in gradients.items():
            for text, matrix in ((f"{dq} {name}", W), (f"{dq} {name}ᵀ", W.T)):
                if u.shape[-1] == len(matrix) and (*u.shape[:-1], matrix.shape[1]) == shape:
                    is_dropped = mask is not None and mask.shape == shape[1:]
                    found[text] = u @ matrix * mask if is_dropped else u @ matrix
    return found


def gradients_before(case, wrong_run, line):
    """Name -> calls of every gradient that is known when a line runs; in the loop, dh_next is what it was before."""
    order = list(wrong_run.values)  # of the lines' first calls
    before, inside = order[: order.index(line)], line.function == case.step
    if not case.cell:
        given = {name: [q] for name, q in case.arguments.items() if name.startswith("d")}
        return given | {other.quantity: wrong_run.values[other] for other in before}
    known = {} if inside else {"dh[t]": list(case.arguments["dh"][::-1])}
    for other in before:
        name, calls = other.quantity, wrong_run.values[other]
        if inside and other.function != case.step:
            name = {"dh_t": "dh_t", "dc_t": "dc_next"}.get(name)  # the step's arguments
        elif name in ("dh_next", "dc_next"):
            calls = [call for each in order if each.quantity == name for call in wrong_run.values[each]][: case.T]
        if name:
            known[name] = calls
    return known


def fields_of(case, shape):
    """Name -> array of the forward's intermediates that have a line's shape, stacked like its calls."""
    if case.cell:
        steps = case.arguments["trace"].steps[::-1]
        fields = {name: np.stack([getattr(step, name) for step in steps]) for name in steps[0]._fields}
    else:
        given = {name: q for name, q in case.arguments.items() if isinstance(q, np.ndarray)}
        fields = {name: q[None] for name, q in given.items() if not name.startswith("d")}
    return {name: q for name, q in fields.items() if q.shape == shape}


@np.errstate(all="ignore")
def factors_of(fields):
    """What a gradient may have been multiplied by: the step's fields, in the forms that derivatives have."""
    found = [Formula(text.format(q=q), length, f(x)) for q, x in fields.items() for text, length, f in FORMS]
    pairs = [(q, x, w, y) for q, x in fields.items() for w, y in fields.items()]
    return found + [Formula(text.format(q=q, w=w), 4, f(x, y)) for q, x, w, y in pairs for text, f in PAIRS]
