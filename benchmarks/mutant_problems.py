"""For each backward function a small random problem, and what the gradient checker is given for it.

inputs_of makes arrays by name, as numpylm.tutor.diagnose takes them. No mistake can hide on them: all sizes differ,
weights and states are of order one, one sequence ends early, recurrent dropout is on, a token occurs twice. The
checker's f is the forward's result times the gradients that come in, summed: its gradients are the backward's results.
"""

import inspect

import numpy as np

from numpylm import activations, gru, lstm, rnn
from numpylm.affine import affine_forward
from numpylm.embedding import embedding_forward
from numpylm.loss import cross_entropy_forward

CELLS = {"rnn": rnn.rnn_cell, "lstm": lstm.lstm_cell, "gru": gru.gru_cell}


def inputs_of(function, seed=0, masked=True, nonlinearity="tanh", sizes=(4, 2, 3, 5)):
    """The arrays of a small problem for one of our functions, name -> array; sizes are T, N, D, H."""
    rng = np.random.default_rng(seed)
    name, (T, N, D, H), V = function.split("_")[0], sizes, 6
    if name in CELLS:
        return cell_inputs(name, rng, sizes, "_step" in function, masked, nonlinearity)
    if name == "affine":
        return {"dy": rng.standard_normal((T, N, V)), "x": rng.standard_normal((T, N, H)),
                "W": rng.standard_normal((H, V)), "b": rng.standard_normal(V)}  # fmt: skip
    if name == "embedding":
        tokens = np.array([[1, 4], [4, 0], [2, 4], [1, 3]])
        return {
            "dx": rng.standard_normal((T, N, D)),
            "tokens": tokens,
            "vocab_size": V,
            "E": rng.standard_normal((V, D)),
        }
    if name == "cross":
        targets = np.array([[1, 4], [-1, 0], [2, 4], [5, 3]])
        return {"logits": rng.standard_normal((T, N, V)), "targets": targets}
    a = rng.standard_normal((T, N, V))
    if not function.endswith("_backward"):
        return {"a": a}
    gradient, output = inspect.signature(getattr(activations, function)).parameters
    return {gradient: rng.standard_normal(a.shape), output: getattr(activations, function.removesuffix("_backward"))(a)}


def cell_inputs(name, rng, sizes, is_step, masked, nonlinearity):
    """The arrays of a cell's sequence, or of one step."""
    (T, N, D, H), cell = sizes, CELLS[name]()
    state = list(cell.State._fields)
    found = {name: rng.standard_normal(shape) for name, shape in cell.shapes(D, H).items()}
    found |= {"nonlinearity": nonlinearity} if name == "rnn" else {}
    if is_step:
        found |= {"x_t": rng.standard_normal((N, D)), "dh_t": rng.standard_normal((N, H))}
        found |= {f"{q}_prev": rng.standard_normal((N, H)) for q in state}
        return found | ({"dc_next": rng.standard_normal((N, H))} if "c" in state else {})
    found |= {"x": rng.standard_normal((T, N, D)), "dh": rng.standard_normal((T, N, H))}
    found |= {f"{q}_0": rng.standard_normal((N, H)) for q in state}
    found |= {f"d{q}_T": rng.standard_normal((N, H)) for q in state}
    if masked:
        found["mask"] = np.arange(N) * (np.arange(T)[:, None] == T - 1) == 0  # the last sequences end one step early
        found["recurrent_dropout"] = 2.0 * (np.arange(N * H).reshape(N, H) % 2)
    return found


def checked_problem(case, inputs):
    """(f, its arguments, claim) for check_gradients; claim(named gradients) gives those of the arguments."""
    if case.cell:
        return sequence_problem(case)
    if case.function == "affine_backward":
        names = ("x", "W", "b")
        return (
            remembered(lambda x, W, b: (inputs["dy"] * affine_forward(x, W, b)).sum()),
            {name: inputs[name] for name in names},
            lambda gradients: {name: gradients[f"d{name}"] for name in names},
        )
    if case.function == "embedding_backward":
        f = remembered(lambda E: (inputs["dx"] * embedding_forward(inputs["tokens"], E)).sum())
        return f, {"E": inputs["E"]}, lambda gradients: {"E": gradients["dE"]}
    targets = inputs["targets"]

    def f(logits):
        nats = np.log(np.exp(logits).sum(axis=-1)) - np.take_along_axis(logits, targets[..., None], -1)[..., 0]
        return nats[targets != -1].mean()

    assert abs(f(inputs["logits"]) - cross_entropy_forward(inputs["logits"], targets)[0]) < 1e-12
    return remembered(f), {"logits": inputs["logits"]}, lambda gradients: {"logits": gradients["dlogits"]}


def sequence_problem(case):
    """A whole sequence, or the sequence of one step: dh · h + dstate_T · state_T."""
    cell = CELLS[case.cell]()
    parameters, dh, dstate_T, trace = (case.arguments[name] for name in ("parameters", "dh", "dstate_T", "trace"))
    state_0 = [getattr(trace.steps[0], f"{name}_prev") for name in cell.State._fields]
    outer = {"x": "dx", **{f"{name}_0": f"d{name}_0" for name in cell.State._fields}}
    if case.is_step:
        outer = {"x": "dx_t", **{f"{name}_0": f"d{name}_prev" for name in cell.State._fields}}
    arguments = {**parameters._asdict(), "x": trace.x, **dict(zip(list(outer)[1:], state_0, strict=True))}

    def f(**arrays):
        given = cell.Parameters(*[arrays[name] for name in cell.Parameters._fields])
        state = cell.State(*[arrays[f"{name}_0"] for name in cell.State._fields])
        out = cell.forward(given, arrays["x"], state, trace.mask, trace.recurrent_dropout)
        return (dh * out.h).sum() + sum((d * q).sum() for d, q in zip(dstate_T, out.state, strict=True))

    def claim(gradients):
        named = {name: gradients[outer.get(name, f"d{name}")] for name in arguments}
        return {**named, "x": named["x"].reshape(trace.x.shape) if named["x"].size == trace.x.size else named["x"]}

    return remembered(f), arguments, claim


def remembered(f):
    """The function, its values kept by the bytes of its arguments: every mutant is checked at the same points."""
    known = {}

    def with_memory(**arrays):
        key = b"".join(array.tobytes() for array in arrays.values())
        if key not in known:
            known[key] = f(**arrays)
        return known[key]

    return with_memory
