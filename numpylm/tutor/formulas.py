"""Which formula someone wrote, read back from its value.

A line's value is compared, to rounding, with what may stand there: another gradient, the right value with a sign or a
factor, a gradient times a form that derivatives have (y, 1 - y, 1 - y², y (1 - y), …), a sum with one term too many or
too few, a product with the recurrent weights or their transpose, a forward quantity without a gradient. Of several that
fit, the one counts that changes the fewest symbols of the right line (changes.py), and of those the shortest. All
arrays hold one value for each call of the line, (calls, N, H); run is a Wiretap (wiretap.py), of a run that went the
way of the claim.
"""

import numpy as np

from numpylm.tutor.changes import changes_of
from numpylm.tutor.symbols import Formula, Symbols

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
