"""For each backward function the problem that the gradient checker is given: a number f, and what it is a function of.

The inputs of the backward are those of numpylm.tutor.standard_inputs; f is the forward's result times the
gradients that come in, summed, so that the backward's results are f's gradients.
"""

import numpy as np

from numpylm import gru, lstm, rnn
from numpylm.affine import affine_forward
from numpylm.embedding import embedding_forward
from numpylm.loss import cross_entropy_forward
from numpylm.tutor.mistakes import MODULES
from numpylm.tutor.standard_inputs import standard_inputs

CELLS = {"rnn": rnn.rnn_cell(), "lstm": lstm.lstm_cell(), "gru": gru.gru_cell()}


def remembered(f):
    """The function, its values kept by the bytes of its arguments: every mutant is checked at the same points."""
    known = {}

    def with_memory(**arrays):
        key = b"".join(array.tobytes() for array in arrays.values())
        if key not in known:
            known[key] = f(**arrays)
        return known[key]

    return with_memory


def problem_of(function):
    """(inputs of the backward, f, its arguments, claim) where claim turns named gradients into the arguments'."""
    inputs = standard_inputs(function, np.random.default_rng(0))
    name = function.split("_")[0]
    if "step" in function:
        return inputs, *step_problem(name, inputs)
    if name in CELLS:
        return inputs, *sequence_problem(CELLS[name], inputs)
    return inputs, *other_problem(function, inputs)


def step_problem(name, inputs):
    """One step: its value is dh_t · h_t, and dc_next · c_t for the LSTM; the weights' gradient needs da_t or dhW_t."""
    step, W = inputs["step"], inputs["W_hh" if name == "rnn" else "W_h"]
    forward = getattr(MODULES[f"{name}_step_backward"], f"{name}_step")
    rng = np.random.default_rng(0)
    recorded = recover_step_arguments(name, inputs, rng)

    def f(**arrays):
        out = forward(**arrays, **({"recurrent_dropout": inputs["recurrent_dropout"]} if name == "gru" else {}))
        value = (inputs["dh_t"] * out.h_t).sum()
        return value + (inputs["dc_next"] * out.c_t).sum() if name == "lstm" else value

    def claim(gradients):
        into_W = gradients["dhW_t" if name == "gru" else "da_t"]
        entered = step.h_in if name == "gru" else step.h_prev
        claims = {
            "xW_t": gradients["da_t"],
            "h_prev": gradients["dh_prev"],
            "W_hh" if name == "rnn" else "W_h": entered.T @ into_W,
        }
        if name == "lstm":
            claims["c_prev"] = gradients["dc_prev"]
        if name == "gru":
            claims["b_hn"] = gru.gate_columns(into_W, gru.N, 3).sum(axis=0)
        return claims

    assert W is recorded["W_hh" if name == "rnn" else "W_h"]
    return remembered(f), recorded, claim


def recover_step_arguments(name, inputs, rng):
    """The step's arguments, from its record: xW_t is what the gates' inverse functions leave."""
    step = inputs["step"]

    def logit(s):
        return np.log(s / (1 - s))

    if name == "rnn":
        return {"xW_t": step.a_t - step.h_prev @ inputs["W_hh"], "h_prev": step.h_prev, "W_hh": inputs["W_hh"]}
    W_h = inputs["W_h"]
    if name == "lstm":
        a_t = np.concatenate((logit(step.i_t), logit(step.f_t), logit(step.o_t), np.arctanh(step.c_tilde_t)), axis=1)
        return {"xW_t": a_t - step.h_prev @ W_h, "h_prev": step.h_prev, "c_prev": step.c_prev, "W_h": W_h}
    hW = step.h_in @ W_h
    b_hn = (step.hW_n - gru.gate_columns(hW, gru.N, 3))[0]
    gates = (logit(step.r_t) - gru.gate_columns(hW, gru.R, 3), logit(step.z_t) - gru.gate_columns(hW, gru.Z, 3))
    xW_t = np.concatenate((*gates, np.arctanh(step.n_t) - step.r_t * step.hW_n), axis=1)
    return {"xW_t": xW_t, "h_prev": step.h_prev, "W_h": W_h, "b_hn": b_hn}


def sequence_problem(cell, inputs):
    """A whole sequence: dh · h + dstate_T · state_T."""
    trace, parameters = inputs["trace"], inputs["parameters"]
    first = trace.steps[0]
    start = first.h_prev
    if trace.recurrent_dropout is not None and cell.name != "gru":
        start = np.where(trace.recurrent_dropout, first.h_prev / np.maximum(trace.recurrent_dropout, 1), 0.7)
    state_0 = cell.State(start, first.c_prev) if cell.name == "lstm" else cell.State(start)
    arguments = {**parameters._asdict(), "x": trace.x, **{f"{name}_0": q for name, q in state_0._asdict().items()}}

    def f(**arrays):
        given = cell.Parameters(*[arrays[name] for name in cell.Parameters._fields])
        state = cell.State(*[arrays[f"{name}_0"] for name in cell.State._fields])
        out = cell.forward(given, arrays["x"], state, trace.mask, trace.recurrent_dropout)
        return (inputs["dh"] * out.h).sum() + sum(
            (d * q).sum() for d, q in zip(inputs["dstate_T"], out.state, strict=True)
        )

    return remembered(f), arguments, lambda gradients: {name: gradients[f"d{name}"] for name in arguments}


def other_problem(function, inputs):
    """The affine map, the embedding and the loss."""
    if function == "affine_backward":
        arguments = {"x": inputs["x"], "W": inputs["W"], "b": np.ones(inputs["W"].shape[1])}
        return (
            remembered(lambda x, W, b: (inputs["dy"] * affine_forward(x, W, b)).sum()),
            arguments,
            lambda gradients: {name: gradients[f"d{name}"] for name in arguments},
        )
    if function == "embedding_backward":
        E = np.random.default_rng(1).standard_normal((inputs["vocab_size"], inputs["dx"].shape[-1]))
        f = remembered(lambda E: (inputs["dx"] * embedding_forward(inputs["tokens"], E)).sum())
        return f, {"E": E}, lambda gradients: {"E": gradients["dE"]}
    y, targets = inputs["trace"]

    def f(logits):
        nats = np.log(np.exp(logits).sum(axis=-1)) - np.take_along_axis(logits, targets[..., None], -1)[..., 0]
        return nats[targets != -1].mean()

    assert abs(f(np.log(y)) - cross_entropy_forward(np.log(y), targets)[0]) < 1e-12
    return remembered(f), {"logits": np.log(y)}, lambda gradients: {"logits": gradients["dlogits"]}
