"""What a network's outputs are, and which losses they may have: found by trying, for many files never say."""

from functools import partial
from typing import NamedTuple

import numpy as np

from numpylm.activations import sigmoid, softmax

ROUGHEST = 1e-5  # relative error up to which the forward's values are ours: float32 at least
OUTPUTS = (  # plain names, the likeliest first
    "y", "ys", "o", "os", "out", "output", "outputs", "logits", "p", "ps",
    "pred", "ypred", "yhat", "probs", "ypreds", "preds", "predictions", "a", "al", "outputsoftmax",
)  # fmt: skip


class Loss(NamedTuple):
    """words, for the report; of, a function of K stacks of outputs; dlogits (T, N, V), its gradient at our logits."""

    words: str
    of: object
    dlogits: object


class Series(NamedTuple):
    """The outputs of all steps, or of the last: their paths, read (from K stacks to (K, T, V)), and their values."""

    paths: list
    read: object
    values: np.ndarray

    @property
    def is_distribution(self):
        """Whether each step's values are probabilities."""
        return self.values.min() > 0 and bool(np.abs(self.values.sum(axis=-1) - 1).max() < 1e-5)

    @property
    def kind(self):
        """What the values look like: "y", probabilities; "p", those of one event each; or "logits"."""
        is_of_events = self.values.min() > 0 and self.values.max() < 1
        return "y" if self.is_distribution else "p" if is_of_events else "logits"


def leaves(value, path, depth=3):
    """(path, array) of the real arrays and numbers in what the forward returned, in order of time; not of t = -1."""
    if isinstance(value, np.ndarray | float):
        if np.asarray(value).dtype.kind == "f":
            yield path, value
    elif isinstance(value, dict | list | tuple) and depth:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in sorted(items, key=lambda item: (isinstance(item[0], str), item[0])):
            if key != -1:
                yield from leaves(item, (*path, key), depth - 1)


def series_in(found, T, V):
    """Every Series among arrays by path."""
    groups = {}
    for path, value in found.items():
        if np.size(value) == T * V and T in np.shape(value):
            axis = np.shape(value).index(T)
            read = partial(of_axis, axis=1 + axis, V=V)
            yield Series([path], read, read([value[None]])[0])
        elif np.size(value) == V:
            groups.setdefault(path[:-1], []).append((path, value))
    for items in groups.values():
        for part in [items] if len(items) == T else [[item] for item in items]:
            values = np.stack([np.ravel(value) for _, value in part])
            yield Series([path for path, _ in part], partial(of_steps, V=V), values)


def of_axis(q, axis, V):
    """(K, T, V) from one stack of arrays with time on an axis."""
    return np.moveaxis(q[0], axis, 1).reshape(len(q[0]), -1, V)


def of_steps(q, V):
    """(K, T, V) from T stacks of arrays."""
    return np.stack([p.reshape(len(p), V) for p in q], 1)


def gap(value, right):
    """The largest error, relative to the largest value."""
    return float(np.abs(np.asarray(value, float) - right).max() / max(1, np.abs(right).max()))


def outputs_of(found, ours, T, V, names):
    """(the Series of the outputs, their kind, how far they are from ours: None if they are others); None.

    names: path -> what the forward calls it.
    """
    every = list(series_in(found, T, V))
    right = {"y": ours.arrays["y"], "logits": ours.arrays["logits"], "p": sigmoid(ours.arrays["logits"])}
    for series in every if ours.arrays["y"].shape[-1] == V else []:
        for kind in list(right)[V == 1 :]:  # one probability alone is 1 whatever the network
            error = gap(series.values, right[kind][-len(series.values) :, 0])
            if error < ROUGHEST:
                return series, kind, error
    told = [s for s in every if s.is_distribution] or [s for s in every if names[s.paths[0]] in OUTPUTS] or every
    best = max(told, key=lambda series: len(series.values), default=None)
    return best and (best, best.kind, None)


