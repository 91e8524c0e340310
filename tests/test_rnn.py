"""The RNN's step against equation (1). test_cells.py has the proofs that every cell must pass."""

import numpy as np
import pytest

from numpylm.rnn import rnn_cell, rnn_step

N, H = 3, 5


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_step_is_equation_1(nonlinearity):
    rng = np.random.default_rng(0)
    xW_t, h_prev, W_hh = rng.standard_normal((N, H)), rng.standard_normal((N, H)), rng.standard_normal((H, H))
    step = rnn_step(xW_t, h_prev, W_hh, nonlinearity)
    f = {"tanh": np.tanh, "relu": lambda a: np.where(a > 0, a, 0)}[nonlinearity]
    for n in range(N):
        for k in range(H):
            a = xW_t[n, k] + sum(h_prev[n, j] * W_hh[j, k] for j in range(H))
            assert step.a_t[n, k] == pytest.approx(a, rel=1e-12)
            assert step.h_t[n, k] == pytest.approx(f(a), rel=1e-12)
    np.testing.assert_array_equal(step.h_prev, h_prev)


def test_unknown_nonlinearity():
    with pytest.raises(ValueError, match="nonlinearity must be one of tanh, relu; got 'sin'"):
        rnn_cell("sin")
