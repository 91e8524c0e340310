"""The forward pass a second time, straight from the equations, so that one quantity on its way can be moved.

`replay` computes the loss of a window. It hands every quantity to move(name, layer, t, value), which returns the
quantity, or the quantity plus something. This is what proves a gradient without asking the backward pass: add i ε to
one entry of q, and the imaginary part of the loss over ε is ∂loss/∂q (the complex step of Squire and Trapp, 1998).
"""

from typing import NamedTuple

import numpy as np

from numpylm.activations import relu, sigmoid, tanh
from numpylm.loss import surprisal
from numpylm.model import make_model
from numpylm.proof.numerical import COMPLEX_STEP
from numpylm.recurrence import gates

RELATIVE, ABSOLUTE = 1e-9, 1e-14  # how far a gradient may lie from its numerical value
MOST_ENTRIES = 60  # arrays of more entries are proved along one random direction, besides the entries that are shown


class Proof(NamedTuple):
    """numeric, of the gradient's shape: ∂loss/∂q entry by entry, NaN where the entry was not moved alone; error, the
    largest difference between the gradient and it; ok, whether that is rounding."""

    numeric: np.ndarray
    error: float
    ok: bool


def rnn_step(move, options, p, x_t, h_prev):
    """Equation (1)."""
    f = {"tanh": tanh, "relu": relu}[options["nonlinearity"]]
    h_prev = move("h_prev", h_prev)
    xW_t = move("xW_t", x_t @ p.W_xh + p.b_h)
    a_t = move("a_t", xW_t + h_prev @ p.W_hh)
    return (move("h_t", f(a_t)),)  # (1)


def lstm_step(move, options, p, x_t, h_prev, c_prev):
    """Equations (3) to (8)."""
    h_prev = move("h_prev", h_prev)
    c_prev = move("c_prev", c_prev)
    xW_t = move("xW_t", x_t @ p.W_x + p.b)
    a_t = move("a_t", xW_t + h_prev @ p.W_h)
    a_i, a_f, a_o, a_c = [move(f"a_{gate}", a) for gate, a in zip("ifoc", gates(a_t, 4), strict=True)]
    i_t = move("i_t", sigmoid(a_i))  # (3)
    f_t = move("f_t", sigmoid(a_f))  # (4)
    o_t = move("o_t", sigmoid(a_o))  # (5)
    c_tilde_t = move("c_tilde_t", tanh(a_c))  # (6)
    c_t = move("c_t", f_t * c_prev + i_t * c_tilde_t)  # (7)
    tanh_c_t = move("tanh_c_t", tanh(c_t))
    return move("h_t", o_t * tanh_c_t), c_t  # (8)


def gru_step(move, options, p, x_t, h_prev):
    """Equations (10) to (13)."""
    h_prev = move("h_prev", h_prev)
    xW_r, xW_z, xW_n = gates(move("xW_t", x_t @ p.W_x + p.b), 3)
    hW_r, hW_z, hW_n = gates(move("hW_t", h_prev @ p.W_h), 3)
    r_t = move("r_t", sigmoid(move("a_r", xW_r + hW_r)))  # (10)
    z_t = move("z_t", sigmoid(move("a_z", xW_z + hW_z)))  # (11)
    hWb_n = move("hWb_n", hW_n + p.b_hn)
    n_t = move("n_t", tanh(move("a_n", xW_n + r_t * hWb_n)))  # (12)
    return (move("h_t", (1 - z_t) * n_t + z_t * h_prev),)  # (13)


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def stay(name, layer, t, value):
    """The move that moves nothing."""
    return value


def replay(model, inputs, targets, move=stay, states=None, start=0):
    """The loss of inputs and targets (T, N), without the steps before start. states are those before that step."""
    parameters = {name: move(name, None, None, array) for name, array in model.parameters().items()}
    moved = make_model(model.cell, model.sizes, parameters)
    step, options = STEPS[model.cell.name], model.cell.options
    states = list(states or model.initial_state(inputs.shape[1]))
    nats = 0
    for t in range(start, len(inputs)):
        q = parameters["E"][inputs[t]]
        for layer in range(len(states)):
            q = move("x", layer, t, q)

            def move_here(name, value, layer=layer, t=t):
                return move(name, layer, t, value)

            states[layer] = step(move_here, options, moved.layer_parameters(layer), q, *states[layer])
            q = states[layer][0]
        h_t = move("h", None, t, q)  # as the output projection reads it
        W_hy = move("output W_hy", None, None, moved.output_matrix())
        logits = move("logits", None, t, h_t @ W_hy + parameters["b_y"])
        nats = nats + surprisal(logits[None], targets[t][None]).sum()
    return nats / targets.size


def derivative(model, inputs, targets, states, place, direction):
    """Σ ∂loss/∂q[k] direction[k] over the entries of the q at place, which is (name, layer, t).

    states[t] is the state before step t. What comes before t does not depend on q, and is not computed again.
    """

    def move(name, layer, t, value):
        return value + 1j * COMPLEX_STEP * direction if (name, layer, t) == place else value

    start = place[2] or 0
    return replay(model, inputs, targets, move, states[start], start).imag / COMPLEX_STEP


def prove(gradient, derivative_along, shown):
    """The Proof of a gradient. derivative_along(direction) is the loss's derivative along a direction of q's shape.

    Every entry of a small array is moved alone; of a large one the indices shown, and one random direction proves the
    rest: its derivative adds up the roundings of n entries, about √n of them.
    """
    numeric = np.full(gradient.shape, np.nan)
    small = gradient.size <= MOST_ENTRIES
    for index in np.ndindex(gradient.shape) if small else shown:
        direction = np.zeros(gradient.shape)
        direction[index] = 1
        numeric[index] = derivative_along(direction)
    error = np.nanmax(np.abs(gradient - numeric))
    allowed = RELATIVE * np.nanmax(np.abs(numeric)) + ABSOLUTE
    ok = bool(error <= allowed)
    if not small:
        direction = np.random.default_rng(0).standard_normal(gradient.shape)
        along = abs((gradient * direction).sum() - derivative_along(direction)) / np.sqrt(gradient.size)
        ok = ok and bool(along <= RELATIVE * np.abs(gradient).max() + ABSOLUTE)
        error = max(error, along)
    return Proof(numeric, error, ok)
