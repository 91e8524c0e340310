"""A random problem for a recurrent cell, and the proof of its gradients."""

import numpy as np
from gradient_proofs import prove

from numpylm.proof import cases

T, N, D, H = 5, 3, 4, 6
MASK = np.arange(T)[:, None] < np.array([5, 2, 3])
DROPOUT = np.random.default_rng(4).choice([0, 2.0], (N, H))


def random_problem(cell, seed=0, steps=T):
    """Parameters, x, state_0, and cotangents of h and of state_T, all of order one."""
    return cases.random_problem(cell, np.random.default_rng(seed), (steps, N, D, H))


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
