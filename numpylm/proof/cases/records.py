"""The records of the backward steps: every field dq of an LSTMStepGradients, …, is the derivative by its quantity q.

No argument of the cell's function is q: it is computed inside a step. So the step is written here once more, with
moved("q", …) around each quantity q, which adds a displacement to it. The derivative by the displacement is dq. That
the steps agree with those of lstm.py, gru.py and rnn.py where nothing is displaced, follows from the same check: their
records were made by those.
"""

import numpy as np

from numpylm.activations import relu, sigmoid, tanh
from numpylm.dropout import drop
from numpylm.masking import freeze
from numpylm.projection import projection_forward
from numpylm.proof.cases.case import Case, N, T
from numpylm.proof.cases.cells import CELLS, MASK, random_problem
from numpylm.recurrence import gates

D, H = 5, 2  # small, for a record has many fields


def cases(rng):
    """The records of each cell, with a mask and recurrent dropout."""
    for name, step in STEPS.items():
        yield record_case(f"{name} records", CELLS[name], step, rng)


def record_case(name, cell, step, rng):
    """The T records of one cell's backward pass: the derivatives by displacements (T, N, ·), which are zero here."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell, rng, H, D)
    recurrent_dropout = rng.choice([0, 2.0], (N, H))
    out = cell.forward(parameters, x, state_0, MASK, recurrent_dropout)
    records = cell.backward(parameters, dh, dstate_T, out.trace, keep_steps=True).steps
    claim = {name[1:]: np.stack([getattr(record, name) for record in records]) for name in records[0]._fields}
    displacements = {name: np.zeros_like(dq) for name, dq in claim.items()}

    def forward(**displacements):
        xW = projection_forward(x, parameters[0], parameters[2])
        state, h = state_0, []
        for t in range(T):
            new = step(mover(displacements, t), xW[t], state, parameters, recurrent_dropout)
            state = cell.State(*[freeze(MASK, t, q_t, q_prev) for q_t, q_prev in zip(new, state, strict=True)])
            h.append(state.h)
        return {"h": np.stack(h), "state": state}

    return Case(name, forward, displacements, claim, {"h": dh, "state": dstate_T})


def mover(displacements, t):
    """moved(name, q): q at the step t, with its displacement added."""
    return lambda name, q: q + displacements[name][t]


def rnn(moved, f, xW_t, state, parameters, recurrent_dropout):
    """rnn_step with f, tanh or ReLU."""
    h_prev = moved("h_prev", state.h)
    a_t = moved("a_t", xW_t + drop(h_prev, recurrent_dropout) @ parameters.W_hh)
    return (moved("h_t", f(a_t)),)


def rnn_tanh(moved, *arguments):
    """rnn_step with tanh."""
    return rnn(moved, tanh, *arguments)


def rnn_relu(moved, *arguments):
    """rnn_step with ReLU."""
    return rnn(moved, relu, *arguments)


def lstm(moved, xW_t, state, parameters, recurrent_dropout):
    """lstm_step."""
    h_prev = moved("h_prev", state.h)
    c_prev = moved("c_prev", state.c)
    a_t = moved("a_t", xW_t + drop(h_prev, recurrent_dropout) @ parameters.W_h)
    a_i, a_f, a_o, a_c = gates(a_t, 4)
    i_t = moved("i_t", sigmoid(moved("a_i", a_i)))
    f_t = moved("f_t", sigmoid(moved("a_f", a_f)))
    o_t = moved("o_t", sigmoid(moved("a_o", a_o)))
    c_tilde_t = moved("c_tilde_t", tanh(moved("a_c", a_c)))
    c_t = moved("c_t", f_t * c_prev + i_t * c_tilde_t)
    tanh_c_t = moved("tanh_c_t", tanh(c_t))
    return moved("h_t", o_t * tanh_c_t), c_t


def gru(moved, xW_t, state, parameters, recurrent_dropout):
    """gru_step. a_t stands for the input's share: da_t is the gradient of xW_t."""
    h_prev = moved("h_prev", state.h)
    hW_t = moved("hW_t", drop(h_prev, recurrent_dropout) @ parameters.W_h)
    xW_r, xW_z, xW_n = gates(moved("a_t", xW_t), 3)
    hW_r, hW_z, hW_n = gates(hW_t, 3)
    r_t = moved("r_t", sigmoid(moved("a_r", xW_r + hW_r)))
    z_t = moved("z_t", sigmoid(moved("a_z", xW_z + hW_z)))
    hWb_n = moved("hWb_n", hW_n + parameters.b_hn)
    n_t = moved("n_t", tanh(moved("a_n", xW_n + r_t * hWb_n)))
    return (moved("h_t", (1 - z_t) * n_t + z_t * h_prev),)


STEPS = {"rnn (tanh)": rnn_tanh, "rnn (relu)": rnn_relu, "lstm": lstm, "gru": gru}
