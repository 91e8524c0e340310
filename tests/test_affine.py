import numpy as np
import pytest
from gradient_proofs import prove, read_only

from numpylm.affine import affine_backward, affine_forward

A, B = 4, 5


@pytest.mark.parametrize("shape", [(3, 2), (3,), (3, 2, 4)])
def test_values_and_every_gradient(shape):
    """Also of an x whose entries do not lie side by side in memory."""
    rng = np.random.default_rng(0)
    W, b = rng.standard_normal((A, B)), rng.standard_normal(B)
    x, dy = rng.standard_normal((*shape, 2 * A))[..., ::2], rng.standard_normal((*shape, B))
    y = affine_forward(read_only(x), read_only(W), read_only(b))
    assert y.shape == dy.shape
    for row in np.ndindex(shape):
        np.testing.assert_allclose(y[row], [x[row] @ W[:, k] + b[k] for k in range(B)], rtol=1e-13, atol=1e-14)
    gradients = affine_backward(read_only(dy), x, read_only(W))
    prove(
        lambda x, W, b: (dy * affine_forward(x, W, b)).sum(),
        {"x": x, "W": W, "b": b},
        {"x": gradients.dx, "W": gradients.dW, "b": gradients.db},
    )
