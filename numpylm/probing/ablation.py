"""Cause, not correlation: what becomes of the verb's number when we change units while the model reads.

    off     the unit's h, and in an LSTM its c, are 0 after every step
    cut     its c alone is 0 after every step: f_t ⊙ c_{t-1} in equation (7) then carries nothing (LSTM)
    swap    from the subject to the verb it is held at its mean for the subjects of the other number

The verb is right if the model prefers it to the same verb in the other number. Units that tell the number are compared
with random ones, since every change does some damage.

Sources: Y. Lakretz and others, The emergence of number and syntax units in LSTM language models (2019), for switching
off; T. Linzen, E. Dupoux and Y. Goldberg (2016), for the verb's two forms.
"""

import numpy as np

from numpylm.probing.measures import strength
from numpylm.probing.reading import hold, logit_difference, output_h, read, unit_names, units_of
from numpylm.probing.sentences import Sentences
from numpylm.probing.units import in_ranges

NUMBERS_OF_UNITS = (1, 4, 16)
DRAWS = 5  # of random units
MOST_SINGLE = 150  # units that are switched off one by one


def measure_ablation(model, fitting: Sentences, testing: Sentences, areas, rng) -> dict:
    """Units are chosen by areas, each unit's AUC for number by its name, and measured on the testing sentences.

    as_trained   the shares of right verbs
    single       by the names of the MOST_SINGLE strongest units: the share of fitting verbs lost when it alone is off
    changes      [kind]["4"], for 4 units: the names of the units that tell the number best; strongest, the shares when
                 they are changed; random, the shares for each of DRAWS draws of as many others
    """
    ranked, means = strongest_units(model, areas), means_by_number(model, fitting)
    names = dict(zip(units_of(model), unit_names(model), strict=True))

    def right(sentences, kind, units):
        return agreement(model, sentences, change(model, sentences, kind, units, means))

    before = agreement(model, fitting).mean()
    changes = {}
    for kind in ("off", "cut", "swap") if "c" in model.cell.State._fields else ("off", "swap"):
        for k in (k for k in NUMBERS_OF_UNITS if 2 * k <= len(ranked)):
            draws = [[ranked[j] for j in k + rng.choice(len(ranked) - k, k, replace=False)] for _ in range(DRAWS)]
            strongest, *random = (shares(testing, right(testing, kind, units)) for units in [ranked[:k], *draws])
            units = [names[unit] for unit in ranked[:k]]
            changes.setdefault(kind, {})[str(k)] = {"units": units, "strongest": strongest, "random": random}
    return {
        "as_trained": shares(testing, agreement(model, testing)),
        "single": {names[unit]: float(before - right(fitting, "off", [unit]).mean()) for unit in ranked[:MOST_SINGLE]},
        "changes": changes,
    }


def strongest_units(model, areas):
    """The units of the memory, c in an LSTM and h in others: first those that tell the number best."""
    memory = model.cell.State._fields[-1]
    rated = dict(zip(units_of(model), strength(np.array(list(areas.values()))), strict=True))
    return sorted((unit for unit in rated if unit.field == memory), key=lambda unit: -rated[unit])


def means_by_number(model, sentences: Sentences) -> dict:
    """Unit -> array (2,): its mean over the words after which the verb of a singular, or of a plural subject waits."""
    states = read(model, sentences)
    means = np.stack([states[sentences.number == number].mean(axis=0) for number in (0, 1)], axis=1)
    return dict(zip(units_of(model), means, strict=True))


def change(model, sentences: Sentences, kind, units, means):
    """The edit for read that makes a change of this kind; off and swap change h and c of a unit together."""
    fields = ("c",) if kind == "cut" else model.cell.State._fields
    units = [unit._replace(field=field) for unit in units for field in fields]
    zeros = np.zeros(sentences.tokens.shape)
    if kind != "swap":
        return hold(dict.fromkeys(units, zeros))
    waits, other = sentences.number >= 0, 1 - sentences.number
    return hold({unit: np.where(waits, means[unit][np.where(waits, other, 0)], np.nan) for unit in units})


def agreement(model, sentences: Sentences, edit=None):
    """(M,) booleans: whether each verb is preferred to its other number."""
    verbs = sentences.verbs
    states = read(model, sentences, edit)
    h = output_h(model, states)[verbs.row, verbs.sentence]
    return logit_difference(model, h, verbs.token, verbs.other) > 0


def shares(sentences: Sentences, right) -> dict:
    """The share of right verbs: of all, by DISTANCES from the subject, and where the nearest noun misleads."""
    verbs = sentences.verbs
    groups = in_ranges(verbs.distance)
    return {
        "all": float(right.mean()),
        "by_distance": [float(right[here].mean()) if here.any() else None for here in groups],
        "misled": float(right[verbs.misled].mean()) if verbs.misled.any() else None,
    }
