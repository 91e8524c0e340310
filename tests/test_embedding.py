import numpy as np
from gradient_proofs import prove, read_only
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm.embedding import embedding_backward, embedding_forward

V, D = 7, 4
TOKENS = np.array([[1, 3], [3, 3], [6, 1]])  # (T, N) = (3, 2); token 3 stands three times, 0, 2, 4 and 5 never


def test_rows_are_looked_up():
    E = np.arange(V * D, dtype=float).reshape(V, D)
    x = embedding_forward(TOKENS, E)
    assert x.shape == (3, 2, D)
    np.testing.assert_array_equal(x, np.eye(V)[TOKENS] @ E)


def test_gradient_adds_up_every_occurrence():
    rng = np.random.default_rng(0)
    E, dx = rng.standard_normal((V, D)), rng.standard_normal((3, 2, D))
    prove(lambda E: (dx * embedding_forward(TOKENS, E)).sum(), {"E": E}, {"E": embedding_backward(dx, TOKENS, V)})


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 9), st.integers(0, 2**32))
def test_gradient_is_the_one_hot_product(T, N, V, seed):
    rng = np.random.default_rng(seed)
    tokens, dx = rng.integers(0, V, (T, N)), rng.standard_normal((T, N, D))
    onehot = np.eye(V)[tokens].reshape(-1, V)
    np.testing.assert_allclose(embedding_backward(dx, tokens, V), onehot.T @ dx.reshape(-1, D), atol=1e-12)


def test_inputs_are_left_alone_whatever_their_dtype():
    dx = read_only(np.ones((3, 2, D), dtype=np.float32))
    for dtype in (np.uint8, np.int32, np.int64):
        dE = embedding_backward(dx, read_only(TOKENS.astype(dtype)), V)
        assert dE.dtype == np.float32
        np.testing.assert_array_equal(dE[:, 0], [0, 2, 0, 3, 0, 0, 1])
