"""Derivatives from many steps, and what check_gradients makes of them: functions of one number whose derivatives are
known, at arguments from 1e-8 to 1e8, with the right claim and with one that is 1e-3 off.

The right one must never be called wrong, the other never right. Both may be called neither ("not proved") only where
CANNOT_BE_JUDGED says why.
"""

import numpy as np
import pytest

from numpylm import check_gradients
from numpylm.proof.numerical import central_difference

FUNCTIONS = {
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda x: -np.sin(x)),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "1/x": (lambda x: 1 / x, lambda x: -1 / x**2),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "x**3": (lambda x: x**3, lambda x: 3 * x**2),
    "|x|": (np.abs, np.sign),
    "relu": (lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0)),
    "x|x|": (lambda x: x * np.abs(x), lambda x: 2 * np.abs(x)),
    "sin(1e4 x) / 1e4": (lambda x: np.sin(1e4 * x) / 1e4, lambda x: np.cos(1e4 * x)),
    "sin(x + 1)": (lambda x: np.sin(x + 1), lambda x: np.cos(x + 1)),
    "1 / (x - 1)": (lambda x: 1 / (x - 1), lambda x: -1 / (x - 1) ** 2),
    "1e3 + x**2": (lambda x: 1e3 + x**2, lambda x: 2 * x),
    "|x| + 1e4": (lambda x: 1e4 + np.abs(x), np.sign),
}
SIZES = [1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 0.3, 1.5, 10.0, 100.0, 1e4, 1e6, 1e8]
POINTS = [*SIZES, *[-x for x in SIZES], 0.0]
HIDDEN = "too small to be judged"  # by rounding of f, or of an x of which some digits are lost at once
CANNOT_BE_JUDGED = {
    ("relu", 0.0): "kink",
    **{("sin(1e4 x) / 1e4", x): HIDDEN for x in (1e6, -1e6, 1e8, -1e8)},  # a wave is 6e-4 long, floats lie 1e-8 apart
    **{("cos", x): HIDDEN for x in (1e-8, -1e-8)},
    **{("|x| + 1e4", x): HIDDEN for x in (1e-8, -1e-8, 1e-6, -1e-6)},  # where the kink is as near as that
    **{("1e3 + x**2", x): HIDDEN for x in (1e-8, -1e-8, 1e-6, -1e-6)},
}


def no_complex(f):
    """The same function, for real numbers only: then differences must do."""

    def real(x):
        return f(x.astype(float)).sum()

    return real


def verdicts(f, x, derivative, method="central"):
    """What is said of the right derivative, and of one that is 1e-3 off where it is not zero."""
    for claim, expected in ((derivative, "right"), (1.001 * derivative, "WRONG")):
        if claim != derivative or expected == "right":
            report = check_gradients(f, {"x": np.array([x])}, {"x": np.array([claim])}, method)
            yield expected, "right" if report.ok else "WRONG" if report.worst.num_wrong else report.complaints[0]


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("is_complex_safe", [True, False])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_right_claim_is_called_wrong_and_no_wrong_one_right(name, is_complex_safe):
    f, derivative = FUNCTIONS[name]
    for x in POINTS:
        with np.errstate(all="ignore"):
            value, truth = f(np.float64(x)), derivative(np.float64(x))
        if not np.isfinite(value) or not np.isfinite(truth):
            continue
        for expected, said in verdicts((lambda x: f(x).sum()) if is_complex_safe else no_complex(f), x, truth):
            excuse = CANNOT_BE_JUDGED.get((name, x), "nothing")
            assert said == expected or excuse in said, (x, expected, said)
            assert excuse in ("nothing", HIDDEN) or said != "right"


PARTS = {
    "sin": (np.sin, np.cos),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "bell": (lambda x: np.exp(-x * x), lambda x: -2 * x * np.exp(-x * x)),
    "square": (lambda x: x * x, lambda x: 2 * x),
    "leaky relu": (lambda x: np.where(x.real > 0, x, 0.1 * x), lambda x: np.where(x > 0, 1, 0.1)),
    "hill": (lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
}


def random_chain(rng):
    """(f, its gradient, x): one to three functions within each other, at scales from 1e-6 to 1e6, plus a constant."""
    parts = [PARTS[name] for name in rng.choice(list(PARTS), rng.integers(1, 4))]
    scales, shifts = 10 ** rng.uniform(-4, 4, len(parts)), rng.standard_normal(len(parts))
    n, out, constant = rng.integers(1, 4), 10 ** rng.uniform(-6, 6), rng.choice([0, 1, 100])
    x, w = rng.standard_normal(n) * 10 ** rng.uniform(-6, 6), rng.standard_normal(n)

    def f(x):
        for (part, _), scale, shift in zip(parts, scales, shifts, strict=True):
            x = part(scale * x + shift)
        return out * (w * x).sum() + constant

    def gradient(x):
        dx = out * w
        for (part, derivative), scale, shift in zip(parts, scales, shifts, strict=True):
            dx, x = dx * derivative(scale * x + shift) * scale, part(scale * x + shift)
        return dx

    return f, gradient, x


@pytest.mark.parametrize("is_complex_safe", [True, False])
@pytest.mark.parametrize("method", ["central", "fourth"])
def test_chains_of_any_scale_are_never_judged_wrongly(method, is_complex_safe):
    rng, judged = np.random.default_rng(8), 0
    for _ in range(30):
        f, gradient, x = random_chain(rng)
        with np.errstate(all="ignore"):
            right, value = gradient(x), f(x)
        wrong = np.where(np.abs(right) == np.abs(right).max(), 1.001 * right, right)
        g = f if is_complex_safe else no_complex(f)
        assert not any(row.num_wrong for row in check_gradients(g, {"x": x}, {"x": right}, method).rows)
        if np.abs(right).max() > 1e-14 * abs(value) + 1e-300:  # what is less is nothing beside f
            report = check_gradients(g, {"x": x}, {"x": wrong}, method)
            assert not report.ok
            judged += report.rows[0].num_wrong
    assert judged > 18  # and not all are left unjudged


@pytest.mark.parametrize("is_complex_safe", [True, False])
def test_a_claim_that_is_the_differences_own_noise_is_not_right(is_complex_safe):
    x = np.array([0.3])
    f = (lambda x: 200 + 4e-7 * x.sum()) if is_complex_safe else no_complex(lambda x: 200 + 4e-7 * x)
    noise = central_difference(lambda: f(x), x)[0]
    assert abs(noise - 4e-7) > 1e-3 * 4e-7
    assert not check_gradients(f, {"x": x}, {"x": np.array([noise])}).ok
    assert check_gradients(f, {"x": x}, {"x": np.array([4e-7])}).ok
