"""The library of mistakes stays in step with the code."""

import inspect

import numpy as np
import pytest
from mutant_problems import inputs_of

from numpylm import lstm
from numpylm.lstm import lstm_backward
from numpylm.tutor.case import CELLS, case_of, named
from numpylm.tutor.library import mistakes_in
from numpylm.tutor.mistakes import MODULES, faulty_function, reachable, source_of

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
        is_dropped = case.is_step and mistake.function == case.function
        excuses = ("tanh belongs", "ReLU belongs")
        assert differs or is_dropped or any(words in mistake.why for words in excuses), mistake
        assert mistake.why and not mistake.why.endswith(".") and mistake.quantity


def test_a_mistake_in_the_step_reaches_the_sequence_and_leaves_the_package_alone():
    case = CASES["lstm_backward"]
    before = named(case, lstm_backward(**case.arguments))
    wrong = faulty_function("lstm_backward", (("lstm_step_backward", "dc_t * step.f_t", "dc_t"),))
    assert not np.allclose(named(case, wrong(**case.arguments))["dW_h"], before["dW_h"])
    assert np.array_equal(named(case, lstm_backward(**case.arguments))["dW_h"], before["dW_h"])
    assert {"lstm_step_backward", "tanh_backward", "affine_backward"} <= set(reachable("lstm_backward"))
    assert source_of("lstm_backward") == inspect.getsource(lstm.lstm_backward) and MODULES["lstm_backward"] is lstm
