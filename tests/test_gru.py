import numpy as np
import pytest
import sequence_proofs as proofs
from gradient_proofs import assert_same, prove, read_only

from numpylm.gru import GRUParameters, gru_cell, gru_step, gru_step_backward

N, H, D = 3, 5, 4


def random_step(seed):
    rng = np.random.default_rng(seed)
    xW_t, W_h, b_hn = rng.standard_normal((N, 3 * H)), rng.standard_normal((H, 3 * H)), rng.standard_normal(H)
    h_prev, dh_t = rng.standard_normal((2, N, H))
    return xW_t, h_prev, W_h, b_hn, dh_t


def test_step_is_equations_10_to_13_written_gate_by_gate():
    rng = np.random.default_rng(0)
    p = GRUParameters(*[rng.standard_normal(shape) for shape in gru_cell().shapes(D, H).values()])
    x_t, h_prev = rng.standard_normal((N, D)), rng.standard_normal((N, H))
    step = gru_step(x_t @ p.W_x + p.b, h_prev, p.W_h, p.b_hn)

    def σ(a):
        return 1 / (1 + np.exp(-a))

    r_t = σ(x_t @ p.W_xr + h_prev @ p.W_hr + p.b_r)
    z_t = σ(x_t @ p.W_xz + h_prev @ p.W_hz + p.b_z)
    n_t = np.tanh(x_t @ p.W_xn + p.b_n + r_t * (h_prev @ p.W_hn + p.b_hn))
    expected = {"r_t": r_t, "z_t": z_t, "n_t": n_t, "h_t": (1 - z_t) * n_t + z_t * h_prev}
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(step, name), values, rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("dropout", [None, np.random.default_rng(9).choice([0, 1.5], (N, H))])
def test_step_backward_of_every_argument(dropout):
    xW_t, h_prev, W_h, b_hn, dh_t = random_step(1)
    step = read_only(gru_step(xW_t, h_prev, W_h, b_hn, dropout))
    arguments = read_only(dh_t), step, read_only(W_h), dropout
    gradients = gru_step_backward(*arguments)
    prove(
        lambda xW_t, h_prev, W_h, b_hn: (dh_t * gru_step(xW_t, h_prev, W_h, b_hn, dropout).h_t).sum(),
        {"xW_t": xW_t, "h_prev": h_prev, "W_h": W_h, "b_hn": b_hn},
        {
            "xW_t": gradients.da_t,
            "h_prev": gradients.dh_prev,
            "W_h": step.h_in.T @ gradients.dhW_t,
            "b_hn": gradients.dhW_t[:, 2 * H :].sum(axis=0),
        },
    )
    assert_same(gradients.dh_t, dh_t)
    assert_same(gradients, gru_step_backward(*arguments))


def test_every_intermediate_gradient_of_a_step():
    xW_t, h_prev, W_h, b_hn, dh_t = random_step(2)
    step = gru_step(xW_t, h_prev, W_h, b_hn)
    gradients = gru_step_backward(dh_t, step, W_h)
    prove(
        lambda z_t, n_t: (dh_t * ((1 - z_t) * n_t + z_t * h_prev)).sum(),
        {"z_t": step.z_t.copy(), "n_t": step.n_t.copy()},
        {"z_t": gradients.dz_t, "n_t": gradients.dn_t},
    )

    def from_reset_gate(r_t):
        n_t = np.tanh(xW_t[:, 2 * H :] + r_t * step.hW_n)
        return (dh_t * (1 - step.z_t) * n_t).sum()

    prove(from_reset_gate, {"r_t": step.r_t.copy()}, {"r_t": gradients.dr_t})


def test_sequence_backward_of_every_argument():
    proofs.prove_sequence(gru_cell())


def test_sequence_backward_with_mask_and_recurrent_dropout():
    mask = np.arange(proofs.T)[:, None] < np.array([5, 2, 3])
    proofs.prove_sequence(gru_cell(), mask=mask)
    dropout = np.random.default_rng(4).choice([0, 2.0], (proofs.N, proofs.H))
    proofs.prove_sequence(gru_cell(), mask=mask, recurrent_dropout=dropout)


def test_chunks_equal_the_whole():
    proofs.prove_chunks_equal_whole(gru_cell())


def test_calls_leave_no_trace():
    proofs.prove_calls_leave_no_trace(gru_cell())


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_dtype_follows_parameters(dtype):
    proofs.prove_dtype_follows_parameters(gru_cell(), dtype)


def test_trace_stacks_the_steps():
    cell = gru_cell()
    parameters, x, state_0, _, _ = proofs.random_problem(cell)
    out = cell.forward(parameters, x, state_0)
    for t, step in enumerate(out.trace.steps):
        for name in ("r", "z", "n", "h"):
            np.testing.assert_array_equal(getattr(out.trace, name)[t], getattr(step, f"{name}_t"), err_msg=name)


def test_gate_views_share_memory_and_together_are_the_whole():
    p = GRUParameters(*[np.zeros(shape) for shape in gru_cell().shapes(D, H).values()])
    for value, name in enumerate((f"{kind}{gate}" for kind in ("W_x", "W_h", "b_") for gate in "rzn"), start=1):
        view = getattr(p, name)
        view += value
    np.testing.assert_array_equal(p.W_x, np.repeat([[1, 2, 3]] * D, H, axis=1))
    np.testing.assert_array_equal(p.W_h, np.repeat([[4, 5, 6]] * H, H, axis=1))
    np.testing.assert_array_equal(p.b, np.repeat([7, 8, 9], H))
