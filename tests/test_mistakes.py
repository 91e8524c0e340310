"""The library of mistakes: each one shows, stays in step with the code, and is named by what it returns."""

import inspect

import numpy as np
import pytest
from diagnose_mutants import inputs_of

from numpylm import lstm
from numpylm.lstm import lstm_backward
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.case import case_of, named, results_of
from numpylm.tutor.diagnosis.diagnose import diagnose_case
from numpylm.tutor.diagnosis.mistakes import MODULES, faulty_function, mistakes_in, reachable, source_of, wrong_results
from numpylm.tutor.diagnosis.sentences import numbered
from numpylm.tutor.problems import Sizes, problem_of

OTHERS = ("attention", "ctc", "truncated", "clip")  # what the problems of the measurement do not have
LEFT_OUT = ("rnn_relu", "central", "complex", "beam", "hop")
FUNCTIONS = [name for name in ASSIGNMENTS if not name.startswith(LEFT_OUT)]


def inputs_for(name):
    if name.startswith(OTHERS):
        return problem_of(name, np.random.default_rng(0), Sizes(5, 3, 4, 6, 7), set()).symbols
    return inputs_of(name)


def differs(first, second, names):
    return any(first[n].shape != second[n].shape or not np.allclose(first[n], second[n], 1e-9, 1e-9) for n in names)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_mistake_shows_and_is_named_by_what_it_returns(function):
    """Recurrent dropout and ReLU are not in every problem. Of several that give the same, the first is named."""
    case = case_of(function, inputs_for(function))
    right, results = results_of(case), wrong_results(case)
    names = [name for name in right if name.partition(".")[0] in ASSIGNMENTS[function].returns[0]]
    assert names and diagnose_case(case, {name: right[name] for name in names}) == []
    assert len(results) >= len(mistakes_in(case)), "one of them cannot be run"
    for mistake, _ in results:
        assert mistake.why and not mistake.why.endswith(".") and mistake.quantity
    for mistake, made in results[:: 1 + len(results) // 30]:
        if not differs(right, made, names):
            is_elsewhere = function.startswith(OTHERS) or (case.is_step and mistake.function == case.function)
            assert is_elsewhere or differs(right, made, made) or "belongs" in mistake.why, mistake
        elif all(np.isfinite(made[name]).all() for name in names):
            found = diagnose_case(case, {name: made[name] for name in names})[0]
            alike = [m.why for m, other in results if not differs(other, made, names)]
            assert any(why in found.words for why in alike) and numbered(found.equation)[1:] in found.words, mistake


def test_a_mistake_in_the_step_reaches_the_sequence_and_leaves_the_package_alone():
    case = case_of("lstm_backward", inputs_of("lstm_backward"))
    before = named(case, lstm_backward(**case.arguments))
    wrong = faulty_function("lstm_backward", (("lstm_step_backward", "dc_t * step.f_t", "dc_t"),))
    assert not np.allclose(named(case, wrong(**case.arguments))["dW_h"], before["dW_h"])
    assert np.array_equal(named(case, lstm_backward(**case.arguments))["dW_h"], before["dW_h"])
    assert {"lstm_step_backward", "tanh_backward", "affine_backward"} <= set(reachable("lstm_backward"))
    assert source_of("lstm_backward") == inspect.getsource(lstm.lstm_backward) and MODULES["lstm_backward"] is lstm
