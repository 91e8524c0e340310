"""How parameters start: the distributions that initialization.py names, in the places where they belong."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm import GRULM, LSTMLM, RNNLM
from numpylm.initialization import embedding_table, glorot_uniform, identity, orthogonal, redraw_uniform

MODELS = [RNNLM, LSTMLM, GRULM]
every_model = pytest.mark.parametrize("make", MODELS)
every_depth = pytest.mark.parametrize("num_layers", [1, 3])


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 9))
def test_glorot_stays_within_its_limits(A, B, seed):
    W = glorot_uniform(np.random.default_rng(seed), A, B)
    assert W.shape == (A, B) and np.abs(W).max() <= math.sqrt(6 / (A + B))


def test_glorot_is_uniform_up_to_its_limits():
    A, B = 300, 500
    W = glorot_uniform(np.random.default_rng(0), A, B)
    limit = math.sqrt(6 / 800)
    counts, _ = np.histogram(W, bins=8, range=(-limit, limit))
    expected = A * B / 8
    assert counts.sum() == A * B
    assert ((counts - expected) ** 2 / expected).sum() < 29.9  # chi-square, 7 degrees of freedom, one in 10 000
    assert W.var() == pytest.approx(2 / (A + B), rel=0.02)  # Glorot and Bengio (2010), equation 12


@settings(deadline=None, max_examples=40)
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


def test_identity_is_the_identity():
    assert np.array_equal(identity(3), [[1, 0, 0], [0, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize(("tied", "deviation"), [(False, 1.0), (True, 1 / 8)])
def test_the_embedding_is_normal_and_smaller_where_it_is_tied(tied, deviation):
    E = embedding_table(np.random.default_rng(2), 2000, 64, tied)
    assert E.shape == (2000, 64)
    assert E.mean() == pytest.approx(0, abs=0.02 * deviation)
    assert E.std() == pytest.approx(deviation, rel=0.01)
    assert (np.abs(E) < deviation).mean() == pytest.approx(0.6827, abs=0.01)


@pytest.mark.parametrize("tie_weights", [False, True])
def test_a_models_embedding_has_the_scale_of_its_kind(tie_weights):
    E = LSTMLM(1000, 64, 64, tie_weights=tie_weights).parameters()["E"]
    assert E.std() == pytest.approx(1 / 8 if tie_weights else 1, rel=0.02)


@every_depth
@pytest.mark.parametrize("forget_bias", [1.0, 0.0, -2.5])
def test_the_forget_bias_lands_in_b_f_and_nowhere_else(num_layers, forget_bias):
    model = LSTMLM(9, 5, 4, num_layers=num_layers, forget_bias=forget_bias)
    for layer in range(num_layers):
        p = model.layer_parameters(layer)
        assert (p.b_f == forget_bias).all() and p.b_f.shape == (4,)
        assert not p.b_i.any() and not p.b_o.any() and not p.b_c.any()
    assert not model.parameters()["b_y"].any()


@every_depth
def test_all_other_biases_start_at_zero(num_layers):
    for make in (RNNLM, GRULM):
        biases = {name: b for name, b in make(9, 5, 4, num_layers=num_layers).parameters().items() if b.ndim == 1}
        assert len(biases) == 1 + num_layers * (1 if make is RNNLM else 2)
        assert not any(b.any() for b in biases.values())


@every_depth
def test_the_recurrent_matrix_of_relu_is_the_identity_and_of_tanh_orthogonal(num_layers):
    for layer in range(num_layers):
        relu = RNNLM(9, 5, 4, num_layers=num_layers, nonlinearity="relu").layer_parameters(layer)
        tanh = RNNLM(9, 5, 4, num_layers=num_layers, dtype=np.float64).layer_parameters(layer)
        assert np.array_equal(relu.W_hh, np.eye(4))
        np.testing.assert_allclose(tanh.W_hh.T @ tanh.W_hh, np.eye(4), atol=1e-13)
        assert np.abs(tanh.W_hh - np.eye(4)).max() > 0.1


@pytest.mark.parametrize(("make", "gates"), [(LSTMLM, "ifoc"), (GRULM, "rzn")])
@every_depth
def test_each_gate_is_drawn_by_itself(make, gates, num_layers):
    D, H = 20, 15
    model = make(9, D, H, num_layers=num_layers, dtype=np.float64)
    for layer in range(num_layers):
        p = model.layer_parameters(layer)
        limit = math.sqrt(6 / ((D if layer == 0 else H) + H))  # of a gate's (D, H), not of the packed matrix
        W_x = [getattr(p, f"W_x{gate}") for gate in gates]
        W_h = [getattr(p, f"W_h{gate}") for gate in gates]
        for W in W_h:
            np.testing.assert_allclose(W.T @ W, np.eye(H), atol=1e-13)
        for W in W_x:
            assert 0.95 * limit < np.abs(W).max() <= limit
        for matrices in (W_x, W_h):
            assert not any(np.array_equal(matrices[i], matrices[j]) for i in range(len(gates)) for j in range(i))


def test_layers_are_drawn_by_themselves():
    p = LSTMLM(9, 5, 5, num_layers=2).parameters()
    assert not np.array_equal(p["layer_0.W_x"], p["layer_1.W_x"])
    assert not np.array_equal(p["layer_0.W_h"], p["layer_1.W_h"])


@every_model
def test_the_output_matrix_is_within_glorots_limits(make):
    W_hy = make(300, 20, 40).parameters()["W_hy"]
    limit = math.sqrt(6 / 340)
    assert 0.99 * limit < np.abs(W_hy).max() <= limit


@every_model
def test_one_seed_is_one_model_in_every_dtype(make):
    double = make(9, 5, 5, num_layers=2, seed=3, dtype=np.float64).parameters()
    for dtype in (np.float32, np.complex128, np.float64):
        for name, array in make(9, 5, 5, num_layers=2, seed=3, dtype=dtype).parameters().items():
            assert array.dtype == dtype
            assert np.array_equal(array, double[name].astype(dtype)), name


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


@pytest.mark.parametrize("uniform_range", [0, -0.1, math.inf, "0.1", None])
def test_a_uniform_redraw_needs_a_range(uniform_range):
    W = np.ones((2, 3))
    with pytest.raises(ValueError, match="uniform_range must be a finite number above 0"):
        redraw_uniform(np.random.default_rng(0), {"W": W}, uniform_range)
    assert (W == 1).all()


@every_model
def test_another_seed_is_another_model(make):
    first, second = (make(9, 5, 5, seed=seed).parameters() for seed in (0, 1))
    for name, array in first.items():
        assert np.array_equal(array, second[name]) == (array.ndim == 1), name


def test_making_a_model_leaves_numpys_global_generator_alone():
    def global_state():
        return np.random.get_state(legacy=False)["state"]

    before = global_state()
    LSTMLM(9, 5, 4)
    after = global_state()
    assert np.array_equal(before["key"], after["key"]) and before["pos"] == after["pos"]


@every_model
def test_a_fresh_model_is_nearly_uniform(make):
    """Its loss is near log V: neither saturated nor certain of anything."""
    V = 50
    inputs, targets = np.random.default_rng(4).integers(0, V, (2, 20, 8))
    for tie_weights in (False, True):
        loss = make(V, 32, 32, tie_weights=tie_weights).loss_and_gradients(inputs, targets).loss
        assert math.log(V) - 0.2 < loss < math.log(V) + 0.6
