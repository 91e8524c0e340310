"""What a network's outputs are, and which losses they may have: found by trying, for many files never say."""

from typing import NamedTuple

import numpy as np

ROUGHEST = 1e-5  # relative error up to which the forward's values are ours: float32 at least
OUTPUTS = (
    "y",
    "ys",
    "o",
    "os",
    "out",
    "output",
    "outputs",
    "logits",
    "p",
    "ps",
    "pred",
    "ypred",
    "yhat",
    "probs",
    "ypreds",
    "preds",
    "predictions",
    "a",
    "outputsoftmax",
)


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
    """Every Series among (path, array) pairs."""
    groups = {}
    for path, value in found:
        if np.size(value) == T * V and T in np.shape(value):
            yield Series([path], lambda q, axis=1 + np.shape(value).index(T): np.moveaxis(q[0], axis, 1).reshape(-1, T, V),
                         np.moveaxis(value, np.shape(value).index(T), 0).reshape(T, V))  # fmt: skip
        elif np.size(value) == V:
            groups.setdefault(path[:-1], []).append((path, value))
    for items in groups.values():
        if len(items) == T:
            yield Series([path for path, _ in items], lambda q: np.stack([p.reshape(len(p), V) for p in q], 1),
                         np.stack([np.ravel(value) for _, value in items]))  # fmt: skip
        else:
            for path, value in items:
                yield Series([path], lambda q: q[0].reshape(-1, 1, V), np.reshape(value, (1, V)))


def gap(value, right):
    """The largest error, relative to the largest value."""
    return float(np.abs(np.asarray(value, float) - right).max() / max(1, np.abs(right).max()))


def outputs_of(found, ours, V):
    """(the Series of the outputs, "y" or "logits", how far they are from ours: None if they are others); None."""
    T = len(ours.arrays["targets"])
    every = list(series_in(found, T, V))
    for series in every:
        for kind in ("y", "logits") if V == ours.arrays["y"].shape[-1] else ():
            error = gap(series.values, ours.arrays[kind][-len(series.values) :, 0])
            if error < ROUGHEST:
                return series, kind, error
    told = [s for s in every if s.is_distribution] or [s for s in every if str(s.paths[0][-1]) in OUTPUTS] or every
    best = max(told, key=lambda s: len(s.values), default=None)
    return best and (best, "y" if best.is_distribution else "logits", None)


def losses_of(series, kind, goal):
    """The losses that outputs of this kind may have with a goal (T, V), the likeliest first."""
    (T, V), steps = goal.shape, len(series.values)
    onehot = goal[-steps:]
    whole, last = np.ones((steps, 1)), np.eye(steps)[-1][:, None]
    cases = (
        [("summed over all steps", whole), ("of the last step", last)] if steps > 1 else [("of the last step", last)]
    )
    dlogits = lambda q: np.concatenate([np.zeros((T - steps, V)), q])[:, None]  # noqa: E731
    y = series.values if kind == "y" else softmax(series.values)
    found = []
    for when, mask in cases:

        def entropy(q, mask=mask):
            p = series.read(q) if kind == "y" else softmax(series.read(q))
            return -(mask * onehot * np.log(p)).sum(axis=(1, 2))

        found.append(Loss(f"the cross-entropy {when}", entropy, dlogits(mask * (y - onehot))))
    for when, mask in cases if kind == "logits" else []:

        def squares(q, mask=mask):
            return (mask * (series.read(q) - onehot) ** 2).sum(axis=(1, 2)) / 2

        found.insert(len(found) - len(cases), Loss(f"half the squared error {when}", squares,
                                                   dlogits(mask * (series.values - onehot))))  # fmt: skip
    return found


def softmax(a):
    """Probabilities along the last axis."""
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
