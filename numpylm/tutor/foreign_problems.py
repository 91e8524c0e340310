"""A random problem of one of our cells, with its arrays under the roles of conventions.py.

Sizes all differ, weights and biases are of order one. A loss problem is a language model of one sequence: tokens in,
the summed cross-entropy of targets out.
"""

from typing import NamedTuple

import numpy as np

from numpylm import activations, affine
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.problems import Problem, Sizes, cell_inputs, cell_problem, random_weights

SIZES = Sizes(T=4, N=2, D=3, H=5, V=6)
NAMES = {"W_x": "W_xh", "W_h": "W_hh", "b": "b_h"}  # of an RNN's weights


class Ours(NamedTuple):
    """assignment and problem, for the diagnosis; arrays and gradients, role -> array; names, role -> our own name."""

    assignment: NamedTuple
    problem: Problem
    arrays: dict
    gradients: dict
    names: dict


def sizes_of(unit):
    """The sizes of a unit: those that the shapes of its weights say, where it has some."""
    shapes = {str(unit.roles[slot]).partition(":")[0]: shape for slot, shape in unit.shapes.items()}
    pairs = {part: sorted(shape) for part, shape in shapes.items() if len(shape) == 2}
    square = [shape[0] for shape in pairs.values() if shape[0] == shape[1]]
    H = pairs.get("W_h", pairs.get("W", square or [SIZES.H]))[0]
    others = [[n for n in pairs.get(part, [SIZES.V]) if n != H] for part in ("W_x", "W_y")]
    D, V = (other[0] if other else H for other in others)
    D = pairs["W"][1] - H if "W" in pairs else D
    return SIZES._replace(D=D if unit.shapes else SIZES.D, H=H, V=V)


def state_problem(cell, form, rng, has, sizes):
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
    problem = assignment.problem(rng, sizes, asked)
    symbols = problem.symbols
    arrays = {role: symbols[name] for role, name in names.items() if name in symbols}
    outputs = {q: getattr(symbols["step"], f"{q}_t") if is_step else symbols[q] for q in ("h", "c")
               if q == "h" or cell == "lstm"}  # fmt: skip
    arrays |= outputs | {"dh": symbols["dh_t" if is_step else "dh"]}
    arrays |= {"dc": symbols["dc_next"]} if "dc_next" in symbols else {}
    arrays |= {"W_y": random_weights(rng, (sizes.H, sizes.V)), "b_y": random_weights(rng, (sizes.V,))}
    arrays["y"] = activations.softmax(outputs["h"] @ arrays["W_y"] + arrays["b_y"])
    return Ours(assignment, problem, arrays, gradients_of(names, problem.answers), names)


def gradients_of(names, answers):
    """Role -> the right gradient."""
    return {role: answers[f"d{name}"] for role, name in names.items() if f"d{name}" in answers}


def loss_problem(cell, rng, has, sizes, is_dense):
    """A model of one sequence, whose loss is summed over time. x is one-hot, or is_dense: random numbers."""
    parts, V = {role.partition(":")[0] for role in has}, sizes.V
    names = {"x": "x", "h_prev": "h_0", "c_prev": "c_0"} | {
        role: NAMES[role] if cell == "rnn" else role for role in ("W_x", "W_h", "b")}  # fmt: skip
    inputs = cell_inputs(cell, rng, sizes, {f"{q}_0" for q in "hc" if f"{q}_prev" in has})
    inputs[names["b"]] *= "b" in parts
    tokens, targets = rng.integers(sizes.D, size=sizes.T), rng.integers(V, size=sizes.T)
    tokens[-1] = tokens[0]
    inputs["x"] = inputs["x"] if is_dense else np.eye(sizes.D)[tokens][:, None]
    goal = np.eye(V)[targets] if V > 1 else rng.standard_normal((sizes.T, V))
    forward = cell_problem(f"{cell}_forward", inputs, sizes)
    h, last_h = forward.answers["h"], forward.answers["h_T"]
    W_y, b_y = random_weights(rng, (sizes.H, V)), random_weights(rng, (V,)) * ("b_y" in parts)
    y = activations.softmax(affine.affine_forward(h, W_y, b_y))
    last = affine.affine_backward(y - goal[:, None], h, W_y)
    problem = cell_problem(f"{cell}_backward", inputs | {"dh": last.dx}, sizes)
    arrays = {role: inputs[name] for role, name in names.items() if name in inputs} | {"W_y": W_y, "b_y": b_y}
    arrays["logits"] = h @ W_y + b_y
    arrays |= {"inputs": tokens, "targets": targets, "h": h, "y": y, "T": last_h, "goal": goal}
    arrays["loss"] = -np.log(np.take_along_axis(y[:, 0], targets[:, None], 1)).sum()
    gradients = gradients_of(names, problem.answers) | {"W_y": last.dW, "b_y": last.db}
    return Ours(ASSIGNMENTS[f"{cell}_backward"], problem, arrays, gradients, names)


def with_dlogits(ours, cell, dlogits):
    """The same problem with another gradient (T, N, V) at the logits."""
    arrays = ours.arrays
    symbols = ours.problem.symbols | {"dh": dlogits @ arrays["W_y"].T}
    problem = cell_problem(f"{cell}_backward", symbols, ours.problem.sizes)
    output = {"W_y": np.einsum("tnh,tnv->hv", arrays["h"], dlogits), "b_y": dlogits.sum(axis=(0, 1))}
    return ours._replace(problem=problem, gradients=gradients_of(ours.names, problem.answers) | output)
