"""The GRU's step against equations (10) to (13). test_cells.py has the proofs that every cell must pass."""

import numpy as np
from gradient_proofs import prove

from numpylm.gru import GRUParameters, gru_shapes, gru_step, gru_step_backward

N, H, D = 3, 5, 4
rng = np.random.default_rng(0)
P = GRUParameters(*[rng.standard_normal(shape) for shape in gru_shapes(D, H).values()])
X_T, H_PREV = rng.standard_normal((N, D)), rng.standard_normal((N, H))
STEP = gru_step(X_T @ P.W_x + P.b, H_PREV, P.W_h, P.b_hn)


def σ(a):
    return (1 + np.tanh(a / 2)) / 2


def test_step_is_equations_10_to_13_written_gate_by_gate():
    a_r = X_T @ P.W_xr + H_PREV @ P.W_hr + P.b_r
    a_z = X_T @ P.W_xz + H_PREV @ P.W_hz + P.b_z
    hWb_n = H_PREV @ P.W_hn + P.b_hn
    a_n = X_T @ P.W_xn + P.b_n + σ(a_r) * hWb_n
    h_t = (1 - σ(a_z)) * np.tanh(a_n) + σ(a_z) * H_PREV
    expected = (H_PREV, H_PREV @ P.W_h, a_r, σ(a_r), a_z, σ(a_z), hWb_n, a_n, np.tanh(a_n), h_t)
    for name, values, field in zip(STEP._fields, expected, STEP, strict=True):
        np.testing.assert_allclose(field, values, rtol=1e-12, atol=1e-14, err_msg=name)


def test_every_intermediate_gradient_of_a_step():
    """Each quantity is moved where it stands: the equations after it are written out again."""
    dh_t = np.random.default_rng(1).standard_normal((N, H))
    gradients = gru_step_backward(dh_t, STEP, P.W_h)
    xW_r, xW_z, xW_n = np.split(X_T @ P.W_x + P.b, 3, axis=1)

    def from_candidate(z_t, n_t):  # (13)
        return (dh_t * ((1 - z_t) * n_t + z_t * H_PREV)).sum()

    def from_reset_gate(r_t, hWb_n):  # (12), (13)
        return from_candidate(STEP.z_t, np.tanh(xW_n + r_t * hWb_n))

    def from_product(hW_t):  # (10) to (13); xW_t and h_prev stay
        hW_r, hW_z, hW_n = hW_t[:, :H], hW_t[:, H : 2 * H], hW_t[:, 2 * H :]
        return from_candidate(σ(xW_z + hW_z), np.tanh(xW_n + σ(xW_r + hW_r) * (hW_n + P.b_hn)))

    for loss, names in (
        (from_candidate, ("z_t", "n_t")),
        (from_reset_gate, ("r_t", "hWb_n")),
        (from_product, ("hW_t",)),
    ):
        prove(loss, {q: getattr(STEP, q).copy() for q in names}, {q: getattr(gradients, f"d{q}") for q in names})
    np.testing.assert_array_equal(gradients.dh_t, dh_t)
    np.testing.assert_array_equal(np.split(gradients.da_t, 3, axis=1), [getattr(gradients, f"da_{k}") for k in "rzn"])
