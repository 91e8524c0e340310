import warnings

import numpy as np
import pytest

import numpylm as nlm
from numpylm.proof.gradient_check import CHECKS
from numpylm.proof.gradient_report import WrongGradient
from numpylm.proof.numerical import NotComplexSafe

rng = np.random.default_rng(0)
A, W = rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
U = rng.standard_normal((3, 5))


def f(x, W):
    return np.tanh(x @ W)


def backward(x, W):
    da = U * (1 - np.tanh(x @ W) ** 2)
    return {"x": da @ W.T, "W": x.T @ da}


@pytest.mark.parametrize("method", CHECKS)
def test_right_gradients_pass(method):
    report = nlm.check_gradients(f, {"x": A, "W": W}, backward, method, cotangents=U)
    assert report.ok, report
    assert report.diagnosis == ()
    report.raise_if_wrong()


@pytest.mark.parametrize("method", CHECKS)
def test_one_wrong_entry_is_found(method):
    claim = backward(A, W)
    claim["W"][2, 3] += 1e-3
    report = nlm.check_gradients(f, {"x": A, "W": W}, claim, method, cotangents=U)
    assert not report.ok
    assert report.worst.name == "W" or method == "projection"
    if method != "projection":
        assert (report.worst.index, report.worst.num_wrong) == ((2, 3), 1)
    with pytest.raises(WrongGradient, match="gradients are WRONG"):
        report.raise_if_wrong()


def test_a_model_of_real_size_by_projection():
    model = nlm.LSTMLM(50, 16, 32, num_layers=2, dtype=np.float64)
    tokens = rng.integers(0, 50, (8, 4))

    def loss(**parameters):
        changed = nlm.LSTMLM(50, 16, 32, num_layers=2, dtype=parameters["E"].dtype)
        for name, array in changed.parameters().items():
            array[...] = parameters[name]
        return changed.loss_and_gradients(tokens[:-1], tokens[1:]).loss

    claim = model.loss_and_gradients(tokens[:-1], tokens[1:]).gradients
    assert nlm.check_gradients(loss, model.parameters(), claim, "projection").ok
    claim["layer_1.W_h"] = claim["layer_1.W_h"] * 1.0001
    report = nlm.check_gradients(loss, model.parameters(), claim, "projection")
    assert [row.name for row in report.rows if row.num_wrong] == ["layer_1.W_h", "all arrays"]


def test_a_relu_at_its_kink_is_not_judged_but_counted():
    x = np.array([-1.0, 0.0, 2.0])

    def relu_sum(x):
        return (np.maximum(x, 0) * np.array([1.0, 3.0, 5.0])).sum()

    for slope in (0.0, 3.0, 1.0):
        report = nlm.check_gradients(relu_sum, {"x": x}, {"x": np.array([0, slope, 5.0])})
        assert report.ok, report
        assert report.rows[0].kinks.sum() == 1
        assert "1 entry lies at a kink" in str(report)
    report = nlm.check_gradients(relu_sum, {"x": x}, {"x": np.array([0, -0.5, 5.0])})
    assert not report.ok  # no slope on either side


def test_missing_extra_misshapen_and_nan_gradients():
    good = backward(A, W)
    cases = {
        "there is no gradient of W": {"x": good["x"]},
        "there is a gradient of b, which is no argument": {**good, "b": np.zeros(5)},
        "the gradient of W is of shape (5, 4); W is of shape (4, 5)": {**good, "W": good["W"].T},
        "the gradient of x is not finite at (1, 2)": {**good, "x": np.where(np.isin(A, A[1, 2]), np.nan, good["x"])},
    }
    for complaint, claim in cases.items():
        report = nlm.check_gradients(f, {"x": A, "W": W}, claim, cotangents=U)
        assert not report.ok
        assert complaint in report.complaints


def test_float32_inside_float64_is_noticed():
    claim = {name: gradient.astype(np.float32) for name, gradient in backward(A, W).items()}
    hidden = {name: gradient.astype(np.float64) for name, gradient in claim.items()}
    for given in (claim, hidden):
        report = nlm.check_gradients(f, {"x": A, "W": W}, given, cotangents=U)
        assert any("precision of float32 only" in complaint for complaint in report.complaints), report


def test_float32_arguments_are_judged_by_float32():
    x, weights = A.astype(np.float32), W.astype(np.float32)
    claim = {name: gradient.astype(np.float32) for name, gradient in backward(x, weights).items()}
    report = nlm.check_gradients(f, {"x": x, "W": weights}, claim, cotangents=U)
    assert report.ok, report


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.abs(x).sum() + (x**2).sum(),  # complex, but with a lost part
        lambda x: (x**2).sum() * np.abs(x).max(),
        lambda x: np.abs(x).sum(),
        lambda x: (x * x.real).sum(),
        lambda x: (x * x.conj()).real.sum(),
        lambda x: np.linalg.norm(x),
        lambda x: x.var(),
    ],
)
def test_what_is_not_complex_safe_is_refused(function):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NotComplexSafe, match="method='central'"):
            nlm.check_gradients(function, {"x": A}, {"x": A}, "complex")


def test_entries_that_are_not_drawn_are_judged_together_and_a_wrong_one_is_named():
    x = np.random.default_rng(6).standard_normal(20_000)

    def check(factor, **options):
        claim = 2 * x
        claim[7_777] *= factor
        return nlm.check_gradients(lambda x: (x**2).sum(), {"x": x}, {"x": claim}, max_entries=20, **options)

    worst = check(1.01).worst
    assert (worst.index, worst.num_wrong, worst.checked.sum()) == ((7_777,), 1, 21)
    assert check(1.01, rtol=0.05).ok and not check(1.1, rtol=0.05).ok
    assert check(1.01, atol=0.05).ok and not check(1.01, atol=1e-3).ok


def test_a_report_is_a_table_of_80_columns_with_a_wrong_entry_of_each_array():
    claim = {"right": 2 * A, "with": {"a": {"very_long": {"name": 2 * A}}}}
    claim["with"]["a"]["very_long"]["name"] *= 1 + 1e-3
    given = {"right": A, "with": {"a": {"very_long": {"name": A}}}}
    report = nlm.check_gradients(
        lambda **q: (q["right"] ** 2 + q["with"]["a"]["very_long"]["name"] ** 2).sum(), given, claim
    )
    report = report._replace(complaints=["a long complaint " * 20])
    lines = str(report).splitlines()
    assert lines[0] == "gradients are WRONG: with.a.very_long.name" and "12/12" in lines[4]
    assert len({len(line) for line in lines[2:5]}) == 1 and max(map(len, lines)) <= 80
    assert report.worst.name == "with.a.very_long.name" and report.worst.relative_error == pytest.approx(1e-3, rel=0.01)
    assert lines[-1].startswith("-> ") and repr(report) == str(report)
    assert "<b style=color:#d55e00>gradients are WRONG" in report._repr_html_() and "-&gt; d" in report._repr_html_()
