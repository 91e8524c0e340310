"""How well each unit alone, and a linear probe of all units, tells each property of a sentence.

The best unit and the probe are chosen on one set of sentences and measured on another one. Two controls: a model of the
same shape that was never trained, and labels that were shuffled among the words.
"""

from typing import NamedTuple

import numpy as np

from numpylm.probing.measures import area_under_curve, control_labels, fit_probe, strength
from numpylm.probing.reading import read, unit_names
from numpylm.probing.sentences import Sentences

DISTANCES = ((1, 1), (2, 4), (5, 9), (10, 99))  # in words
FAR = 5


class Property(NamedTuple):
    """A yes-or-no property of each word: label (T, N), where it is known (T, N), and the type of word (T, N) that the
    control task draws a label for."""

    label: np.ndarray
    known: np.ndarray
    word_type: np.ndarray


def properties(sentences: Sentences) -> dict[str, Property]:
    """name -> Property.

    number   the subject whose verb comes next is plural; at the words after the subject, which must be remembered
    far      this subject stands FAR words back or more; at the same words
    nested   the word stands in a modifier; at every word
    quoted   a quotation mark is open; at every word

    A control label belongs to the word itself, but for number: there it belongs to the subject's noun.
    """
    tokens, subject = sentences.tokens, sentences.subject
    is_word = sentences.depth >= 0
    remembered = (subject >= 0) & (words_since(sentences) >= 1)
    noun = np.take_along_axis(tokens, np.maximum(subject, 0), axis=0)
    return {
        "number": Property(sentences.number == 1, remembered, noun),
        "far": Property(words_since(sentences) >= FAR, remembered, tokens),
        "nested": Property(sentences.depth >= 1, is_word, tokens),
        "quoted": Property(sentences.quoted, is_word, tokens),
    }


def words_since(sentences: Sentences) -> np.ndarray:
    """(T, N): how many words after the subject each row is, where a subject waits for its verb."""
    return np.arange(len(sentences.tokens))[:, None] - sentences.subject


def measure_units(model, fitting: Sentences, testing: Sentences, rng) -> dict:
    """name of a property -> what tell returns, with the best unit and the probe of an untrained model beside it."""
    fresh = type(model)(**model.config, dtype=model.dtype, seed=int(rng.integers(2**31)))
    found, untrained = (tell(each, fitting, testing, rng) for each in (model, fresh))
    for name, told in found.items():
        told |= {f"untrained_{key}": untrained[name][key] for key in told if key.startswith(("auc", "probe"))}
    return found


def tell(model, fitting: Sentences, testing: Sentences, rng) -> dict:
    """For each property a dict: the best unit, its auc and that with shuffled labels; the auc of the probe and of its
    control; for number, both by DISTANCES from the subject; and areas, the AUC of every unit."""
    states = [read(model, sentences) for sentences in (fitting, testing)]
    found, names = {}, unit_names(model)
    for (name, fit), test in zip(properties(fitting).items(), properties(testing).values(), strict=True):
        fit_states, test_states = states[0][fit.known], states[1][test.known]
        fit_labels, test_labels = fit.label[fit.known], test.label[test.known]
        best, values = best_unit(fit_states, fit_labels, test_states)
        _, shuffled = best_unit(fit_states, rng.permutation(fit_labels), test_states)
        score = fit_probe(fit_states, fit_labels).score(test_states)
        since = words_since(testing)[test.known]
        found[name] = {
            "unit": names[best],
            "auc": area(values, test_labels),
            "shuffled": area(shuffled, rng.permutation(test_labels)),
            "probe": area(score, test_labels),
            "control": control_area(fit_states, test_states, fit, test, rng),
            "auc_by_distance": by_distance(values, test_labels, since) if name == "number" else None,
            "probe_by_distance": by_distance(score, test_labels, since) if name == "number" else None,
            "areas": dict(zip(names, area_under_curve(fit_states, fit_labels).round(4).tolist(), strict=True)),
        }
    return found


def best_unit(states, labels, test_states):
    """The unit that tells the labels best, and its values on other states, negated if it is low for the class."""
    areas = area_under_curve(states, labels)
    best = int(strength(areas).argmax())
    return best, test_states[:, best] if areas[best] >= 0.5 else -test_states[:, best]


def control_area(fit_states, test_states, fit: Property, test: Property, rng):
    """The AUC of a probe that was trained for control labels, at the words whose control labels it has seen."""
    types = np.concatenate([fit.word_type[fit.known], test.word_type[test.known]])
    labels = control_labels(types, fit.label[fit.known].mean(), rng)
    probe = fit_probe(fit_states, labels[: len(fit_states)])
    return area(probe.score(test_states), labels[len(fit_states) :])


def by_distance(values, labels, distance):
    """The AUC at the words of each range of DISTANCES, None where it has one class only."""
    ranges = in_ranges(distance)
    return [area(values[here], labels[here]) if 0 < labels[here].sum() < here.sum() else None for here in ranges]


def in_ranges(distance):
    """For each range of DISTANCES, which of the distances lie in it."""
    return [(distance >= nearest) & (distance <= farthest) for nearest, farthest in DISTANCES]


def area(values, labels):
    """The AUC of values (M,), a float."""
    return float(area_under_curve(values[:, None], labels)[0])
