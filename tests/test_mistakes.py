"""The library of mistakes stays in step with the code, and covers the list of wrong gradients found in the wild."""

from itertools import combinations

import numpy as np
import pytest

from numpylm import check_gradients, lstm
from numpylm.lstm import LSTMState, lstm_backward, lstm_cell, lstm_forward
from numpylm.tutor.mistakes import MODULES, Mistake, faulty_function, named_gradients, reachable, source_of
from numpylm.tutor.mistakes_library import MISTAKES, SAME, mistakes_in
from numpylm.tutor.standard_inputs import standard_inputs

FUNCTIONS = tuple(MODULES)


def inputs_of(function):
    return standard_inputs(function, np.random.default_rng(0))


def run(f, function):
    with np.errstate(all="ignore"):
        return named_gradients(f(**inputs_of(function)))


def truth_of(function):
    return run(getattr(MODULES[function], function), function)


def same(first, second):
    return all(
        first[name].shape == second[name].shape and np.allclose(first[name], second[name], rtol=1e-9, atol=1e-9)
        for name in first
    )


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m.function}-{m.quantity}")
def test_each_correct_line_stands_in_the_source_once(mistake):
    assert source_of(mistake.function).count(mistake.correct) == 1
    assert mistake.faulty != mistake.correct
    assert mistake.why and not mistake.why.endswith(".")
    assert mistake.equation and mistake.quantity


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_mistake_changes_a_gradient(function):
    truth = truth_of(function)
    for mistake in mistakes_in(function):
        assert not same(truth, run(faulty_function(mistake, function), function)), mistake


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_two_mistakes_look_the_same_unless_they_are_listed(function):
    results = [(mistake, run(faulty_function(mistake, function), function)) for mistake in mistakes_in(function)]
    for (first, one), (second, other) in combinations(results, 2):
        if (first, second) not in SAME:
            assert not same(one, other), (first, second)


def test_every_pair_listed_as_the_same_is():
    assert len(SAME) == 4
    for called, inner in SAME:
        function = next(name for name in FUNCTIONS if {called.function, inner.function} <= set(reachable(name)))
        first, second = (run(faulty_function(m, function), function) for m in (called, inner))
        assert same(first, second), (called, inner)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_recompiling_changes_nothing_but_the_line(function):
    source = source_of(function)
    untouched = Mistake(function, source, source + "\n", "", "", "")
    assert same(truth_of(function), run(faulty_function(untouched), function))


def test_a_mistake_in_the_step_reaches_the_sequence_and_leaves_the_package_alone():
    before = truth_of("lstm_backward")
    mistake = next(m for m in MISTAKES if m.function == "lstm_step_backward" and m.quantity == "dc_prev")
    assert not same(before, run(faulty_function(mistake, "lstm_backward"), "lstm_backward"))
    assert same(before, truth_of("lstm_backward"))
    assert reachable("lstm_backward")[0] == "lstm_backward"
    assert {"lstm_step_backward", "tanh_backward", "affine_backward"} <= set(reachable("lstm_backward"))


def test_a_line_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="must occur once in lstm_backward; it occurs 0 times"):
        faulty_function(Mistake("lstm_backward", "no such line", "", "", "", ""))


def test_problems_are_such_that_nothing_hides():
    trace = inputs_of("lstm_backward")["trace"]
    T, N, D = trace.x.shape
    assert len({T, N, D, trace.h.shape[-1]}) == 4
    assert not trace.mask.all() and trace.recurrent_dropout is not None
    for function in ("rnn_step_backward", "rnn_backward"):
        assert standard_inputs(function, np.random.default_rng(0), "relu")


# The list of wrong gradients in published code, entry by entry.

