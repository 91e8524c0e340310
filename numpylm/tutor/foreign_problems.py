"""A random problem of one of our cells, with its arrays under the roles of conventions.py.

Sizes all differ, weights and biases are of order one. A loss problem is a language model of one sequence: tokens in,
the summed cross-entropy of targets out.
"""

from typing import NamedTuple

import numpy as np

from numpylm import activations, affine
from numpylm.tutor.assignment_cells import CELLS, Network, inner_states, random_weights, sequence_gradients
from numpylm.tutor.assignment_problems import Problem, Sizes
from numpylm.tutor.assignments import ASSIGNMENTS

SIZES = Sizes(T=4, N=2, D=3, H=5, V=6)
NAMES = {"W_x": "W_xh", "W_h": "W_hh", "b": "b_h"}  # of an RNN's weights


class Ours(NamedTuple):
    """assignment and problem, for the diagnosis; arrays and gradients, role -> array; names, role -> our own name."""

    assignment: NamedTuple
    problem: Problem
    arrays: dict
    gradients: dict
    names: dict


def cell_problem(cell, form, rng, has):
    """One step, or a sequence. has are the roles that the code knows: without c_prev, c_0 is zero."""
    is_step = form == "step"
    names = (
        {"x": "x_t", "h_prev": "h_prev", "c_prev": "c_prev"}
        if is_step
        else {"x": "x", "h_prev": "h_0", "c_prev": "c_0"}
    )
    names |= {role: NAMES[role] if cell == "rnn" else role for role in ("W_x", "W_h", "b")}
    asked = {names[role] for role in ("h_prev", "c_prev") if role in has} | {"dh_t", "dh"}
    asked |= {"dc_next"} if "dc" in has else set()
    assignment = ASSIGNMENTS[f"{cell}_step_backward" if is_step else f"{cell}_backward"]
    problem = assignment.problem(rng, SIZES, asked)._replace(sizes=SIZES)
    if cell == "gru":
        problem.symbols["b_hn"][:] = 0
    symbols = problem.symbols
    arrays = {role: symbols[name] for role, name in names.items() if name in symbols}
    outputs = {q: getattr(symbols["step"], f"{q}_t") if is_step else symbols[q] for q in ("h", "c")
               if q == "h" or cell == "lstm"}  # fmt: skip
    arrays |= outputs | {"dh": symbols["dh_t" if is_step else "dh"]}
    arrays |= {"dc": symbols["dc_next"]} if "dc_next" in symbols else {}
    arrays |= {"W_y": random_weights(rng, (SIZES.H, SIZES.V)), "b_y": random_weights(rng, (SIZES.V,))}
    arrays["y"] = activations.softmax(outputs["h"] @ arrays["W_y"] + arrays["b_y"])
    return Ours(assignment, problem, arrays, gradients_of(names, problem.answers), names)


def gradients_of(names, answers):
    """Role -> the right gradient."""
    return {role: answers[f"d{name}"] for role, name in names.items() if f"d{name}" in answers}


def loss_problem(cell, rng, has, V):
    """A language model of one sequence: x is one-hot, and the loss is summed over time."""
    sizes = SIZES._replace(N=1, D=V, V=V)
    module, kind = CELLS[cell]
    asked = {f"{q}_0" for q in "hc" if f"{q}_prev" in has}
    network = Network(module, kind, rng, sizes, asked)
    parts = {role.partition(":")[0] for role in has}
    if "b" not in parts:
        network.parameters[2][:] = 0
    tokens, targets = rng.integers(V, size=(2, sizes.T))
    tokens[-1] = tokens[0]
    network = with_input(network, np.eye(V)[tokens][:, None])
    out = network.forward()
    W_y, b_y = random_weights(rng, (sizes.H, V)), random_weights(rng, (V,)) * ("b_y" in parts)
    y = activations.softmax(affine.affine_forward(out.h, W_y, b_y))
    dlogits = y - np.eye(V)[targets][:, None]
    last = affine.affine_backward(dlogits, out.h, W_y)
    zeros = network.State(*[np.zeros_like(h) for h in network.state_0])
    found = network.function("backward")(network.parameters, last.dx, zeros, out.trace)
    names = {"x": "x", "h_prev": "h_0", "c_prev": "c_0"} | {
        role: NAMES[role] if cell == "rnn" else role for role in ("W_x", "W_h", "b")}  # fmt: skip
    symbols = {"dh": last.dx, "dstate_T": zeros, "trace": out.trace, "parameters": network.parameters, "x": network.x}
    symbols |= (
        network.weights() | {f"{q}_0": h for q, h in network.state_0._asdict().items()} | inner_states(network, out)
    )
    problem = Problem(symbols, sequence_gradients(network, found), sizes=sizes)
    arrays = {role: symbols[name] for role, name in names.items() if name in symbols} | {"W_y": W_y, "b_y": b_y}
    arrays["logits"] = (out.h @ W_y + b_y)[-1, 0]
    arrays |= {"inputs": tokens, "targets": targets, "h": out.h, "y": y, "T": out.state.h}
    arrays["loss"] = -np.log(np.take_along_axis(y[:, 0], targets[:, None], 1)).sum()
    gradients = gradients_of(names, problem.answers) | {"W_y": last.dW, "b_y": last.db}
    return Ours(ASSIGNMENTS[f"{cell}_backward"], problem, arrays, gradients, names)


def with_last_output(ours, cell, dy):
    """The same problem with the gradient dy (V,) of the last step's logits in place of the loss's."""
    symbols, arrays = ours.problem.symbols, ours.arrays
    dh = np.zeros_like(symbols["dh"])
    dh[-1] = dy @ arrays["W_y"].T
    backward = getattr(CELLS[cell][0], f"{cell}_backward")
    found = backward(symbols["parameters"], dh, symbols["dstate_T"], symbols["trace"])
    answers = {"dx": found.dx} | {f"d{q}_0": g for q, g in found.dstate_0._asdict().items()}
    answers |= {f"d{name}": g for name, g in found.dparameters._asdict().items()}
    gradients = gradients_of(ours.names, answers) | {"W_y": arrays["h"][-1].T @ dy[None], "b_y": dy}
    problem = ours.problem._replace(symbols=symbols | {"dh": dh}, answers=answers)
    return ours._replace(problem=problem, gradients=gradients)


def with_input(network, x):
    """The network with another input."""
    network.x = x
    W_x, _, b = (getattr(network.parameters, name) for name in network.Parameters._fields[:3])
    network.xW = x @ W_x + b
    return network
