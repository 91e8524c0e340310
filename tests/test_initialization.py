"""How parameters start: the distributions that initialization.py names, in the places where they belong."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpylm import GRULM, LSTMLM, RNNLM
from numpylm.initialization import embedding_table, glorot_uniform, orthogonal, redraw_uniform
from numpylm.lstm import lstm_cell

every_model = pytest.mark.parametrize("make", [RNNLM, LSTMLM, GRULM])


def test_glorot_is_uniform_up_to_its_limits():
    A, B = 300, 500
    W, limit = glorot_uniform(np.random.default_rng(0), A, B), math.sqrt(6 / 800)
    assert W.shape == (A, B) and np.abs(W).max() <= limit
    counts, _ = np.histogram(W, bins=8, range=(-limit, limit))
    expected = A * B / 8
    assert ((counts - expected) ** 2 / expected).sum() < 29.9  # chi-square, 7 degrees of freedom, one in 10 000
    assert W.var() == pytest.approx(2 / (A + B), rel=0.02)  # Glorot and Bengio (2010), equation 12


@given(st.integers(1, 40), st.integers(0, 9))
def test_orthogonal_is_orthogonal(H, seed):
    Q = orthogonal(np.random.default_rng(seed), H)
    np.testing.assert_allclose(Q.T @ Q, np.eye(H), atol=1e-13)


def test_every_orthogonal_matrix_is_equally_likely():
    """Under that law every entry is as often positive as negative, and E[trace] = 0, E[trace²] = 1; without the signs
    of R's diagonal, NumPy's QR gives first entries of one sign."""
    rng = np.random.default_rng(1)
    Qs = np.array([orthogonal(rng, 3) for _ in range(4000)])
    assert np.abs((Qs > 0).mean(axis=0) - 0.5).max() < 4 * 0.5 / math.sqrt(4000)
    traces = np.trace(Qs, axis1=1, axis2=2)
    assert traces.mean() == pytest.approx(0, abs=4 / math.sqrt(4000))
    assert (traces**2).mean() == pytest.approx(1, abs=0.12)
    assert (np.linalg.det(Qs) > 0).mean() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize(("tied", "deviation"), [(False, 1.0), (True, 1 / 8)])
def test_the_embedding_is_normal_and_smaller_where_it_is_tied(tied, deviation):
    E = embedding_table(np.random.default_rng(2), 2000, 64, tied)
    assert E.mean() == pytest.approx(0, abs=0.02 * deviation)
    assert E.std() == pytest.approx(deviation, rel=0.01)
    assert (np.abs(E) < deviation).mean() == pytest.approx(0.6827, abs=0.01)
    assert LSTMLM(1000, 64, 64, tie_weights=tied).parameters()["E"].std() == pytest.approx(deviation, rel=0.02)


@pytest.mark.parametrize("forget_bias", [1.0, 0.0, -2.5])
def test_the_forget_bias_lands_in_b_f_and_all_other_biases_are_zero(forget_bias):
    lstm = LSTMLM(9, 5, 4, num_layers=3, forget_bias=forget_bias)
    for layer in range(3):
        b_f = lstm.layer_parameters(layer).b_f
        assert (b_f == forget_bias).all() and b_f.shape == (4,)
        b_f[...] = 0
    assert lstm_cell().options == LSTMLM(9, 5, 4).cell.options == {"forget_bias": 1.0}
    for model in (lstm, RNNLM(9, 5, 4), GRULM(9, 5, 4)):
        assert not any(array.any() for array in model.parameters().values() if array.ndim == 1)


@pytest.mark.parametrize(("make", "names", "num_gates"), [
    (RNNLM, ("W_xh", "W_hh"), 1), (LSTMLM, ("W_x", "W_h"), 4), (GRULM, ("W_x", "W_h"), 3),
])  # fmt: skip
def test_recurrent_matrices_are_orthogonal_gate_by_gate_and_input_matrices_glorots(make, names, num_gates):
    D, H = 20, 15
    model = make(9, D, H, num_layers=2, dtype=np.float64)
    for layer in range(2):
        inputs, recurrent = (np.split(getattr(model.layer_parameters(layer), q), num_gates, axis=1) for q in names)
        limit = math.sqrt(6 / ((D if layer == 0 else H) + H))  # of a gate's (D, H), not of the packed matrix
        assert all(np.allclose(W.T @ W, np.eye(H), atol=1e-13) for W in recurrent)
        assert all(0.95 * limit < np.abs(W).max() <= limit for W in inputs)
        for matrices in (inputs, recurrent):
            assert not any(np.array_equal(W, other) for W, other in combinations(matrices, 2))
    relu = RNNLM(9, D, H, num_layers=2, nonlinearity="relu")
    assert all(np.array_equal(relu.layer_parameters(layer).W_hh, np.eye(H)) for layer in range(2))


@every_model
def test_each_array_is_drawn_by_itself_from_one_seed_in_every_dtype(make):
    double = make(9, 5, 5, num_layers=2, seed=3, dtype=np.float64).parameters()
    matrices = [array for array in double.values() if array.ndim == 2]
    assert not any(np.array_equal(W, other) for W, other in combinations(matrices, 2))
    for dtype in (np.float32, np.complex128, np.float64):
        for name, array in make(9, 5, 5, num_layers=2, seed=3, dtype=dtype).parameters().items():
            assert array.dtype == dtype and np.array_equal(array, double[name].astype(dtype)), name
    for name, array in make(9, 5, 5, num_layers=2, seed=4, dtype=np.float64).parameters().items():
        assert np.array_equal(array, double[name]) == (array.ndim == 1), name
    W_hy, limit = make(300, 20, 40).parameters()["W_hy"], math.sqrt(6 / 340)
    assert 0.99 * limit < np.abs(W_hy).max() <= limit


def test_a_uniform_redraw_fills_every_array_up_to_its_range():
    model = LSTMLM(40, 20, 30, num_layers=2)
    before = model.parameters()
    redraw_uniform(np.random.default_rng(0), model.parameters(), 0.1)
    for name, array in model.parameters().items():
        assert array is before[name] and array.dtype == np.float32
        assert 0.09 < array.max() <= np.float32(0.1) and -0.09 > array.min() >= -np.float32(0.1), name
        assert array.std() == pytest.approx(0.1 / math.sqrt(3), rel=0.25), name
    entries = np.concatenate([array.ravel() for array in model.parameters().values()])
    assert len(np.unique(entries)) > 0.9 * len(entries), "each is drawn by itself"
    for wrong in (0, -0.1, math.inf, "0.1", None):
        with pytest.raises(ValueError, match="uniform_range must be a finite number above 0"):
            redraw_uniform(np.random.default_rng(0), before, wrong)
