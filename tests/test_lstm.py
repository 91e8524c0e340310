import numpy as np
import pytest
import sequence_proofs as proofs
from gradient_proofs import assert_same, prove, read_only

from numpylm.lstm import LSTMParameters, lstm_cell, lstm_step, lstm_step_backward

N, H, D = 3, 5, 4


def random_step(seed):
    rng = np.random.default_rng(seed)
    xW_t, W_h = rng.standard_normal((N, 4 * H)), rng.standard_normal((H, 4 * H))
    h_prev, c_prev, dh_t, dc_next = rng.standard_normal((4, N, H))
    return xW_t, h_prev, c_prev, W_h, dh_t, dc_next


def test_step_is_equations_3_to_8_written_gate_by_gate():
    rng = np.random.default_rng(0)
    p = LSTMParameters(*[rng.standard_normal(shape) for shape in lstm_cell().shapes(D, H).values()])
    x_t, h_prev, c_prev = rng.standard_normal((N, D)), *rng.standard_normal((2, N, H))
    step = lstm_step(x_t @ p.W_x + p.b, h_prev, c_prev, p.W_h)

    def σ(a):
        return 1 / (1 + np.exp(-a))

    i_t = σ(x_t @ p.W_xi + h_prev @ p.W_hi + p.b_i)
    f_t = σ(x_t @ p.W_xf + h_prev @ p.W_hf + p.b_f)
    o_t = σ(x_t @ p.W_xo + h_prev @ p.W_ho + p.b_o)
    c_tilde_t = np.tanh(x_t @ p.W_xc + h_prev @ p.W_hc + p.b_c)
    c_t = f_t * c_prev + i_t * c_tilde_t
    expected = {"i_t": i_t, "f_t": f_t, "o_t": o_t, "c_tilde_t": c_tilde_t, "c_t": c_t, "h_t": o_t * np.tanh(c_t)}
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(step, name), values, rtol=1e-12, atol=1e-14, err_msg=name)


def test_step_backward_of_every_argument():
    xW_t, h_prev, c_prev, W_h, dh_t, dc_next = random_step(1)
    step = read_only(lstm_step(xW_t, h_prev, c_prev, W_h))
    arguments = read_only(dh_t), read_only(dc_next), step, read_only(W_h)
    gradients = lstm_step_backward(*arguments)

    def loss(xW_t, h_prev, c_prev, W_h):
        out = lstm_step(xW_t, h_prev, c_prev, W_h)
        return (dh_t * out.h_t).sum() + (dc_next * out.c_t).sum()

    prove(
        loss,
        {"xW_t": xW_t, "h_prev": h_prev, "c_prev": c_prev, "W_h": W_h},
        {
            "xW_t": gradients.da_t,
            "h_prev": gradients.dh_prev,
            "c_prev": gradients.dc_prev,
            "W_h": h_prev.T @ gradients.da_t,
        },
    )
    assert_same(gradients.dh_t, dh_t)
    assert_same(gradients, lstm_step_backward(*arguments))


def test_every_intermediate_gradient_of_a_step():
    xW_t, h_prev, c_prev, W_h, dh_t, dc_next = random_step(2)
    step = lstm_step(xW_t, h_prev, c_prev, W_h)
    gradients = lstm_step_backward(dh_t, dc_next, step, W_h)

    def from_gates(i_t, f_t, o_t, c_tilde_t):  # (7) and (8)
        c_t = f_t * c_prev + i_t * c_tilde_t
        return (dh_t * o_t * np.tanh(c_t)).sum() + (dc_next * c_t).sum()

    gates = ("i_t", "f_t", "o_t", "c_tilde_t")
    prove(from_gates, {q: getattr(step, q).copy() for q in gates}, {q: getattr(gradients, f"d{q}") for q in gates})
    prove(
        lambda c_t: (dh_t * step.o_t * np.tanh(c_t)).sum() + (dc_next * c_t).sum(),
        {"c_t": step.c_t.copy()},
        {"c_t": gradients.dc_t},
    )
    prove(
        lambda tanh_c_t: (dh_t * step.o_t * tanh_c_t).sum(),
        {"tanh_c_t": step.tanh_c_t.copy()},
        {"tanh_c_t": gradients.dtanh_c_t},
    )


def test_sequence_backward_of_every_argument():
    proofs.prove_sequence(lstm_cell())


def test_sequence_backward_with_mask_and_recurrent_dropout():
    mask = np.arange(proofs.T)[:, None] < np.array([5, 2, 3])
    proofs.prove_sequence(lstm_cell(), mask=mask)
    dropout = np.random.default_rng(4).choice([0, 2.0], (proofs.N, proofs.H))
    proofs.prove_sequence(lstm_cell(), mask=mask, recurrent_dropout=dropout)


def test_chunks_equal_the_whole():
    proofs.prove_chunks_equal_whole(lstm_cell())


def test_calls_leave_no_trace():
    proofs.prove_calls_leave_no_trace(lstm_cell())


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_dtype_follows_parameters(dtype):
    proofs.prove_dtype_follows_parameters(lstm_cell(), dtype)


def test_gate_views_share_memory_and_together_are_the_whole():
    p = LSTMParameters(*[np.zeros(shape) for shape in lstm_cell().shapes(D, H).values()])
    names = [f"{kind}{gate}" for kind in ("W_x", "W_h", "b_") for gate in "ifoc"]
    for value, name in enumerate(names, start=1):
        view = getattr(p, name)
        assert view.shape[-1] == H
        view += value
    np.testing.assert_array_equal(p.W_x, np.repeat([[1, 2, 3, 4]] * D, H, axis=1))
    np.testing.assert_array_equal(p.W_h, np.repeat([[5, 6, 7, 8]] * H, H, axis=1))
    np.testing.assert_array_equal(p.b, np.repeat([9, 10, 11, 12], H))


def test_trace_stacks_the_steps():
    cell = lstm_cell()
    parameters, x, state_0, _, _ = proofs.random_problem(cell)
    out = cell.forward(parameters, x, state_0)
    for t, step in enumerate(out.trace.steps):
        for name in ("i", "f", "o", "c_tilde", "c", "tanh_c", "h"):
            field = f"{name}_t"
            np.testing.assert_array_equal(getattr(out.trace, name)[t], getattr(step, field), err_msg=name)
    np.testing.assert_array_equal(out.state.c, out.trace.c[-1])