EXPRESSED = {
    1: ("rnn_step_backward", "transpose"),
    2: ("lstm_backward", "never carried: dh and dc"),
    3: ("lstm_step_backward", "overwritten by dh_prev"),
    4: ("lstm_step_backward", "tanh is applied twice: 1 - tanh²"),
    5: ("sigmoid_backward", "as if it were its input"),
    6: ("rnn_backward", "where h_{t-1} belongs"),
    7: ("rnn_backward", "sum over time is overwritten"),
    12: ("affine_backward", "not summed over the batch"),
    13: ("cross_entropy_backward", "over the batch N only"),
    14: ("cross_entropy_backward", "off-diagonal"),
    15: ("lstm_step_backward", "only dc_next goes on"),
    16: ("lstm_step_backward", "f_t is left out"),
    17: ("rnn_step_backward", "wrong side"),
    18: ("embedding_backward", "assigned, not added"),
}


@pytest.mark.parametrize("number", EXPRESSED)
def test_the_wild_mistakes_are_in_the_library(number):
    function, words = EXPRESSED[number]
    assert [mistake for mistake in MISTAKES if mistake.function == function and words in mistake.why]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("lstm_backward", "wraps round"),
        ("rnn_backward", "wraps round"),
        ("cross_entropy_backward", "probabilities y, not to the logits"),
        ("rnn_step_backward", "h_{t-1}, but it is h_t"),
    ],
)
def test_the_second_halves_of_the_wild_entries_are_there_too(function, words):
    assert [mistake for mistake in MISTAKES if mistake.function == function and words in mistake.why]


def sequence_check(backward):
    """check_gradients' report on a backward pass of a whole LSTM: backward(p, dh, dstate_T, trace)."""
    rng, cell, (T, N, D, H) = np.random.default_rng(4), lstm_cell(), (3, 2, 4, 5)
    p = cell.Parameters(*[rng.standard_normal(shape) for shape in cell.shapes(D, H).values()])
    x, state = rng.standard_normal((T, N, D)), LSTMState(*rng.standard_normal((2, N, H)))
    dh = rng.standard_normal((T, N, H))
    dstate_T = LSTMState(*rng.standard_normal((2, N, H)))
    trace = lstm_forward(p, x, state).trace

    def forward(p, x):
        out = lstm_forward(p, x, state)
        return {"h": out.h, "state": out.state}

    def claim(p, x):
        found = backward(p, dh, dstate_T, trace)
        return {"p": found.dparameters, "x": found.dx}

    arguments = {"p": p, "x": x}
    return check_gradients(forward, arguments, claim, "complex", {"h": dh, "state": dstate_T}, max_entries=None)


def test_8_clipping_before_checking_is_explained():
    from numpylm import clip_by_global_norm

    def clipped(p, dh, dstate_T, trace):
        found = lstm_backward(p, dh, dstate_T, trace)
        together, _ = clip_by_global_norm({**found.dparameters._asdict(), "x": found.dx}, 5.0)
        dx = together.pop("x")
        return found._replace(dparameters=type(p)(**together), dx=dx)

    report = sequence_check(clipped)
    assert not report.ok
    assert "clipped before they were checked" in report.diagnosis[0]


def test_9_a_backward_that_writes_into_the_forwards_cache_is_reported():
    def writing(p, dh, dstate_T, trace):
        found = lstm_backward(p, dh, dstate_T, trace)
        trace.steps[0].tanh_c_t[...] *= 0.5
        return found

    report = sequence_check(writing)
    assert any("two identical calls of the backward pass" in complaint for complaint in report.complaints)


def test_10_an_upstream_gradient_changed_in_place_is_reported():
    def changing(p, dh, dstate_T, trace):
        dh *= 0.9
        return lstm_backward(p, dh, dstate_T, trace)

    report = sequence_check(changing)
    assert any("two identical calls" in complaint for complaint in report.complaints)


def test_11_a_float32_buffer_is_reported():
    def rounding(p, dh, dstate_T, trace):
        found = lstm_backward(p, dh, dstate_T, trace)
        return found._replace(dx=found.dx.astype(np.float32).astype(float))

    report = sequence_check(rounding)
    assert any("precision of float32 only" in complaint for complaint in report.complaints)


def test_the_sources_are_the_ones_that_run():
    assert "def lstm_step_backward" in source_of("lstm_step_backward")
    assert MODULES["lstm_step_backward"] is lstm
