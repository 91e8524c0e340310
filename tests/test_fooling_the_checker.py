"""Attempts to fool check_gradients: wrong gradients that might pass, right ones that might be called wrong, crashes.

Each case of WRONG must not be ok, and must say why; each of RIGHT must be ok.
"""

import dataclasses

import numpy as np
import pytest

from numpylm import check_gradients
from numpylm.proof.numerical import NotComplexSafe

X = np.random.default_rng(5).standard_normal((3, 4))
LONG = np.random.default_rng(6).standard_normal(20_000)


def square(x):
    return (x**2).sum()


def said(report):
    """All that a report says in sentences, and that it can be shown."""
    assert report._repr_html_()
    return f"{str(report).splitlines()[0]} {' '.join(report.complaints)} {' '.join(report.diagnosis)}"


@dataclasses.dataclass(frozen=True)
class Weights:
    W: object
    num_layers: int


def counted(f):
    """f(number of the call, arguments)."""
    calls = []

    def g(*args, **named):
        calls.append(1)
        return f(len(calls), *args, **named)

    return g


def once():
    known = []

    def f(x):
        known.append(known[0] if known else square(x))
        return known[0]

    return f


def flip(x):
    x *= -1
    return square(x)


def add_one(x, tokens):
    tokens += 1
    return square(x)


def writes_late(call, x):
    gradients = {"x": 2 * x}
    if call == 2:
        x *= 3
    return gradients


def one_wrong(factor, k=7_777):
    claim = 2 * LONG
    claim[k] *= factor
    return {"x": claim}


def rounded_inside(x):
    return (x.astype(np.float32) ** 2).astype(float).sum()


def near_the_edge(x):
    return np.sqrt(np.where(x >= 1, x - 1, np.nan)).sum()


def softmax(a):
    e = np.exp(a)
    return e / e.sum(axis=1, keepdims=True)


def refuses_to_be_moved(x):
    if np.abs(x - X).max() > 4e-3:
        raise ValueError("this is far from where I am defined")
    return square(x)


def half_float32(x, b):
    return square(x + b)


B = np.ones(4, np.float32)
NEARLY = {"x": 2 * (X + B) * (1 + 5e-4), "b": (2 * (X + B)).sum(axis=0).astype(np.float32)}

