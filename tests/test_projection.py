import numpy as np
import pytest
from gradient_proofs import assert_same, prove, read_only
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm import GRULM, LSTMLM, RNNLM
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.projection import MANY_PLACES, Embedded, projection_backward, projection_forward, sum_by_token

T, N, V, D, H = 5, 3, 4, 6, 2
TOKENS = np.array([[1, 3, 3], [3, 3, 1], [0, 1, 0], [3, 0, 3], [1, 1, 1]])  # 0, 1 and 3 stand often, 2 never


def arrays(seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((V, D)), *[rng.standard_normal(shape) for shape in ((D, H), (H,), (T, N, H))]


def test_the_folded_table_gives_what_looking_up_first_gives():
    E, W_x, b, _ = arrays(0)
    folded = projection_forward(Embedded(TOKENS, E), W_x, b)
    np.testing.assert_allclose(folded, projection_forward(embedding_forward(TOKENS, E), W_x, b), rtol=1e-14)
    np.testing.assert_allclose(folded, E[TOKENS] @ W_x + b, rtol=1e-13)
    assert len(Embedded(TOKENS, E)) == T


@pytest.mark.parametrize("repeats", [1, 2], ids=["few places of a token", "many"])
def test_gradient_of_the_folded_table(repeats):
    E, W_x, b, _ = arrays(1)
    tokens = np.tile(TOKENS, (repeats, 1))
    assert (tokens.size > MANY_PLACES * V) == (repeats == 2)
    da = np.random.default_rng(4).standard_normal((*tokens.shape, H))
    gradients = projection_backward(read_only(da), read_only(Embedded(tokens, E)), read_only(W_x))
    prove(
        lambda E, W_x, b: (da * projection_forward(Embedded(tokens, E), W_x, b)).sum(),
        {"E": E, "W_x": W_x, "b": b},
        {"E": gradients.dx, "W_x": gradients.dW, "b": gradients.db},
    )


def test_gradient_of_a_dense_x():
    _, W_x, b, da = arrays(2)
    x = np.random.default_rng(3).standard_normal((T, N, D))
    gradients = projection_backward(read_only(da), read_only(x), read_only(W_x))
    prove(
        lambda x, W_x, b: (da * projection_forward(x, W_x, b)).sum(),
        {"x": x, "W_x": W_x, "b": b},
        {"x": gradients.dx, "W_x": gradients.dW, "b": gradients.db},
    )


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 9), st.integers(0, 2**32))
def test_sums_by_token_are_the_embeddings_gradient(T, N, V, seed):
    rng = np.random.default_rng(seed)
    tokens, da = rng.integers(0, V, (T, N)), rng.standard_normal((T, N, H))
    sums = sum_by_token(da.reshape(-1, H), tokens, V)
    np.testing.assert_allclose(sums, embedding_backward(da, tokens, V), atol=1e-13)


@pytest.mark.parametrize("LM", [RNNLM, LSTMLM, GRULM])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_model_folds_only_where_it_pays_and_gives_the_same(LM, dropout):
    model = LM(V, D, H, dropout=dropout, dtype=np.float64, seed=1)
    targets = np.roll(TOKENS, -1, 0)
    whole = model.loss_and_gradients(TOKENS, targets)  # V = 4 < T N = 15: folded
    parts, state, total = [], None, 0.0
    for n in range(N):  # one stream, three steps at a time: V = 4 > 3 places, looked up
        state = None
        for t in range(0, T, 3):
            out = model.loss_and_gradients(TOKENS[t : t + 3, n : n + 1], targets[t : t + 3, n : n + 1], state)
            state, total = out.state, total + out.loss * len(TOKENS[t : t + 3])
            parts.append(out)
    assert total / TOKENS.size == pytest.approx(whole.loss, rel=1e-13)
    assert isinstance(model.forward(TOKENS).trace.layers[0].x, Embedded)
    assert not isinstance(model.forward(TOKENS[:3, :1]).trace.layers[0].x, Embedded)
    with_dropout = model.forward(TOKENS, rng=np.random.default_rng(0)).trace.layers[0].x
    assert isinstance(with_dropout, Embedded) == (dropout == 0)
    assert_same(whole.gradients, model.loss_and_gradients(TOKENS, targets).gradients)