def losses_of(series, kind, goal):
    """The losses that outputs of this kind may have with a goal (T, V), the likeliest first."""
    steps, found = len(series.values), []
    whole, last = np.ones((steps, 1)), np.eye(steps)[-1][:, None]
    for name in TOLD[kind]:
        for words, mask in (("summed over all steps", whole), ("of the last step", last))[steps == 1 :]:
            dlogits = np.zeros((len(goal), 1, goal.shape[1]))
            dlogits[-steps:, 0] = mask * at_logits(name, kind, series.values, goal[-steps:])
            title, of = LOSSES[name]
            of = partial(of, series, kind, mask * goal[-steps:], mask)
            found.append(Loss(f"{title} {words}", of, dlogits))
    return found


def at_logits(name, kind, values, goal):
    """The gradient of a loss at the logits, of outputs of a kind."""
    if name == "gradient":
        return goal
    if name == "cross-entropy":
        error = (values if kind == "y" else softmax(values)) - goal
    else:
        error = (sigmoid(values) if name == "binary" and kind == "logits" else values) - goal
    return error * values * (1 - values) if kind == "p" and name != "binary" else error


def script_fit(unit, fit, found, rng):
    """The Fit of a loop that returns its targets and outputs, step by step."""
    targets, outputs = ({path: q for path, q in found.items() if name in path} for name in ("targets", "outputs"))
    shapes = {np.size(value) for value in found.values()}
    if len(shapes) != 1 or not targets:
        return None
    goal = np.stack([np.ravel(value) for value in targets.values()])
    series = next(s for s in series_in(outputs, *goal.shape) if len(s.paths) == len(goal))
    losses = tuple(losses_of(series, series.kind, goal))
    return fit._replace(outputs=list(map(list, series.paths)), weights=losses[0].of, losses=losses, goal=goal)


def of_incoming(series, kind, dys, T):
    """The two things that a gradient that comes in at probabilities may be: that of the outputs, or of the logits."""
    dy, y = series.read([q[None] for q in dys])[0], series.values
    inside = y * (dy - (y * dy).sum(axis=-1, keepdims=True)) if kind == "y" else y * (1 - y) * dy
    for words, at_logits, gradient in (("outputs", False, inside), ("logits", True, dy)):
        dlogits = np.zeros((T, 1, dy.shape[1]))
        dlogits[-len(dy) :, 0] = gradient
        of = partial(weighted, series, kind, dy, at_logits)
        yield Loss(f"a gradient that comes in at the {words}", of, dlogits)


def weighted(series, kind, dy, at_logits, q):
    """Σ dy ⊙ y of K stacks of outputs, or of their logits; those of a softmax are known but for a constant, and there
    the entries of dy must sum to zero."""
    y = series.read(q)
    if at_logits:
        y = np.log(y) if kind == "y" else np.log(y / (1 - y))
    return (dy * y).sum(axis=(1, 2))


def entropy(series, kind, goal, mask, q):
    """The cross-entropy of K stacks of outputs."""
    p = series.read(q) if kind == "y" else softmax(series.read(q))
    return -(goal * np.log(p)).sum(axis=(1, 2))


def squares(series, kind, goal, mask, q):
    """Half the squared error of K stacks of outputs."""
    return (mask * (series.read(q) - goal) ** 2).sum(axis=(1, 2)) / 2


def binary(series, kind, goal, mask, q):
    """The cross-entropy of K stacks of outputs that are probabilities each by itself."""
    p = series.read(q) if kind == "p" else sigmoid(series.read(q))
    return -(goal * np.log(p) + (mask - goal) * np.log(1 - p)).sum(axis=(1, 2))


def incoming(series, kind, goal, mask, q):
    """Σ goal ⊙ y of K stacks of outputs: what are called the targets is the gradient that comes in."""
    return (goal * series.read(q)).sum(axis=(1, 2))


TOLD = {  # by kind, the likeliest first
    "y": ["cross-entropy"],
    "p": ["binary", "squares", "cross-entropy"],
    "logits": ["squares", "cross-entropy", "binary", "gradient"],
}
LOSSES = {
    "gradient": ("the gradient that it is given,", incoming),
    "cross-entropy": ("the cross-entropy", entropy),
    "squares": ("half the squared error", squares),
    "binary": ("the binary cross-entropy", binary),
}
