"""Which formula someone wrote in a line of a backward, read back from its value.

The value is compared, to rounding, with what may stand there: the right value with a sign, a factor or a term more;
another gradient, alone, with another one, or times a form that derivatives have (y, 1 - y, 1 - y², y (1 - y), y w, …).
Of several readings the best is the right line with one change, or else the shortest. Arrays hold one value for each
call of the line: (calls, N, H), the last time step first.
"""

from typing import NamedTuple

import numpy as np


class Reading(NamedTuple):
    """A value, as it may have been written: as the right line with one change (1), as another one (2), or not read."""

    changes: int
    length: float
    text: str
    value: np.ndarray | None = None


NOT_READ = Reading(99, 99, "")
DERIVATIVE = 2.5  # the length of a factor that an activation's derivative has
FORMS = [  # a factor made of one field q: length, text, value
    (1, "{q}", lambda q: q),
    (2, "(1 - {q})", lambda q: 1 - q),
    (DERIVATIVE, "(1 - {q}²)", lambda q: 1 - q * q),
    (DERIVATIVE, "{q} (1 - {q})", lambda q: q * (1 - q)),
]
PAIRS = [("{q} {w}", np.multiply), ("({q} + {w})", np.add), ("({q} - {w})", np.subtract)]


def reading_of(case, wrong_run, line, value, truth, active):
    """The simplest Reading with just this value; NOT_READ if there is none.

    wrong_run is the Run in which the line has its wrong value; active are the entries that matter.
    """
    if not active.any():
        return NOT_READ
    known = {name: np.stack(calls) for name, calls in gradients_before(case, wrong_run, line).items()}
    known = {name: q[active] for name, q in known.items() if q.shape == value.shape}
    factors = factors_of({name: q[active] for name, q in fields_of(case, value.shape).items()})
    size, value, truth = np.abs(value).max(initial=0) + np.abs(truth).max(initial=0), value[active], truth[active]
    forms = [*altered(line.quantity, truth, value, known, factors), *others(known, factors)]
    return min((form for form in forms if (np.abs(form.value - value) <= 1e-7 * size).all()), default=NOT_READ,
               key=lambda form: form[:2])  # fmt: skip


def altered(q, right, value, known, factors):
    """The right value of a line, of the quantity q, with one change: nothing, a sign, a factor, a term."""
    k = float((right * value).sum() / (right * right).sum()) if right.any() else 1.0
    yield Reading(1, 1, {0: "0: nothing comes through here", -1: f"-{q}: the sign is wrong"}.get(
        round(k, 6), f"{k:.6g} {q}"), k * right)  # fmt: skip
    for name, dq in known.items():
        yield Reading(1, 3, f"{q} + {name}: one term too many", right + dq)
        yield Reading(1, 3, f"{q} - {name}: that term is left out", right - dq)
    for length, text, factor in factors:
        if length == DERIVATIVE:
            yield Reading(1, length + 1, f"{q} ⊙ {text}: that factor does not belong there", right * factor)


def others(known, factors):
    """Every other Reading in the gradients that are known, and in the factors."""
    for length, text, factor in factors:
        yield Reading(2, length + 1, f"{text}: no gradient is in it", factor)
    for name, dq in known.items():
        yield Reading(2, 1, name, dq)
        for other, term in known.items():
            yield Reading(2, 3, f"{name} + {other}", dq + term)
            yield Reading(2, 3, f"{name} - {other}", dq - term)
        for length, text, factor in factors:
            yield Reading(2, length + 1, f"{name} ⊙ {text}", dq * factor)
            yield Reading(2, length + 2, f"{name} + {text}: a sum where a product belongs", dq + factor)


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
    """(length, text, array) of what a gradient may have been multiplied by: one or two of the step's fields."""
    found = [(length, text.format(q=q), f(x)) for q, x in fields.items() for length, text, f in FORMS]
    pairs = [(q, x, w, y) for q, x in fields.items() for w, y in fields.items()]
    return found + [(4, text.format(q=q, w=w), f(x, y)) for q, x, w, y in pairs for text, f in PAIRS]
