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
from numpylm.tutor.foreign.problems import FORMS
from numpylm.tutor.problems import Sizes, cell_inputs, cell_problem, problem_of

OTHERS = ("attention", "ctc", "truncated", "clip")  # what the problems of the measurement do not have
LEFT_OUT = ("rnn_relu", "central", "complex", "beam", "hop")
FUNCTIONS = [name for name in ASSIGNMENTS if not name.startswith(LEFT_OUT)]
FUNCTIONS += [f"cho{kind}_backward {number}" for kind in ("", "_step") for number in range(len(FORMS["gru"]))]


def inputs_for(name, number):
    if number:
        sizes = Sizes(5, 3, 4, 6, 7)
        inputs = cell_inputs("cho", np.random.default_rng(0), sizes, {"h_0", "dh_T"}) | FORMS["gru"][int(number)]
        return cell_problem(name, inputs, sizes).symbols
    if name.startswith(OTHERS):
        return problem_of(name, np.random.default_rng(0), Sizes(5, 3, 4, 6, 7), set()).symbols
    return inputs_of(name)


def differs(first, second, names):
    return any(first[n].shape != second[n].shape or not np.allclose(first[n], second[n], 1e-9, 1e-9) for n in names)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_mistake_shows_and_is_named_by_what_it_returns(function):
    """Recurrent dropout and ReLU are not in every problem. Of several that give the same, the first is named."""
    function, _, number = function.partition(" ")
    returned = ASSIGNMENTS[function.replace("cho", "gru")].returns[0]
    case = case_of(function, inputs_for(function, number))
    right, results = results_of(case), wrong_results(case)
    names = [name for name in right if name.partition(".")[0] in returned]
    assert names and diagnose_case(case, {name: right[name] for name in names}) == []
    assert len(results) >= len(mistakes_in(case)), "one of them cannot be run"
    for mistake, _ in results:
        assert mistake.why and not mistake.why.endswith(".") and mistake.quantity
    for mistake, made in results[:: 1 + len(results) // 30]:
        if not differs(right, made, names):
            is_elsewhere = function.startswith((*OTHERS, "cho")) or (case.is_step and mistake.function == case.function)
            assert is_elsewhere or differs(right, made, made) or "belongs" in mistake.why, mistake
        elif all(np.isfinite(made[name]).all() for name in names):
            found = diagnose_case(case, {name: made[name] for name in names})[0]
            alike = [m.why for m, other in results if not differs(other, made, names)]
            assert any(why in found.words for why in alike) and numbered(found.equation)[1:] in found.words, mistake


def test_every_mistake_in_a_gru_of_other_code_shows_in_one_of_its_forms():
    cases = [case_of("cho_backward", inputs_for("cho_backward", str(number))) for number in range(len(FORMS["gru"]))]
    shown = [{m for m, made in wrong_results(case) if differs(results_of(case), made, made)} for case in cases]
    assert {*mistakes_in(cases[0])} <= set().union(*shown)


def test_a_mistake_in_the_step_reaches_the_sequence_and_leaves_the_package_alone():
    case = case_of("lstm_backward", inputs_of("lstm_backward"))
    before = named(case, lstm_backward(**case.arguments))
    wrong = faulty_function("lstm_backward", (("lstm_step_backward", "dc_t * step.f_t", "dc_t"),))
    assert not np.allclose(named(case, wrong(**case.arguments))["dW_h"], before["dW_h"])
    assert np.array_equal(named(case, lstm_backward(**case.arguments))["dW_h"], before["dW_h"])
    assert {"lstm_step_backward", "tanh_backward", "affine_backward"} <= set(reachable("lstm_backward"))
    assert source_of("lstm_backward") == inspect.getsource(lstm.lstm_backward) and MODULES["lstm_backward"] is lstm