WRONG = {  # what is tried: (f, arguments, claim, options, what must be said)
    "a huge claim": (lambda x: 1e300 * x.sum(), {"x": X}, {"x": np.full((3, 4), -1.7e308)}, {}, "WRONG: x"),
    "a complex claim": (square, {"x": X}, {"x": 2 * X + 0j}, {}, "is complex; x is real"),
    "a function that counts its calls": (counted(lambda n, x: square(x) + n), {"x": X}, {"x": 2 * X}, {},
                                         "two identical calls of the function give different numbers"),
    "NaN in the second call": (square, {"x": X}, counted(lambda n, x: {"x": 2 * x * (np.nan if n == 2 else 1)}), {},
                               "two identical calls of the backward pass"),
    "NaN on one side": (near_the_edge, {"x": np.array([1.0, 4.0])}, {"x": np.array([7, 0.75**0.5 / 3])}, {},
                        "not finite a little to one side, at x[0]"),
    "a result kept for ever": (once(), {"x": X}, {"x": 0 * X}, {}, "for all arguments"),
    "cotangents of zero": (lambda x: x**2, {"x": X}, {"x": 0 * X}, {"cotangents": 0 * X}, "for all arguments"),
    "a sum of a softmax": (lambda x: (np.exp(x) / np.exp(x).sum()).sum(), {"x": X}, {"x": 0 * X}, {},
                           "it proves no gradient"),
    "in place, there and back": (flip, {"x": X}, {"x": 2 * X}, {}, "changes its argument x in place"),
    "tokens in place": (add_one, {"x": X, "tokens": np.arange(3)}, {"x": 2 * X}, {}, "changes its argument tokens"),
    "a backward that writes late": (square, {"x": X}, counted(writes_late), {}, "changes its argument x in place"),
    "a dataclass": (lambda p: square(p.W), {"p": Weights(X, 2)}, {"p": Weights(0 * X, 2)}, {}, "WRONG: p.W"),
    "a missing nested claim": (lambda p: square(p["a"]["b"]), {"p": {"a": {"b": X}}}, {"p": {"a": {}}}, {},
                               "there is no gradient of p.a.b"),
    "small beside a large function": (lambda x: 1e12 + square(x), {"x": X}, {"x": 0 * X}, {}, "zero everywhere"),
    "the same, by the complex step": (lambda x: 1e12 + square(x), {"x": X}, {"x": 2 * X + 0.05},
                                      {"method": "complex"}, "WRONG: x"),
    "small beside large in one array": (lambda x: (np.array([1e3, 1e-7]) * x).sum(), {"x": np.array([1.0, 2])},
                                        {"x": np.array([1e3, 0])}, {}, "WRONG: x"),
    "a small array beside a large one": (lambda x, y: 1e3 * square(x) + 1e-7 * square(y), {"x": X, "y": X},
                                         {"x": 2e3 * X, "y": 0 * X}, {}, "WRONG: y"),
    "small, and not complex-safe": (lambda x, y: 1e3 * np.abs(x).sum() + 1e-9 * np.abs(y).sum(), {"x": X, "y": X},
                                    {"x": 1e3 * np.sign(X), "y": -1e-9 * np.sign(X)}, {}, "too small to be judged"),
    "the same, exactly": (lambda x: 1e-20 * square(x), {"x": X}, {"x": 0 * X}, {"method": "complex"},
                          "zero everywhere"),
    "one of 20,000, 1e-6 off": (square, {"x": LONG}, one_wrong(1 + 1e-6), {}, "WRONG: x"),
    "one of 20,000, not complex-safe": (lambda x: (x * np.abs(x)).sum(), {"x": LONG},
                                        {"x": np.where(np.arange(20_000) == 9_999, -1, 2) * np.abs(LONG)}, {},
                                        "WRONG: x"),
    "float32 before a float64 sum": (rounded_inside, {"x": X}, {"x": 2.3 * X}, {}, "WRONG: x"),
    "float32 under cotangents": (lambda x: x.astype(np.float32) ** 2, {"x": X}, {"x": 2.05 * X},
                                 {"cotangents": np.ones((3, 4))}, "WRONG: x"),
    "one float32 claim loosens no other": (half_float32, {"x": X, "b": B}, NEARLY, {}, "WRONG: x"),
    "noise": (lambda x: square(x) + 1e-6 * np.sin(1e17 * x).sum(), {"x": X}, {"x": 2.5 * X}, {},
              "WRONG: x"),
    "fast waves": (lambda x: square(x) + 1e-6 * np.sin(1e9 * x).sum(), {"x": X}, {"x": 2 * X}, {}, "WRONG: x"),
    "kinks everywhere": (lambda x: np.maximum(x, 0).sum(), {"x": np.zeros(3)}, {"x": np.full(3, 0.3)}, {},
                         "every slope of x lies at a kink"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_it_is_not_fooled_by(what):
    f, arguments, claim, options, words = WRONG[what]
    report = check_gradients(f, arguments, claim, **options)
    assert not report.ok
    assert words in said(report), said(report)


F32 = X.astype(np.float32).astype(float)
READ_ONLY = X.copy()
READ_ONLY.flags.writeable = False
BUFFER = np.empty((3, 4))
HOLES = np.where(X > 1, np.nan, X)

ROWS = np.random.default_rng(7).standard_normal((500, 4))
ANY = 1e3 * (softmax(ROWS) * ROWS**2).sum()  # so that f is small beside what it is a sum of

RIGHT = {  # what is tried: (f, arguments, claim, options)
    "the argument itself": (lambda x: square(x) / 2, {"x": X}, lambda x: {"x": x}, {}),
    "one buffer for every call": (square, {"x": X}, lambda x: {"x": np.multiply(2, x, out=BUFFER)}, {}),
    "round numbers are not float32": (lambda x: x.sum(), {"x": X}, {"x": np.ones((3, 4))}, {}),
    "an integer for a number": (lambda x: 3 * x, {"x": 2.0}, {"x": 3}, {}),
    "no entries": (lambda x, y: x.sum() + square(y), {"x": np.zeros((0, 3)), "y": X},
                   {"x": np.zeros((0, 3)), "y": 2 * X}, {}),
    "float32 under cotangents": (lambda x: x.astype(np.float32) ** 2, {"x": X}, {"x": 2 * X},
                                 {"cotangents": np.ones((3, 4))}),
    "no entries, by projection": (lambda x, y: x.sum() + square(y), {"x": np.zeros((0, 3)), "y": X},
                                  {"x": np.zeros((0, 3)), "y": 2 * X}, {"method": "projection"}),
    "float32 numbers, exactly": (lambda x: square(x) / 2, {"x": F32}, {"x": F32.copy()}, {}),
    "broadcast": (square, {"x": np.broadcast_to([1.5, 2.5], (3, 2))}, lambda x: {"x": 2 * x}, {}),
    "odd names": (lambda p: square(p["W h→é {0} %s"]) + square(p[7]), {"p": {"W h→é {0} %s": X, 7: X}},
                  {"p": {"W h→é {0} %s": 2 * X, 7: 2 * X}}, {}),
    "a dataclass": (lambda p: square(p.W), {"p": Weights(X, 2)}, {"p": Weights(2 * X, 2)}, {}),
    "integer cotangents": (lambda x: [x**2], {"x": X}, {"x": 2 * X}, {"cotangents": [np.ones((3, 4), int)]}),
    "NaN that is not used": (lambda x: np.where(np.isnan(x), 0, x * x).sum(), {"x": HOLES},
                             lambda x: {"x": np.nan_to_num(2 * x)}, {}),
    "a tiny function": (lambda x: 1e-20 * square(x), {"x": X}, {"x": 2e-20 * X}, {}),
    "small beside a large function": (lambda x: 1e12 + square(x), {"x": X}, {"x": 2 * X}, {}),
    "a mean of many": (lambda x: 1e-3 * np.tanh(x).mean(), {"x": LONG}, {"x": 1e-3 * (1 - np.tanh(LONG) ** 2) / 20_000},
                       {"max_entries": 50}),
    "kinks between the entries that are drawn": (lambda x: np.abs(x).sum(), {"x": LONG}, {"x": np.sign(LONG)},
                                                 {"max_entries": 50}),
    "a ReLU that is dead here": (lambda x: np.maximum(x - 9, 0).sum(), {"x": X}, {"x": 0 * X}, {}),
    "a function that refuses other arguments": (refuses_to_be_moved, {"x": X}, {"x": 2 * X}, {}),
    "a zero gradient": (lambda x, b: square(x + b - b.mean() * 0), {"x": X, "b": np.ones(4)},
                        {"x": 2 * (X + 1), "b": 2 * (X + 1).sum(axis=0)}, {}),
    "zeros by cancellation among entries that are not drawn": (
        lambda x, b: 1e3 * (softmax(ROWS + b[:, None]) * ROWS**2).sum() - ANY + x.sum(),
        {"x": X, "b": np.linspace(-1, 1, 500)}, {"x": np.ones((3, 4)), "b": np.zeros(500)}, {"max_entries": 10}),
    "a gradient that is zero by cancellation": (
        lambda x, b: (np.exp(x + b) / np.exp(x + b).sum(axis=1, keepdims=True) * X).sum(), {"x": X, "b": np.array(0.7)},
        lambda x, b: {"x": (s := np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)) * (X - (s * X).sum(1)[:, None]),
                      "b": np.array(0.0)}, {}),
}  # fmt: skip


@pytest.mark.parametrize("what", RIGHT)
def test_it_is_not_confused_by(what):
    f, arguments, claim, options = RIGHT[what]
    report = check_gradients(f, arguments, claim, **options)
    assert report.ok, report
    assert not report.diagnosis


def test_a_part_that_the_complex_step_loses_is_no_false_alarm():
    """The claim is right, and the complex step is not: the step is to blame."""
    with pytest.raises(NotComplexSafe, match="method='central'"):
        check_gradients(
            lambda x: square(x) + 1e-7 * np.abs(x).sum(), {"x": X}, {"x": 2 * X + 1e-7 * np.sign(X)}, "complex"
        )
