"""The proofs that every recurrent cell's forward and backward must pass, called by test_rnn, test_lstm and test_gru."""

import numpy as np
from gradient_proofs import assert_same, prove, read_only

T, N, D, H = 5, 3, 4, 6
MASK = np.arange(T)[:, None] < np.array([5, 2, 3])
DROPOUT = np.random.default_rng(4).choice([0, 2.0], (N, H))


def random_problem(cell, seed=0, steps=T):
    """Parameters, x, state_0, and cotangents of h and of state_T, all of order one."""
    rng = np.random.default_rng(seed)
    parameters = cell.Parameters(*[rng.standard_normal(shape) for shape in cell.shapes(D, H).values()])
    x = rng.standard_normal((steps, N, D))
    state_0 = cell.State(*[rng.standard_normal((N, H)) for _ in cell.State._fields])
    dh = rng.standard_normal((steps, N, H))
    dstate_T = cell.State(*[rng.standard_normal((N, H)) for _ in cell.State._fields])
    return parameters, x, state_0, dh, dstate_T


def named_arrays(parameters, x, state):
    """One dict of all arguments, with new names for the state's."""
    return {**parameters._asdict(), "x": x, **{f"{name}_0": array for name, array in state._asdict().items()}}


def prove_sequence(cell, mask=None, recurrent_dropout=None):
    """Every parameter, x and every part of state_0, by both numerical derivatives."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell)

    def loss(x, **arrays):
        given = cell.Parameters(*[arrays[name] for name in cell.Parameters._fields])
        start = cell.State(*[arrays[f"{name}_0"] for name in cell.State._fields])
        out = cell.forward(given, x, start, mask, recurrent_dropout)
        at_end = sum((cotangent * q).sum() for cotangent, q in zip(dstate_T, out.state, strict=True))
        return (dh * out.h).sum() + at_end

    trace = cell.forward(parameters, x, state_0, mask, recurrent_dropout).trace
    gradients = cell.backward(parameters, dh, dstate_T, trace)
    assert type(gradients.dparameters) is cell.Parameters
    assert type(gradients.dstate_0) is cell.State
    assert gradients.dE is None and gradients.steps is None
    prove(
        loss, named_arrays(parameters, x, state_0),
        named_arrays(gradients.dparameters, gradients.dx, gradients.dstate_0),
    )  # fmt: skip


def prove_chunks_equal_whole(cell):
    """Three windows, state carried forward and dstate passed back, give the values and gradients of one."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell, 1, steps=9)
    whole = cell.forward(parameters, x, state_0)
    whole_gradients = cell.backward(parameters, dh, dstate_T, whole.trace)

    outputs, state = [], state_0
    for part in (slice(0, 2), slice(2, 6), slice(6, 9)):
        outputs.append(cell.forward(parameters, x[part], state))
        state = outputs[-1].state
    np.testing.assert_allclose(np.concatenate([out.h for out in outputs]), whole.h, rtol=1e-13, atol=1e-14)

    dstate, sums = dstate_T, [np.zeros_like(array) for array in parameters]
    for out, part in zip(reversed(outputs), (slice(6, 9), slice(2, 6), slice(0, 2)), strict=True):
        gradients = cell.backward(parameters, dh[part], dstate, out.trace)
        np.testing.assert_allclose(gradients.dx, whole_gradients.dx[part], rtol=1e-11, atol=1e-13)
        dstate = gradients.dstate_0
        sums = [total + part for total, part in zip(sums, gradients.dparameters, strict=True)]
    for total, expected in zip(
        (*sums, *dstate), (*whole_gradients.dparameters, *whole_gradients.dstate_0), strict=True
    ):
        np.testing.assert_allclose(total, expected, rtol=1e-11, atol=1e-12)


def prove_records(cell, step_backward):
    """The trace stacks the steps' fields, and keep_steps hands back what each step's backward gave, bit for bit."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell)
    trace = cell.forward(parameters, x, state_0, MASK, DROPOUT).trace
    assert trace.x is x
    for name in stacked_fields(type(trace)):
        np.testing.assert_array_equal(getattr(trace, name), [getattr(step, f"{name}_t") for step in trace.steps])
    np.testing.assert_array_equal(trace.h_prev[1:], trace.h[:-1])  # h_prev is h_{t-1}, whatever dropout does to it
    np.testing.assert_array_equal(trace.h_prev[0], state_0.h)

    steps = cell.backward(parameters, dh, dstate_T, trace, keep_steps=True).steps
    assert len(steps) == T
    carried = [array.copy() for array in dstate_T]  # dh_next, and the LSTM's dc_next
    for t in reversed(range(T)):
        alive = MASK[t][:, None]
        arriving = [carried[0] + dh[t], *carried[1:]]
        expected = step_backward(*[np.where(alive, q, 0) for q in arriving], trace.steps[t], parameters)
        assert_same(steps[t], expected)
        back = [getattr(expected, f"d{name}_prev") for name in cell.State._fields]
        carried = [q + np.where(alive, 0, frozen) for q, frozen in zip(back, arriving, strict=True)]


def stacked_fields(Trace):
    """The names of a trace's properties, but for h_prev."""
    return [name for name, value in vars(Trace).items() if isinstance(value, property) and name != "h_prev"]


def prove_calls_leave_no_trace(cell):
    """Read-only inputs are accepted, and a second call gives the same bits."""
    parameters, x, state_0, dh, dstate_T = (read_only(record) for record in random_problem(cell, 2))
    first = cell.forward(parameters, x, state_0)
    assert_same(first, cell.forward(parameters, x, state_0))
    trace = read_only(first.trace)
    gradients = cell.backward(parameters, dh, dstate_T, trace)
    assert_same(gradients, cell.backward(parameters, dh, dstate_T, trace))


def prove_dtype_follows_parameters(cell):
    """Nothing in a forward or backward pass changes the dtype."""
    for dtype in (np.float32, np.float64, np.complex128):
        parameters, x, state_0, dh, dstate_T = cast(random_problem(cell, 3), dtype)
        out = cell.forward(parameters, x, state_0)
        gradients = cell.backward(parameters, dh, dstate_T, out.trace, keep_steps=True)
        arrays = [out.h, *out.state, *out.trace.steps[0], *gradients.dparameters, gradients.dx, *gradients.dstate_0]
        assert {array.dtype for array in (*arrays, *gradients.steps[1])} == {np.dtype(dtype)}


def cast(record, dtype):
    """A record of arrays, or a tuple of records, in another dtype."""
    if isinstance(record, np.ndarray):
        return record.astype(dtype)
    make = type(record) if hasattr(record, "_fields") else lambda *values: values
    return make(*[cast(value, dtype) for value in record])


def prove_gate_views(cell, gates):
    """Each gate's view shares the packed array's memory, and together the views are the whole, in the gates' order."""
    p = cell.Parameters(*[np.zeros(shape) for shape in cell.shapes(D, H).values()])
    for kind, packed in (("W_x", p.W_x), ("W_h", p.W_h), ("b_", p.b)):
        for k, gate in enumerate(gates):
            view = getattr(p, f"{kind}{gate}")
            assert view.shape == (*packed.shape[:-1], H)
            view += k + 1
        expected = np.repeat(np.arange(1, len(gates) + 1), H)
        np.testing.assert_array_equal(packed, np.broadcast_to(expected, packed.shape))
