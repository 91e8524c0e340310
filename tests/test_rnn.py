import numpy as np
import pytest
import sequence_proofs as proofs
from gradient_proofs import assert_same, prove, read_only

from numpylm.rnn import RNNState, rnn_cell, rnn_step, rnn_step_backward

N, H = 3, 5
kinds = pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
dropouts = pytest.mark.parametrize(
    "dropout", [None, np.random.default_rng(9).choice([0, 1.5], (N, H))], ids=["", "drop"]
)


@kinds
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


@kinds
@dropouts
def test_step_backward_of_every_argument(nonlinearity, dropout):
    rng = np.random.default_rng(1)
    xW_t, h_prev, W_hh = rng.standard_normal((N, H)), rng.standard_normal((N, H)), rng.standard_normal((H, H))
    dh_t = rng.standard_normal((N, H))
    step = read_only(rnn_step(xW_t, h_prev, W_hh, nonlinearity, dropout))
    assert step.h_prev is not h_prev and np.array_equal(step.h_prev, h_prev)
    assert np.abs(step.a_t).min() > 1e-3  # off the kink
    arguments = read_only(dh_t), step, read_only(W_hh), nonlinearity, dropout
    gradients = rnn_step_backward(*arguments)
    h_in = h_prev if dropout is None else dropout * h_prev
    prove(
        lambda xW_t, h_prev, W_hh: (dh_t * rnn_step(xW_t, h_prev, W_hh, nonlinearity, dropout).h_t).sum(),
        {"xW_t": xW_t, "h_prev": h_prev, "W_hh": W_hh},
        {"xW_t": gradients.da_t, "h_prev": gradients.dh_prev, "W_hh": h_in.T @ gradients.da_t},
    )
    assert_same(gradients.dh_t, dh_t)
    assert_same(gradients, rnn_step_backward(*arguments))


@kinds
@pytest.mark.parametrize(("mask", "dropout"), [(None, None), (proofs.MASK, None), (proofs.MASK, proofs.DROPOUT)])
def test_sequence_backward_of_every_argument(nonlinearity, mask, dropout):
    cell = rnn_cell(nonlinearity)
    parameters, x, state_0, _, _ = proofs.random_problem(cell)
    assert np.abs(cell.forward(parameters, x, state_0, mask, dropout).trace.a).min() > 1e-3  # off the kink
    proofs.prove_sequence(cell, mask, dropout)


@kinds
def test_chunks_equal_the_whole(nonlinearity):
    proofs.prove_chunks_equal_whole(rnn_cell(nonlinearity))


@kinds
def test_records_of_every_step(nonlinearity):
    def step_backward(dh_t, step, parameters):
        return rnn_step_backward(dh_t, step, np.asfortranarray(parameters.W_hh), nonlinearity, proofs.DROPOUT)

    proofs.prove_records(rnn_cell(nonlinearity), step_backward)


@kinds
def test_calls_leave_no_trace_and_keep_the_dtype(nonlinearity):
    proofs.prove_calls_leave_no_trace(rnn_cell(nonlinearity))
    proofs.prove_dtype_follows_parameters(rnn_cell(nonlinearity))


def test_truncation_is_zeros_passed_back():
    """With dstate_T = 0, the gradient is this window's alone, with the incoming state held fixed."""
    cell = rnn_cell()
    parameters, x, state_0, dh, _ = proofs.random_problem(cell)
    out = cell.forward(parameters, x, state_0)
    gradients = cell.backward(parameters, dh, RNNState(np.zeros_like(state_0.h)), out.trace)
    prove(
        lambda W_hh: (dh * cell.forward(parameters._replace(W_hh=W_hh), x, state_0).h).sum(),
        {"W_hh": parameters.W_hh},
        {"W_hh": gradients.dparameters.W_hh},
    )


def test_unknown_nonlinearity():
    with pytest.raises(ValueError, match="nonlinearity must be one of tanh, relu; got 'sin'"):
        rnn_cell("sin")
