"""The proofs that every recurrent cell's forward and backward must pass, called by test_rnn, test_lstm and test_gru."""

import numpy as np
from gradient_proofs import assert_same, prove, read_only

T, N, D, H = 5, 3, 4, 6


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
    return {
        **parameters._asdict(),
        "x": x,
        **{f"{name}_0": array for name, array in state._asdict().items()},
    }


def prove_sequence(cell, mask=None, recurrent_dropout=None, seed=0):
    """Every parameter, x and every part of state_0, by both numerical derivatives."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell, seed)

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
    for total, expected in zip(sums, whole_gradients.dparameters, strict=True):
        np.testing.assert_allclose(total, expected, rtol=1e-11, atol=1e-12)
    for ours, expected in zip(dstate, whole_gradients.dstate_0, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-11, atol=1e-13)


def prove_calls_leave_no_trace(cell):
    """Read-only inputs are no hindrance, and a second call gives the same bits."""
    parameters, x, state_0, dh, dstate_T = (read_only(record) for record in random_problem(cell, 2))
    first = cell.forward(parameters, x, state_0)
    assert_same(first, cell.forward(parameters, x, state_0))
    trace = read_only(first.trace)
    gradients = cell.backward(parameters, dh, dstate_T, trace)
    assert_same(gradients, cell.backward(parameters, dh, dstate_T, trace))


def prove_dtype_follows_parameters(cell, dtype):
    """Nothing in a forward or backward pass changes the dtype."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell, 3)

    def cast(record):
        return type(record)(*[array.astype(dtype) for array in record])

    out = cell.forward(cast(parameters), x.astype(dtype), cast(state_0))
    gradients = cell.backward(cast(parameters), dh.astype(dtype), cast(dstate_T), out.trace)
    arrays = [out.h, *out.state, *gradients.dparameters, gradients.dx, *gradients.dstate_0]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
