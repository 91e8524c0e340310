import numpy as np
import pytest
from gradient_proofs import prove, read_only
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.projection import MANY_PLACES, Lookup, projection_backward, projection_forward, sum_by_token

T, N, V, D, H = 5, 3, 4, 6, 2
TOKENS = np.array([[1, 3, 3], [3, 3, 1], [0, 1, 0], [3, 0, 3], [1, 1, 1]])  # 0, 1 and 3 stand often, 2 never


def arrays(seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((V, D)), *[rng.standard_normal(shape) for shape in ((D, H), (H,), (T, N, H))]


def test_the_folded_table_gives_what_looking_up_first_gives():
    E, W_x, b, _ = arrays(0)
    x = embedding_forward(TOKENS, E)
    folded = projection_forward(x, W_x, b, Lookup(TOKENS, E))
    np.testing.assert_allclose(folded, projection_forward(x, W_x, b), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(folded, E[TOKENS] @ W_x + b, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("repeats", [1, 2], ids=["few places of a token", "many"])
def test_gradient_of_the_folded_table(repeats):
    E, W_x, b, _ = arrays(1)
    tokens = np.tile(TOKENS, (repeats, 1))
    assert (tokens.size > MANY_PLACES * V) == (repeats == 2)
    dxW = np.random.default_rng(4).standard_normal((*tokens.shape, H))
    gradients = projection_backward(read_only(dxW), E[tokens], read_only(W_x), read_only(Lookup(tokens, E)))
    assert gradients.dx is None
    prove(
        lambda E, W_x, b: (dxW * projection_forward(E[tokens], W_x, b, Lookup(tokens, E))).sum(),
        {"E": E, "W_x": W_x, "b": b},
        {"E": gradients.dE, "W_x": gradients.dW_x, "b": gradients.db},
    )


def test_gradient_of_a_dense_x():
    _, W_x, b, dxW = arrays(2)
    x = np.random.default_rng(3).standard_normal((T, N, D))
    gradients = projection_backward(read_only(dxW), read_only(x), read_only(W_x))
    assert gradients.dE is None
    prove(
        lambda x, W_x, b: (dxW * projection_forward(x, W_x, b)).sum(),
        {"x": x, "W_x": W_x, "b": b},
        {"x": gradients.dx, "W_x": gradients.dW_x, "b": gradients.db},
    )


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 9), st.integers(0, 2**32))
def test_sums_by_token_are_the_embeddings_gradient(T, N, V, seed):
    rng = np.random.default_rng(seed)
    tokens, dxW = rng.integers(0, V, (T, N)), rng.standard_normal((T, N, H))
    np.testing.assert_allclose(sum_by_token(dxW, tokens, V), embedding_backward(dxW, tokens, V), atol=1e-13)
