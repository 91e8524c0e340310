"""The library of mistakes stays in step with the code, and covers the list of wrong gradients found in the wild."""

import inspect

import numpy as np
import pytest
from mutant_problems import inputs_of

from numpylm import check_gradients, clip_by_global_norm, lstm
from numpylm.lstm import LSTMState, lstm_backward, lstm_cell, lstm_forward
from numpylm.tutor.case import CELLS, case_of, named
from numpylm.tutor.library import mistakes_in
from numpylm.tutor.mistakes import MODULES, faulty_function, mistake_of, reachable, source_of

LAYERS = ("affine", "embedding", "cross_entropy", "sigmoid", "tanh", "relu", "softmax", "log_softmax")
FUNCTIONS = [
    *(name + end for name in LAYERS for end in ("_forward", "_backward", "") if name + end in MODULES),
    *(f"{cell}_{kind}" for cell in CELLS for kind in ("step", "step_backward", "forward", "backward")),
]
CASES = {name: case_of(name, inputs_of(name)) for name in FUNCTIONS}


@pytest.mark.parametrize("name", CASES)
def test_each_mistake_changes_what_the_function_returns_if_it_can_show(name):
    """Recurrent dropout and ReLU are not in every problem: these alone may stay without effect."""
    case = CASES[name]
    right = named(case, faulty_function(case.function)(**case.arguments))
    for mistake in mistakes_in(case):
        with np.errstate(all="ignore"):
            made = named(case, faulty_function(case.function, mistake.changes)(**case.arguments))
        differs = any(q.shape != made[n].shape or not np.allclose(q, made[n], 1e-9, 1e-9) for n, q in right.items())
        single = (
            (case.is_step and mistake.function == case.function)
            or "tanh belongs" in mistake.why
            or "ReLU belongs" in mistake.why
        )
        assert differs or single or "floor" in mistake.why, mistake
        assert mistake.why and not mistake.why.endswith(".") and mistake.quantity


def test_a_line_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="must occur once in lstm_backward; it occurs 0 times"):
        mistake_of("lstm_backward", [("no such line", "")], "")
    with pytest.raises(ValueError, match="must occur once"):
        faulty_function("lstm_backward", (("lstm_step_backward", "dh_t", "0"),))


def test_quantity_and_equation_are_read_from_the_line():
    mistake = mistake_of("lstm_step_backward", [("dc_t * step.f_t", "dc_t")], "f_t is left out")
    assert (mistake.quantity, mistake.equation) == ("dc_prev", "(7)")
    mistake = mistake_of("lstm_backward", [("dh[t] + dh_next", "dh[t]")], "dh_next: not carried")
    assert (mistake.quantity, mistake.why) == ("dh_next", "not carried")


def test_a_mistake_in_the_step_reaches_the_sequence_and_leaves_the_package_alone():
    case = CASES["lstm_backward"]
    before = named(case, lstm_backward(**case.arguments))
    wrong = faulty_function("lstm_backward", (("lstm_step_backward", "dc_t * step.f_t", "dc_t"),))
    assert not np.allclose(named(case, wrong(**case.arguments))["dW_h"], before["dW_h"])
    assert np.array_equal(named(case, lstm_backward(**case.arguments))["dW_h"], before["dW_h"])
    assert {"lstm_step_backward", "tanh_backward", "affine_backward"} <= set(reachable("lstm_backward"))
    assert source_of("lstm_backward") == inspect.getsource(lstm.lstm_backward) and MODULES["lstm_backward"] is lstm


# Of the list of wrong gradients in published code (test_wrong_gradients.py), those that only check_gradients can tell.


def sequence_check(backward):
    """check_gradients' report on a backward pass of a whole LSTM: backward(p, dh, dstate_T, trace)."""
    rng, cell, (T, N, D, H) = np.random.default_rng(4), lstm_cell(), (3, 2, 4, 5)
    p = cell.Parameters(*[rng.standard_normal(shape) for shape in cell.shapes(D, H).values()])
    x, state = rng.standard_normal((T, N, D)), LSTMState(*rng.standard_normal((2, N, H)))
    dh, dstate_T = rng.standard_normal((T, N, H)), LSTMState(*rng.standard_normal((2, N, H)))
    trace = lstm_forward(p, x, state).trace

    def forward(p, x):
        out = lstm_forward(p, x, state)
        return {"h": out.h, "state": out.state}

    def claim(p, x):
        found = backward(p, dh, dstate_T, trace)
        return {"p": found.dparameters, "x": found.dx}

    return check_gradients(forward, {"p": p, "x": x}, claim, "complex", {"h": dh, "state": dstate_T}, max_entries=None)


def clipping(p, dh, dstate_T, trace):
    found = lstm_backward(p, dh, dstate_T, trace)
    together, _ = clip_by_global_norm({**found.dparameters._asdict(), "x": found.dx}, 5.0)
    dx = together.pop("x")
    return found._replace(dparameters=type(p)(**together), dx=dx)


def writing(p, dh, dstate_T, trace):
    found = lstm_backward(p, dh, dstate_T, trace)
    trace.steps[0].tanh_c_t[...] *= 0.5
    return found


def changing(p, dh, dstate_T, trace):
    dh *= 0.9
    return lstm_backward(p, dh, dstate_T, trace)


def rounding(p, dh, dstate_T, trace):
    found = lstm_backward(p, dh, dstate_T, trace)
    return found._replace(dx=found.dx.astype(np.float32).astype(float))


@pytest.mark.parametrize(
    ("backward", "words"),
    [
        (clipping, "clipped before they were checked"),
        (writing, "two identical calls of the backward pass"),
        (changing, "changes the cotangent h in place"),
        (rounding, "precision of float32 only"),
    ],
)
def test_8_to_11_are_said_by_check_gradients(backward, words):
    report = sequence_check(backward)
    assert not report.ok and any(words in sentence for sentence in [*report.diagnosis[:1], *report.complaints])
