import numpy as np
import pytest
import sequence_proofs as proofs
from gradient_proofs import assert_same, prove, read_only

from numpylm.lstm import LSTMParameters, lstm_cell, lstm_step, lstm_step_backward

N, H, D = 3, 5, 4
DROPOUT = np.random.default_rng(9).choice([0, 1.5], (N, H))


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

    a_t = x_t @ p.W_x + h_prev @ p.W_h + p.b
    i_t = σ(x_t @ p.W_xi + h_prev @ p.W_hi + p.b_i)
    f_t = σ(x_t @ p.W_xf + h_prev @ p.W_hf + p.b_f)
    o_t = σ(x_t @ p.W_xo + h_prev @ p.W_ho + p.b_o)
    c_tilde_t = np.tanh(x_t @ p.W_xc + h_prev @ p.W_hc + p.b_c)
    c_t = f_t * c_prev + i_t * c_tilde_t
    expected = (h_prev, c_prev, a_t, i_t, f_t, o_t, c_tilde_t, c_t, np.tanh(c_t), o_t * np.tanh(c_t))
    for name, values, field in zip(step._fields, expected, step, strict=True):
        np.testing.assert_allclose(field, values, rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("dropout", [None, DROPOUT], ids=["", "dropout"])
def test_step_backward_of_every_argument(dropout):
    xW_t, h_prev, c_prev, W_h, dh_t, dc_next = random_step(1)
    step = read_only(lstm_step(xW_t, h_prev, c_prev, W_h, dropout))
    arguments = read_only(dh_t), read_only(dc_next), step, read_only(W_h), dropout
    gradients = lstm_step_backward(*arguments)
    h_in = h_prev if dropout is None else dropout * h_prev

    def loss(xW_t, h_prev, c_prev, W_h):
        out = lstm_step(xW_t, h_prev, c_prev, W_h, dropout)
        return (dh_t * out.h_t).sum() + (dc_next * out.c_t).sum()

    dW_h = h_in.T @ gradients.da_t
    prove(
        loss,
        {"xW_t": xW_t, "h_prev": h_prev, "c_prev": c_prev, "W_h": W_h},
        {"xW_t": gradients.da_t, "h_prev": gradients.dh_prev, "c_prev": gradients.dc_prev, "W_h": dW_h},
    )
    assert_same(gradients, lstm_step_backward(*arguments))


def test_every_intermediate_gradient_of_a_step():
    """Each field of LSTMStepGradients is moved where it stands: the equations after it are written out again."""
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
    assert_same(gradients.dh_t, dh_t)
    np.testing.assert_array_equal(np.split(gradients.da_t, 4, axis=1), [getattr(gradients, f"da_{k}") for k in "ifoc"])


@pytest.mark.parametrize(("mask", "dropout"), [(None, None), (proofs.MASK, None), (proofs.MASK, proofs.DROPOUT)])
def test_sequence_backward_of_every_argument(mask, dropout):
    proofs.prove_sequence(lstm_cell(), mask, dropout)


def test_chunks_equal_the_whole():
    proofs.prove_chunks_equal_whole(lstm_cell())


def test_records_of_every_step():
    def step_backward(dh_t, dc_t, step, parameters):
        return lstm_step_backward(dh_t, dc_t, step, np.asfortranarray(parameters.W_h), proofs.DROPOUT)

    proofs.prove_records(lstm_cell(), step_backward)


def test_calls_leave_no_trace_and_keep_the_dtype():
    proofs.prove_calls_leave_no_trace(lstm_cell())
    proofs.prove_dtype_follows_parameters(lstm_cell())


def test_gate_views_share_memory_and_together_are_the_whole():
    proofs.prove_gate_views(lstm_cell(), "ifoc")
