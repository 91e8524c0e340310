"""What every recurrent cell promises. test_rnn.py, test_lstm.py and test_gru.py compare each with its equations."""

import numpy as np
import pytest
from gradient_proofs import assert_same, flat, read_only
from sequence_proofs import DROPOUT, MASK, H, N, T, prove_sequence, random_problem

from numpylm.gru import gru_cell, gru_step_backward
from numpylm.lstm import lstm_cell, lstm_step_backward
from numpylm.recurrence import next_state, project
from numpylm.rnn import rnn_cell, rnn_step_backward

CELLS = {"tanh": rnn_cell("tanh"), "relu": rnn_cell("relu"), "lstm": lstm_cell(), "gru": gru_cell()}
STEP_BACKWARDS = {
    "tanh": lambda dh_t, step, p: rnn_step_backward(dh_t, step, p.W_hh, "tanh", DROPOUT),
    "relu": lambda dh_t, step, p: rnn_step_backward(dh_t, step, p.W_hh, "relu", DROPOUT),
    "lstm": lambda dh_t, dc_t, step, p: lstm_step_backward(dh_t, dc_t, step, p.W_h, DROPOUT),
    "gru": lambda dh_t, step, p: gru_step_backward(dh_t, step, p.W_h, DROPOUT),
}


@pytest.fixture(params=CELLS)
def name(request):
    return request.param


@pytest.fixture
def cell(name):
    return CELLS[name]


@pytest.mark.parametrize(("mask", "dropout"), [(None, None), (MASK, None), (MASK, DROPOUT)])
def test_backward_of_every_argument(cell, mask, dropout):
    if cell.options.get("nonlinearity") == "relu":
        parameters, x, state_0, _, _ = random_problem(cell)
        assert np.abs(cell.forward(parameters, x, state_0, mask, dropout).trace.a).min() > 1e-3  # off the kink
    prove_sequence(cell, mask, dropout)


def test_windows_equal_the_whole(cell):
    """Three windows, state carried forward and dstate passed back, give the values and gradients of one."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell, 1, steps=9)
    whole = cell.forward(parameters, x, state_0)
    expected = cell.backward(parameters, dh, dstate_T, whole.trace)
    windows, outputs, state = (slice(0, 2), slice(2, 6), slice(6, 9)), [], state_0
    for window in windows:
        outputs.append(cell.forward(parameters, x[window], state))
        state = outputs[-1].state
    dstate, parts = dstate_T, []
    for window, out in zip(reversed(windows), reversed(outputs), strict=True):
        parts.append(cell.backward(parameters, dh[window], dstate, out.trace))
        dstate = parts[-1].dstate_0
    sums = [sum(arrays) for arrays in zip(*[part.dparameters for part in parts], strict=True)]
    found = [np.concatenate([out.h for out in outputs]), np.concatenate([part.dx for part in reversed(parts)])]
    for array, other in zip(
        (*found, *state, *sums, *dstate),
        (whole.h, expected.dx, *whole.state, *expected.dparameters, *expected.dstate_0), strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(array, other, rtol=1e-11, atol=1e-12)


def test_advance_is_a_step_of_forward(cell):
    parameters, x, state, _, _ = random_problem(cell, 2)
    expected = cell.forward(parameters, x, state)
    for xW_t in project(parameters, x):
        state = next_state(cell, parameters, xW_t, state)
    for array, other in zip(state, expected.state, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-13, atol=1e-14)


def test_records_of_every_step(name, cell):
    """The trace stacks the steps' fields, and keep_steps hands back what each step's backward gives."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell)
    trace = cell.forward(parameters, x, state_0, MASK, DROPOUT).trace
    assert trace.x is x
    stacked = [field for field, value in vars(type(trace)).items() if isinstance(value, property)]
    for field in set(stacked) - {"h_prev"}:
        np.testing.assert_array_equal(getattr(trace, field), [getattr(step, f"{field}_t") for step in trace.steps])
    np.testing.assert_array_equal(trace.h_prev[1:], trace.h[:-1])  # h_prev is h_{t-1}, whatever dropout does to it
    np.testing.assert_array_equal(trace.h_prev[0], state_0.h)

    steps = cell.backward(parameters, dh, dstate_T, trace, keep_steps=True).steps
    assert len(steps) == T
    carried = list(dstate_T)  # dh_next, and the LSTM's dc_next
    for t in reversed(range(T)):
        alive = MASK[t][:, None]
        arriving = [carried[0] + dh[t], *carried[1:]]
        expected = STEP_BACKWARDS[name](*[np.where(alive, q, 0) for q in arriving], trace.steps[t], parameters)
        for field, array, other in zip(expected._fields, steps[t], expected, strict=True):
            np.testing.assert_allclose(array, other, rtol=1e-12, atol=1e-13, err_msg=field)
        back = [getattr(expected, f"d{field}_prev") for field in cell.State._fields]
        carried = [q + np.where(alive, 0, frozen) for q, frozen in zip(back, arriving, strict=True)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_calls_leave_no_trace_and_keep_the_dtype(cell, dtype):
    """Read-only inputs are accepted, a second call gives the same bits, and no array has another dtype."""
    parameters, x, state_0, dh, dstate_T = (cast(record, dtype) for record in random_problem(cell, 3))

    def both_passes():
        out = cell.forward(parameters, x, state_0, None, cast(DROPOUT, dtype))
        return out, cell.backward(parameters, dh, dstate_T, read_only(out.trace), keep_steps=True)

    first = both_passes()
    assert_same(first, both_passes())
    assert {array.dtype for array in flat(first)} == {np.dtype(dtype)}
    assert first[0].h.shape == (T, N, H)


def cast(record, dtype):
    """A read-only copy of an array, or of a record of arrays, in another dtype."""
    if isinstance(record, np.ndarray):
        return read_only(record.astype(dtype))
    return type(record)(*[cast(array, dtype) for array in record])
