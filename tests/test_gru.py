import numpy as np
import pytest
import sequence_proofs as proofs
from gradient_proofs import assert_same, prove, read_only

from numpylm.gru import GRUParameters, gru_cell, gru_step, gru_step_backward

N, H, D = 3, 5, 4
DROPOUT = np.random.default_rng(9).choice([0, 1.5], (N, H))


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

    a_r = x_t @ p.W_xr + h_prev @ p.W_hr + p.b_r
    a_z = x_t @ p.W_xz + h_prev @ p.W_hz + p.b_z
    hWb_n = h_prev @ p.W_hn + p.b_hn
    a_n = x_t @ p.W_xn + p.b_n + σ(a_r) * hWb_n
    h_t = (1 - σ(a_z)) * np.tanh(a_n) + σ(a_z) * h_prev
    expected = (h_prev, h_prev @ p.W_h, a_r, σ(a_r), a_z, σ(a_z), hWb_n, a_n, np.tanh(a_n), h_t)
    for name, values, field in zip(step._fields, expected, step, strict=True):
        np.testing.assert_allclose(field, values, rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("dropout", [None, DROPOUT], ids=["", "dropout"])
def test_step_backward_of_every_argument(dropout):
    xW_t, h_prev, W_h, b_hn, dh_t = random_step(1)
    step = read_only(gru_step(xW_t, h_prev, W_h, b_hn, dropout))
    arguments = read_only(dh_t), step, read_only(W_h), dropout
    gradients = gru_step_backward(*arguments)
    h_in = h_prev if dropout is None else dropout * h_prev
    prove(
        lambda xW_t, h_prev, W_h, b_hn: (dh_t * gru_step(xW_t, h_prev, W_h, b_hn, dropout).h_t).sum(),
        {"xW_t": xW_t, "h_prev": h_prev, "W_h": W_h, "b_hn": b_hn},
        {
            "xW_t": gradients.da_t,
            "h_prev": gradients.dh_prev,
            "W_h": h_in.T @ gradients.dhW_t,
            "b_hn": gradients.dhWb_n.sum(axis=0),
        },
    )
    assert_same(gradients, gru_step_backward(*arguments))


def test_every_intermediate_gradient_of_a_step():
    """Each field of GRUStepGradients is moved where it stands: the equations after it are written out again."""
    xW_t, h_prev, W_h, b_hn, dh_t = random_step(2)
    step = gru_step(xW_t, h_prev, W_h, b_hn)
    gradients = gru_step_backward(dh_t, step, W_h)

    def from_candidate(z_t, n_t):  # (13)
        return (dh_t * ((1 - z_t) * n_t + z_t * h_prev)).sum()

    def from_reset_gate(r_t, hWb_n):  # (12), (13)
        return from_candidate(step.z_t, np.tanh(xW_t[:, 2 * H :] + r_t * hWb_n))

    def from_product(hW_t):  # (10) to (13); xW_t and h_prev stay
        r_t, z_t = np.split(0.5 + 0.5 * np.tanh(0.5 * (xW_t + hW_t)[:, : 2 * H]), 2, axis=1)
        return from_candidate(z_t, np.tanh(xW_t[:, 2 * H :] + r_t * (hW_t[:, 2 * H :] + b_hn)))

    for loss, names in (
        (from_candidate, ("z_t", "n_t")),
        (from_reset_gate, ("r_t", "hWb_n")),
        (from_product, ("hW_t",)),
    ):
        prove(loss, {q: getattr(step, q).copy() for q in names}, {q: getattr(gradients, f"d{q}") for q in names})
    assert_same(gradients.dh_t, dh_t)
    np.testing.assert_array_equal(np.split(gradients.da_t, 3, axis=1), [getattr(gradients, f"da_{k}") for k in "rzn"])


@pytest.mark.parametrize(("mask", "dropout"), [(None, None), (proofs.MASK, None), (proofs.MASK, proofs.DROPOUT)])
def test_sequence_backward_of_every_argument(mask, dropout):
    proofs.prove_sequence(gru_cell(), mask, dropout)


def test_chunks_equal_the_whole():
    proofs.prove_chunks_equal_whole(gru_cell())


def test_records_of_every_step():
    def step_backward(dh_t, step, parameters):
        return gru_step_backward(dh_t, step, np.asfortranarray(parameters.W_h), proofs.DROPOUT)

    proofs.prove_records(gru_cell(), step_backward)


def test_calls_leave_no_trace_and_keep_the_dtype():
    proofs.prove_calls_leave_no_trace(gru_cell())
    proofs.prove_dtype_follows_parameters(gru_cell())


def test_gate_views_share_memory_and_together_are_the_whole():
    proofs.prove_gate_views(gru_cell(), "rzn")
