"""The LSTM's step against equations (3) to (8). test_cells.py has the proofs that every cell must pass."""

import numpy as np
from gradient_proofs import prove

from numpylm.lstm import LSTMParameters, lstm_shapes, lstm_step, lstm_step_backward

N, H, D = 3, 5, 4
rng = np.random.default_rng(0)
P = LSTMParameters(*[rng.standard_normal(shape) for shape in lstm_shapes(D, H).values()])
X_T, H_PREV, C_PREV = rng.standard_normal((N, D)), *rng.standard_normal((2, N, H))
STEP = lstm_step(X_T @ P.W_x + P.b, H_PREV, C_PREV, P.W_h)


def σ(a):
    return 1 / (1 + np.exp(-a))


def test_step_is_equations_3_to_8_written_gate_by_gate():
    a_t = X_T @ P.W_x + H_PREV @ P.W_h + P.b
    i_t = σ(X_T @ P.W_xi + H_PREV @ P.W_hi + P.b_i)  # (3)
    f_t = σ(X_T @ P.W_xf + H_PREV @ P.W_hf + P.b_f)  # (4)
    o_t = σ(X_T @ P.W_xo + H_PREV @ P.W_ho + P.b_o)  # (5)
    c_tilde_t = np.tanh(X_T @ P.W_xc + H_PREV @ P.W_hc + P.b_c)  # (6)
    c_t = f_t * C_PREV + i_t * c_tilde_t  # (7)
    expected = (H_PREV, C_PREV, a_t, i_t, f_t, o_t, c_tilde_t, c_t, np.tanh(c_t), o_t * np.tanh(c_t))  # (8)
    for name, values, field in zip(STEP._fields, expected, STEP, strict=True):
        np.testing.assert_allclose(field, values, rtol=1e-12, atol=1e-14, err_msg=name)


def test_every_intermediate_gradient_of_a_step():
    """Each quantity is moved where it stands: the equations after it are written out again."""
    dh_t, dc_next = np.random.default_rng(1).standard_normal((2, N, H))
    gradients = lstm_step_backward(dh_t, dc_next, STEP, P.W_h)

    def from_tanh(tanh_c_t):  # (8)
        return (dh_t * STEP.o_t * tanh_c_t).sum()

    def from_cell(c_t):  # (8), and (7) at t + 1
        return from_tanh(np.tanh(c_t)) + (dc_next * c_t).sum()

    def from_gates(i_t, f_t, o_t, c_tilde_t):  # (7) and (8)
        c_t = f_t * C_PREV + i_t * c_tilde_t
        return (dh_t * o_t * np.tanh(c_t)).sum() + (dc_next * c_t).sum()

    for loss, names in (
        (from_tanh, ("tanh_c_t",)),
        (from_cell, ("c_t",)),
        (from_gates, ("i_t", "f_t", "o_t", "c_tilde_t")),
    ):
        prove(loss, {q: getattr(STEP, q).copy() for q in names}, {q: getattr(gradients, f"d{q}") for q in names})
    np.testing.assert_array_equal(gradients.dh_t, dh_t)
    np.testing.assert_array_equal(np.split(gradients.da_t, 4, axis=1), [getattr(gradients, f"da_{k}") for k in "ifoc"])
