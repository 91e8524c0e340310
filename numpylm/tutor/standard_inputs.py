"""A small random problem for each of our backward functions, such that no mistake in it can hide.

For the tests and the benchmarks of the library of mistakes; shapes are (T, N, ·) for sequences, (N, ·) for steps.
"""

import inspect

import numpy as np

from numpylm import activations, gru, loss, lstm, rnn
from numpylm.tutor.mistakes import MODULES


def standard_inputs(function, rng, nonlinearity="tanh", masked=True):
    """A small problem for one of our backward functions, on which no mistake can hide: its keyword arguments.

    All sizes differ (T 4, N 2, D 3, H 5), weights and states are of order one, and, where masked, one sequence ends
    early and recurrent dropout is on. A token occurs twice; a target is -1.
    """
    T, N, D, H, V = 4, 2, 3, 5, 6

    def normal(*shape):
        return rng.standard_normal(shape)

    if function in ("rnn_step_backward", "lstm_step_backward", "gru_step_backward"):
        return step_inputs(function, normal, N, H, nonlinearity)
    if function in ("rnn_backward", "lstm_backward", "gru_backward"):
        return sequence_inputs(function, normal, (T, N, D, H), nonlinearity, masked)
    if function == "projection_backward":
        return {"da": normal(T, N, 4 * H), "x": normal(T, N, D), "W_x": normal(D, 4 * H)}
    if function == "affine_backward":
        return {"dy": normal(T, N, V), "x": normal(T, N, H), "W": normal(H, V)}
    if function == "embedding_backward":
        return {"dx": normal(T, N, D), "tokens": np.array([[1, 4], [4, 0], [2, 4], [1, 3]]), "vocab_size": V}
    if function == "cross_entropy_backward":
        targets = np.array([[1, 4], [-1, 0], [2, 4], [5, 3]])
        return {"trace": loss.cross_entropy_forward(normal(T, N, V), targets)[1]}
    forward = getattr(activations, function.removesuffix("_backward"))
    gradient, output = inspect.signature(getattr(activations, function)).parameters
    return {gradient: normal(T, N, V), output: forward(normal(T, N, V))}


def step_inputs(function, normal, N, H, nonlinearity):
    """The keyword arguments of a cell's one step backward, at random."""
    if function == "rnn_step_backward":
        W_hh = normal(H, H)
        step = rnn.rnn_step(normal(N, H), normal(N, H), W_hh, nonlinearity)
        return {"dh_t": normal(N, H), "step": step, "W_hh": W_hh, "nonlinearity": nonlinearity}
    if function == "lstm_step_backward":
        W_h = normal(H, 4 * H)
        step = lstm.lstm_step(normal(N, 4 * H), normal(N, H), normal(N, H), W_h)
        return {"dh_t": normal(N, H), "dc_next": normal(N, H), "step": step, "W_h": W_h}
    W_h, dropout = normal(H, 3 * H), 2.0 * (np.arange(N * H).reshape(N, H) % 3 > 0)
    step = gru.gru_step(normal(N, 3 * H), normal(N, H), W_h, normal(H), dropout)
    return {"dh_t": normal(N, H), "step": step, "W_h": W_h, "recurrent_dropout": dropout}


def sequence_inputs(function, normal, sizes, nonlinearity, masked):
    """The keyword arguments of a cell's whole backward pass, at random."""
    T, N, D, H = sizes
    name = function.removesuffix("_backward")
    cell = rnn.rnn_cell(nonlinearity) if name == "rnn" else getattr(MODULES[function], f"{name}_cell")()
    parameters = cell.Parameters(*[normal(*shape) for shape in cell.shapes(D, H).values()])
    mask = np.array([[True, True]] * (T - 1) + [[True, False]]) if masked else None
    dropout = np.array([[2.0, 0, 2, 2, 0], [0, 2.0, 2, 0, 2]]) if masked else None
    state_0, dstate_T = (cell.State(*[normal(N, H) for _ in cell.State._fields]) for _ in range(2))
    trace = cell.forward(parameters, normal(T, N, D), state_0, mask, dropout).trace
    return {"parameters": parameters, "dh": normal(T, N, H), "dstate_T": dstate_T, "trace": trace}
