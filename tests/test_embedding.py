import numpy as np
import pytest
from gradient_proofs import prove, read_only

from numpylm.embedding import embedding_backward, embedding_forward

V, D = 7, 4
TOKENS = np.array([[1, 3], [3, 3], [6, 1]])  # (T, N) = (3, 2); token 3 stands three times, 0, 2, 4 and 5 never


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_rows_are_looked_up_and_their_gradients_added_up(dtype):
    rng, tokens = np.random.default_rng(0), read_only(TOKENS.astype(dtype))
    E, dx = rng.standard_normal((V, D)), read_only(rng.standard_normal((3, 2, D)))
    np.testing.assert_array_equal(embedding_forward(tokens, read_only(E)), np.eye(V)[TOKENS] @ E)
    prove(lambda E: (dx * embedding_forward(tokens, E)).sum(), {"E": E}, {"E": embedding_backward(dx, tokens, V)})
    assert embedding_backward(dx.astype(np.float32), tokens, V).dtype == np.float32
