"""One wrong entry in the gradient of a function that only differences can judge, or that is float32 in part."""

import numpy as np
import pytest

from numpylm import check_gradients
from numpylm.proof.cases import CELLS, sequence_case


def with_one_wrong_entry(seed):
    """The report on a random cell, of which one entry of one gradient is 2 to 13 % too large."""
    rng = np.random.default_rng(seed)
    cell = list(CELLS.values())[rng.integers(len(CELLS))]
    case = sequence_case("", cell, rng, sizes=rng.integers(1, 6, 4), scale=rng.choice([0.3, 1, 3]))
    state_0 = case.arguments.pop("state_0")

    def forward(x, **parameters):
        return case.f(x.astype(float), state_0, **parameters)  # so that no complex step is safe

    claim = {name: case.gradients[name].copy() for name in case.arguments}
    wrong = claim[list(claim)[rng.integers(len(claim))]]
    index = tuple(int(rng.integers(size)) for size in wrong.shape)
    wrong[index] *= rng.uniform(1.02, 1.13)
    return check_gradients(forward, case.arguments, claim, "central", case.cotangents, max_entries=None)


# Two kinks of a ReLU or a point of inflection near an entry were taken for noise of f in these.
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("seed", [215, 226, 458, 762, 1264, 0, 1, 2])
def test_an_entry_that_is_a_few_percent_off_is_not_excused_as_rounding(seed):
    report = with_one_wrong_entry(seed)
    assert report.worst.num_wrong == 1, report


def float32_rnn(seed, T, N, D, H):
    """(a right RNN whose states go through a float32 buffer, arguments, cotangent, gradients)."""
    rng = np.random.default_rng(seed)
    x, h_0, dh = rng.standard_normal((N, T, D)), rng.standard_normal((N, H)), rng.standard_normal((N, T, H))
    W_x, W_h, b = rng.standard_normal((D, H)), rng.standard_normal((H, H)), rng.standard_normal(H)

    def forward(x, h_0, W_x, W_h, b):
        hs, h_t = np.empty((N, T, H), dtype="f"), h_0
        for t in range(T):
            h_t = hs[:, t] = np.tanh(x[:, t] @ W_x + h_t @ W_h + b)
        return hs.astype(float)

    hs = forward(x, h_0, W_x, W_h, b)
    dx, dW_x, dW_h, db, dh_next = np.zeros_like(x), 0, 0, 0, 0
    for t in reversed(range(T)):
        da_t = (dh[:, t] + dh_next) * (1 - hs[:, t] ** 2)
        dx[:, t], dh_next = da_t @ W_x.T, da_t @ W_h.T
        dW_x, dW_h, db = dW_x + x[:, t].T @ da_t, dW_h + (hs[:, t - 1] if t else h_0).T @ da_t, db + da_t.sum(axis=0)
    arguments = {"x": x, "h_0": h_0, "W_x": W_x, "W_h": W_h, "b": b}
    return forward, arguments, dh, {"x": dx, "h_0": dh_next, "W_x": dW_x, "W_h": dW_h, "b": db}


@pytest.mark.parametrize("method", ["central", "projection"])
@pytest.mark.parametrize("sizes", [(3, 1, 1, 3), (4, 3, 2, 5)])
@pytest.mark.parametrize("seed", [2, 10])
def test_a_float32_forward_is_judged_at_its_precision(seed, sizes, method):
    forward, arguments, dh, right = float32_rnn(seed, *sizes)
    rng = np.random.default_rng(seed)
    for off in (0, 6e-7):  # up to ten times the precision of float32
        claim = {name: dq * (1 + off * rng.uniform(-1, 1, dq.shape)) for name, dq in right.items()}
        report = check_gradients(forward, arguments, claim, method, dh)
        assert report.ok, report
        assert "relative precision of" in str(report) and 1e-9 < report.precision < 1e-5
    claim = right | {"W_h": right["W_h"] * 1.02}
    assert any(row.num_wrong for row in check_gradients(forward, arguments, claim, method, dh).rows)


@pytest.mark.parametrize("method", ["central", "projection"])
def test_what_float32_hides_is_not_proved_and_not_called_wrong(method):
    def f(x):
        return float(np.float32(100 + 4e-6 * x.sum()))

    x = np.array([0.5, 1.5])
    for claim, is_wrong in ((4e-6, False), (0.1, True)):
        report = check_gradients(f, {"x": x}, {"x": np.full(2, claim)}, method)
        assert not report.ok and bool(report.worst.num_wrong) == is_wrong, report
