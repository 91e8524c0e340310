"""The recurrent cells over a whole sequence: every parameter, x and every part of the first state."""

import numpy as np

from numpylm.gru import gru_cell
from numpylm.lstm import lstm_cell
from numpylm.proof.cases.case import Case, D, H, N, T
from numpylm.rnn import rnn_cell

CELLS = {"rnn (tanh)": rnn_cell("tanh"), "rnn (relu)": rnn_cell("relu"), "lstm": lstm_cell(), "gru": gru_cell()}
SIZES = (T, N, D, H)
MASK = np.arange(T)[:, None] < np.array([T, 1, 3])  # (T, N): the second and third sequence end early


def cases(rng):
    """Each cell by itself, then with sequences that end early and with recurrent dropout."""
    for name, cell in CELLS.items():
        yield sequence_case(name, cell, rng)
        yield sequence_case(f"{name}, masked", cell, rng, MASK, rng.choice([0, 2.0], (N, H)))


def sequence_case(name, cell, rng, mask=None, recurrent_dropout=None, sizes=SIZES, scale=1.0):
    """A whole sequence of one cell, from cotangents of h and of the last state."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell, rng, sizes, scale)

    def forward(x, state_0, **parameters):
        out = cell.forward(cell.Parameters(**parameters), x, state_0, mask, recurrent_dropout)
        return {"h": out.h, "state": out.state}

    trace = cell.forward(parameters, x, state_0, mask, recurrent_dropout).trace
    found = cell.backward(parameters, dh, dstate_T, trace)
    arguments = {**parameters._asdict(), "x": x, "state_0": state_0}
    claim = {**found.dparameters._asdict(), "x": found.dx, "state_0": found.dstate_0}
    return Case(name, forward, arguments, claim, {"h": dh, "state": dstate_T})


def random_problem(cell, rng, sizes=SIZES, scale=1.0):
    """Parameters, x, state_0, dh and dstate_T of order one; sizes are T, N, D, H."""
    T, N, D, H = sizes

    def state():
        return cell.State(*[rng.standard_normal((N, H)) for _ in cell.State._fields])

    parameters = cell.Parameters(*[scale * rng.standard_normal(shape) for shape in cell.shapes(D, H).values()])
    return parameters, rng.standard_normal((T, N, D)), state(), rng.standard_normal((T, N, H)), state()
