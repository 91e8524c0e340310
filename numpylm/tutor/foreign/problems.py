"""A random problem of one of our cells, with its arrays under the roles of conventions.py.

Sizes all differ, weights and biases are of order one. A loss problem is a language model of one sequence: tokens in,
the summed cross-entropy of targets out.
"""

from typing import NamedTuple

import numpy as np

from numpylm import activations
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.case import CELLS, SEQUENCE
from numpylm.tutor.problems import STATES, Problem, Sizes, cell_inputs, cell_problem, random_weights

SIZES = Sizes(T=4, N=2, D=3, H=5, V=6)
REFERENCES = {"gru": "cho"}  # other code lacks our b_hn
FORMS = {  # of a cell in other code, the likeliest first
    "rnn": [{}, {"nonlinearity": "relu"}],
    "gru": [{"resets_first": first, "keeps_z": keeps} for first in (True, False) for keeps in (True, False)],
}


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
    if len({*pairs.get("W_h", ())}) == 2 and len({*pairs.get("W_x", ())}) == 1:  # U is of x, and W of h
        pairs |= {"W_h": pairs["W_x"], "W_x": pairs["W_h"]}
    gates = {"lstm": 4, "gru": 3}.get(unit.cells[0], 1) if "W" in unit.roles.values() else 1  # of W, beside b
    made = [unit.sizes["H"]] if gates * unit.sizes["H"] in pairs.get("W", ()) else []
    H = pairs.get("W_h", [max(shapes.get("b", [0])) // gates or (made or pairs.get("W") or square or [SIZES.H])[0]])[0]
    unknown = [n for slot, q in unit.shapes.items() if unit.roles[slot] is None and len(q) == 2 for n in q if n != H]
    others = [[n for n in pairs.get(part, [*unknown, unit.sizes["V"]]) if n != H] for part in ("W_x", "W_y")]
    D, V = (other[0] if other else H for other in others)
    V = 1 if len(shapes.get("W_y", "VH")) == 1 else V  # a vector
    D = max(1, sum(pairs["W"]) - gates * H - H) if "W" in pairs else D
    return SIZES._replace(D=D if unit.shapes else unit.sizes["D"], H=H, V=V)


def names_of(cell, is_step=False):
    """Role -> our own name of the array."""
    names = {"x": "x"} | {f"{q}_prev": f"{q}_0" for q in STATES[cell]}
    names = {role: SEQUENCE[name] if is_step else name for role, name in names.items()}
    parameters = getattr(CELLS[cell], f"{cell.upper()}Parameters")._fields
    return names | dict(zip(("W_x", "W_h", "b"), parameters, strict=False))


def gradients_of(names, answers):
    """Role -> the right gradient."""
    return {role: answers[f"d{name}"] for role, name in names.items() if f"d{name}" in answers}


def reference_of(cell, form):
    """(the cell of ours that other code of a cell is compared with, the assignment of its backward)."""
    function = f"{cell}_step_backward" if form == "step" else f"{cell}_backward"
    reference = REFERENCES.get(cell, cell)
    return reference, ASSIGNMENTS[function]._replace(name=function.replace(cell, reference))


def state_problem(cell, form, rng, has, sizes, options):
    """One step, or a sequence, in one of FORMS. has are the roles that the code knows: without c_prev, c_0 is zero."""
    is_step = form == "step"
    cell, assignment = reference_of(cell, form)
    names = names_of(cell, is_step)
    asked = {name for role, name in names.items() if role in has} | ({"dc_next"} if "dc" in has else set())
    inputs = cell_inputs(cell, rng, sizes, asked) | options
    inputs[names["b"]] *= bool({"b", "W1"} & {role.partition(":")[0] for role in has})
    problem = cell_problem(assignment.name, inputs, sizes)
    symbols = problem.symbols
    arrays = {role: symbols[name] for role, name in names.items()}
    arrays |= {q: symbols[f"{q}_t" if is_step else q] for q in STATES[cell]}
    arrays |= {name.removesuffix("_t"): symbols[name] for name in symbols["step"]._fields} if is_step else {}
    arrays |= {"dh": symbols["dh_t" if is_step else "dh"]}
    arrays |= {"dc": symbols["dc_next"]} if "dc_next" in symbols else {}
    arrays |= {"W_y": random_weights(rng, (sizes.H, sizes.V)), "b_y": random_weights(rng, (sizes.V,))}
    arrays["y"] = activations.softmax(arrays["h"] @ arrays["W_y"] + arrays["b_y"])
    return Ours(assignment, problem, arrays, gradients_of(names, problem.answers), names)


def loss_problem(cell, rng, has, sizes, options, is_dense):
    """A model of one sequence, whose loss is summed over time. x is one-hot, or is_dense: random numbers."""
    cell, assignment = reference_of(cell, "loss")
    parts, V, names = {role.partition(":")[0] for role in has}, sizes.V, names_of(cell)
    inputs = cell_inputs(cell, rng, sizes, {f"{q}_0" for q in "hc" if f"{q}_prev" in has}) | options
    inputs[names["b"]] *= "b" in parts
    known = min(sizes.D, V) if V > 1 else sizes.D
    tokens, targets = rng.integers(known, size=sizes.T), rng.integers(V, size=sizes.T)
    tokens[-1] = tokens[0]
    inputs["x"] = inputs["x"] if is_dense else np.eye(sizes.D)[tokens][:, None]
    goal = np.eye(V)[targets] if V > 1 else rng.standard_normal((sizes.T, V))
    forward = cell_problem(f"{cell}_forward", inputs, sizes).answers
    W_y, b_y = random_weights(rng, (sizes.H, V)), random_weights(rng, (V,)) * ("b_y" in parts)
    logits = forward["h"] @ W_y + b_y
    y = activations.softmax(logits)
    arrays = {role: inputs[name] for role, name in names.items()} | {"W_y": W_y, "b_y": b_y, "logits": logits, "y": y}
    arrays |= {"inputs": tokens, "targets": targets, "h": forward["h"], "T": forward["h_T"], "goal": goal}
    problem = Problem(inputs, {}, sizes)
    return with_dlogits(Ours(assignment, problem, arrays, {}, names), y - goal[:, None])


def with_dlogits(ours, dlogits):
    """The same problem with another gradient (T, N, V) at the logits."""
    arrays = ours.arrays
    ours = with_dh(ours, dlogits @ arrays["W_y"].T)
    output = {"W_y": np.einsum("tnh,tnv->hv", arrays["h"], dlogits), "b_y": dlogits.sum(axis=(0, 1))}
    return ours._replace(gradients=ours.gradients | output, arrays=ours.arrays | {"dlogits": dlogits})


def of_first_step(ours, cell):
    """The first step of a sequence as a problem of its own. Its gradient is that of the only output that has one, if
    only one has."""
    symbols, (cell, assignment) = ours.problem.symbols, reference_of(cell, "step")
    dh = symbols["dh"][:1] if symbols["dh"][0].any() else symbols["dh"][-1:]
    problem = cell_problem(assignment.name, symbols | {"dh": dh}, ours.problem.sizes._replace(T=1))
    names = names_of(cell, is_step=True)
    return ours._replace(
        assignment=assignment, problem=problem, names=names, arrays=ours.arrays | {"x": ours.arrays["x"][0]}
    )


def with_dh(ours, dh):
    """The same problem with another gradient (T, N, H) at the states."""
    problem = cell_problem(ours.assignment.name, ours.problem.symbols | {"dh": dh}, ours.problem.sizes)
    return ours._replace(problem=problem, gradients=gradients_of(ours.names, problem.answers))
