"""For each backward function a small random problem, and what the gradient checker is given for it.

inputs_of makes arrays by name, as numpylm.tutor.diagnosis takes them. No mistake can hide on them: all sizes differ,
weights and states are of order one, one sequence ends early, recurrent dropout is on, a token occurs twice.
"""

import numpy as np

from numpylm.tutor.case import SEQUENCE, case_of, cell_of, results_of
from numpylm.tutor.problems import WHOLE, Sizes, cell_inputs, layer_inputs

OUTPUTS = {"dc_next": "c_t"}  # of which these are gradients


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
    """(f, its arguments, cotangents, claim) of a backward's Case. f is its forward, of every input q for which it returns
    a dq; claim picks their gradients from what the backward returns."""
    forward = f"{case.cell}_step" if case.is_step else case.function.replace("backward", "forward")
    right = results_of(case)
    arguments = {name: q for name, q in inputs.items() if f"d{name}" in right}
    cotangents = {OUTPUTS.get(name, name[1:]): q for name, q in inputs.items() if name.startswith("d")}

    def f(**arrays):
        found = results_of(case_of(forward, inputs | arrays))
        return {name: found[name] for name in cotangents} if cotangents else found["loss"]

    return remembered(f), arguments, cotangents or None, lambda dq: {name: dq[f"d{name}"] for name in arguments}


def remembered(f):
    """The function, its values kept by the bytes of its arguments: every mutant is checked at the same points."""
    known = {}

    def with_memory(**arrays):
        key = b"".join(array.tobytes() for array in arrays.values())
        if key not in known:
            known[key] = f(**arrays)
        return known[key]

    return with_memory
