import numpy as np
import pytest
from gradient_proofs import prove, read_only
from hypothesis import given
from hypothesis import strategies as st

from numpylm.embedding import embedding_backward
from numpylm.projection import MANY_PLACES, Lookup, projection_backward, projection_forward, sum_by_token

V, D, H = 4, 6, 2
TOKENS = np.array([[1, 3, 3], [3, 3, 1], [0, 1, 0], [3, 0, 3], [1, 1, 1]])  # 0, 1 and 3 stand often, 2 never
rng = np.random.default_rng(0)
E, W_X, B = rng.standard_normal((V, D)), rng.standard_normal((D, H)), rng.standard_normal(H)


@pytest.mark.parametrize("repeats", [1, 2], ids=["few places of a token", "many"])
def test_values_and_gradient_of_the_folded_table(repeats):
    tokens = np.tile(TOKENS, (repeats, 1))
    assert (tokens.size > MANY_PLACES * V) == (repeats == 2)
    xW = projection_forward(E[tokens], W_X, B, Lookup(tokens, E))
    np.testing.assert_allclose(xW, E[tokens] @ W_X + B, rtol=1e-13, atol=1e-14)
    dxW = np.random.default_rng(1).standard_normal(xW.shape)
    gradients = projection_backward(read_only(dxW), E[tokens], read_only(W_X), read_only(Lookup(tokens, E)))
    assert gradients.dx is None
    prove(
        lambda E, W_x, b: (dxW * projection_forward(E[tokens], W_x, b, Lookup(tokens, E))).sum(),
        {"E": E, "W_x": W_X, "b": B},
        {"E": gradients.dE, "W_x": gradients.dW_x, "b": gradients.db},
    )


def test_without_a_lookup_it_is_the_affine_map_of_any_x():
    rng = np.random.default_rng(2)
    x, dxW = rng.standard_normal((5, 3, D)), rng.standard_normal((5, 3, H))
    np.testing.assert_allclose(projection_forward(x, W_X, B), x @ W_X + B, rtol=1e-13, atol=1e-14)
    gradients = projection_backward(read_only(dxW), read_only(x), read_only(W_X))
    assert gradients.dE is None
    prove(
        lambda x, W_x, b: (dxW * projection_forward(x, W_x, b)).sum(),
        {"x": x, "W_x": W_X, "b": B},
        {"x": gradients.dx, "W_x": gradients.dW_x, "b": gradients.db},
    )


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 9), st.integers(0, 2**32))
def test_sums_by_token_are_the_embeddings_gradient(T, N, V, seed):
    rng = np.random.default_rng(seed)
    tokens, dxW = rng.integers(0, V, (T, N)), rng.standard_normal((T, N, H))
    np.testing.assert_allclose(sum_by_token(dxW, tokens, V), embedding_backward(dxW, tokens, V), atol=1e-13)
