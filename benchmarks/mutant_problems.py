"""For each backward function a small random problem, and what the gradient checker is given for it.

inputs_of makes arrays by name, as numpylm.tutor.diagnosis takes them. No mistake can hide on them: all sizes differ,
weights and states are of order one, one sequence ends early, recurrent dropout is on, a token occurs twice.
"""

import numpy as np

from numpylm.affine import affine_forward
from numpylm.embedding import embedding_forward
from numpylm.loss import cross_entropy_forward
from numpylm.stack import CELLS
from numpylm.tutor.case import SEQUENCE, cell_of
from numpylm.tutor.problems import WHOLE, Sizes, cell_inputs, layer_inputs


def inputs_of(function, seed=0, masked=True, nonlinearity="tanh", sizes=(4, 2, 3, 5)):
    """The arrays of a small problem for one of our functions, name -> array; sizes are T, N, D, H."""
    rng, cell, (T, N, _, H) = np.random.default_rng(seed), cell_of(function), sizes
    if not cell:
        inputs = layer_inputs(function, rng, Sizes(*sizes, V=6))
        if not function.startswith("cross"):
            return inputs
        is_ignored = np.arange(T * N).reshape(T, N) == 2
        return {"logits": inputs["logits"], "targets": np.where(is_ignored, -1, inputs["targets"])}
    inputs = cell_inputs(cell, rng, Sizes(*sizes, V=6), WHOLE | {"dstate_T"}, nonlinearity == "relu")
    inputs |= {name: q * np.sqrt(len(q)) for name, q in inputs.items() if name.startswith("W")}  # of order one
    if "_step" in function:
        return {SEQUENCE.get(n, n): q[0] if n in ("x", "dh") else q for n, q in inputs.items() if n != "dh_T"}
    if masked:
        inputs["mask"] = np.arange(N) * (np.arange(T)[:, None] == T - 1) == 0  # the last sequences end one step early
        inputs["recurrent_dropout"] = 2.0 * (np.arange(N * H).reshape(N, H) % 2)
    return inputs


def checked_problem(case, inputs):
    """(f, its arguments, cotangents, claim): claim makes those of the arguments of a backward's gradients by name."""
    if case.cell:
        return sequence_problem(case)
    f, names, dy = {
        "affine_backward": (affine_forward, "xWb", inputs.get("dy")),
        "embedding_backward": (lambda E: embedding_forward(inputs["tokens"], E), "E", inputs.get("dx")),
        "cross_entropy_backward": (
            lambda logits: cross_entropy_forward(logits, inputs["targets"])[0], ["logits"], None
        ),
    }[case.function]  # fmt: skip
    arguments = {name: inputs[name] for name in names}
    return remembered(f), arguments, dy, lambda gradients: {name: gradients[f"d{name}"] for name in names}


def sequence_problem(case):
    """A whole sequence, or the sequence of one step: dh · h + dstate_T · state_T."""
    parameters, dh, dstate_T, trace = (case.arguments[name] for name in ("parameters", "dh", "dstate_T", "trace"))
    cell = CELLS["rnn"](trace.nonlinearity) if case.cell == "rnn" else CELLS[case.cell]()
    states = [name.removesuffix("_t") for name in cell.State._fields]
    arguments = {**parameters._asdict(), "x": trace.x}
    arguments |= {f"{q}_0": getattr(trace.steps[0], f"{q}_prev") for q in states}
    outer = {"x": "dx_t", **{f"{q}_0": f"d{q}_prev" for q in states}} if case.is_step else {}

    def f(x, **arrays):
        state = cell.State(*[arrays.pop(f"{q}_0") for q in states])
        out = cell.forward(cell.Parameters(**arrays), x, state, trace.mask, trace.recurrent_dropout)
        return {"h": out.h, "state": out.state}

    def claim(gradients):
        found = {name: gradients[outer.get(name, f"d{name}")] for name in arguments}
        return found | ({"x": found["x"][None]} if case.is_step else {})

    return remembered(f), arguments, {"h": dh, "state": dstate_T}, claim


def remembered(f):
    """The function, its values kept by the bytes of its arguments: every mutant is checked at the same points."""
    known = {}

    def with_memory(**arrays):
        key = b"".join(array.tobytes() for array in arrays.values())
        if key not in known:
            known[key] = f(**arrays)
        return known[key]

    return with_memory
