"""How well numbers tell two classes apart: the area under the ROC curve, a linear probe, and its control task.

    AUC       the probability that a member of the class has a larger value than a non-member, ties counted one half
    probe     w that minimises Σ_m (w · s_m - y_m)² + λ ‖w‖², with y = ±1 and standardised states s: ridge regression
    control   the same probe, trained for labels that were drawn at random, one for each type of word

Ridge regression has a closed form: one linear system, no learning rate, no steps, the same result every time. With two
classes its direction is that of Fisher's linear discriminant, but for λ. Selectivity is the probe's AUC minus that of
its control: what the probe finds in the states, and not in its own power to learn labels by heart.

Sources: J. Hanley and B. McNeil, The meaning and use of the area under a ROC curve (1982); J. Hewitt and P. Liang,
Designing and interpreting probes with control tasks (2019), who compare accuracies; ours are of classes of unequal
size, so that we compare areas.
"""

from typing import NamedTuple

import numpy as np

PENALTY = 1.0  # λ


class Probe(NamedTuple):
    """score(states) is (states - mean) / scale @ w."""

    mean: np.ndarray
    scale: np.ndarray
    w: np.ndarray

    def score(self, states):
        """(M,) from states (M, number of units): the larger, the more like the class."""
        return (states - self.mean) / self.scale @ self.w


def area_under_curve(values, labels):
    """The AUC of each column: values (M, K) and labels (M,), booleans, give (K,). ValueError for a single class."""
    if labels.all() or not labels.any():
        raise ValueError(f"labels must have True and False among them; got {labels.sum()} True of {len(labels)}")
    areas = []
    for column in np.asarray(values).T:
        members, others = np.sort(column[labels]), column[~labels]
        below_or_equal, below = (np.searchsorted(members, others, side) for side in ("right", "left"))
        areas.append(1 - (below_or_equal + below).mean() / (2 * len(members)))
    return np.array(areas)


def strength(areas):
    """The AUC in the better direction: a unit that falls where another one rises tells as much. From 0.5 to 1."""
    return np.maximum(areas, 1 - areas)


def fit_probe(states, labels, penalty=PENALTY):
    """The Probe of states (M, K) for labels (M,), booleans."""
    states = states.astype(float)
    mean, scale = states.mean(axis=0), states.std(axis=0)
    scale[scale == 0] = 1
    s, y = (states - mean) / scale, np.where(labels, 1.0, -1.0)
    w = np.linalg.solve(s.T @ s + penalty * np.eye(s.shape[1]), s.T @ (y - y.mean()))
    return Probe(mean, scale, w)


def control_labels(word_types, share, rng):
    """A random label for each type of word: word_types (M,) give booleans (M,), True for about this share of types.

    There is at least one type of each label.
    """
    types, index = np.unique(word_types, return_inverse=True)
    members = min(max(1, round(share * len(types))), len(types) - 1)
    return rng.permutation(np.arange(len(types)) < members)[index]
