import numpy as np
import pytest
from gradient_proofs import assert_same, prove, read_only

from numpylm.affine import affine_backward, affine_forward

rng = np.random.default_rng(0)
T, N, A, B = 3, 2, 4, 5
X, W, BIAS = rng.standard_normal((T, N, A)), rng.standard_normal((A, B)), rng.standard_normal(B)
DY = rng.standard_normal((T, N, B))


def test_values_are_those_of_each_row_alone():
    y = affine_forward(X, W, BIAS)
    for t in range(T):
        for n in range(N):
            np.testing.assert_allclose(y[t, n], [X[t, n] @ W[:, k] + BIAS[k] for k in range(B)], rtol=1e-13)


@pytest.mark.parametrize("shape", [(T, N), (N,), (T, N, 2)])
def test_every_gradient(shape):
    x, dy = rng.standard_normal((*shape, A)), rng.standard_normal((*shape, B))
    gradients = affine_backward(dy, x, W)
    prove(
        lambda x, W, b: (dy * affine_forward(x, W, b)).sum(),
        {"x": x, "W": W.copy(), "b": BIAS.copy()},
        {"x": gradients.dx, "W": gradients.dW, "b": gradients.db},
    )


def test_inputs_are_left_alone_and_calls_repeat():
    x, weights, bias, dy = map(read_only, (X, W, BIAS, DY))
    assert_same(affine_forward(x, weights, bias), affine_forward(x, weights, bias))
    assert_same(affine_backward(dy, x, weights), affine_backward(dy, x, weights))


def test_strided_inputs_give_the_same():
    wide = rng.standard_normal((T, N, 2 * A))
    np.testing.assert_allclose(
        affine_backward(DY, wide[..., ::2], W).dW, affine_backward(DY, wide[..., ::2].copy(), W).dW, rtol=1e-13
    )
