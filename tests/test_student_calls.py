"""How a student's function is called: parameters of other names, shared or missing caches, forwards that stop."""

import numpy as np
import pytest
from student_files import check_in_child, check_source, statuses, told

from numpylm.tutor import checking
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.examine import suggestions
from numpylm.tutor.problems import Sizes, problem_of
from numpylm.tutor.report import report

RNN_STEP = """
import numpy as np
def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    h_t = np.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)
    return h_t, (x_t, h_prev, h_t, W_xh, W_hh)
def rnn_step_backward(dh_t, cache):
    x_t, h_prev, h_t, W_xh, W_hh = cache
    da = dh_t * (1 - h_t**2)
    return da @ W_xh.T, da @ W_hh.T, x_t.T @ da, h_prev.T @ da, da.sum(axis=0)
"""
FORWARD = "def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):"
CACHE = "return h_t, (x_t, h_prev, h_t, W_xh, W_hh)"
GRADIENTS = "return da @ W_xh.T, da @ W_hh.T, x_t.T @ da, h_prev.T @ da, da.sum(axis=0)"
WAITS = "the check needs your rnn_step first: that returns its `cache`"
SIZE = "with T = 4, N = 3, D = 5, H = 6, V = 7 it is right"

TOLD = {  # (right, wrong) in the source, or in an exercise's solution; then function, status, and what must be said
    "all unknown parameters": (
        RNN_STEP, (FORWARD, "def rnn_step(x, h, Wx, Wh, b):"), "rnn_step", "not checked",
        "no symbol of this problem is called `x`, `h`, `Wx`, `Wh`, `b`: did you mean x_t, h_prev, W_xh, W_hh, b_h?",
    ),
    "a backward whose forward is not called": (
        RNN_STEP, (FORWARD, "def rnn_step(x, h, Wx, Wh, b):"), "rnn_step_backward", "not checked", WAITS,
    ),
    "a backward whose forward crashes": (
        RNN_STEP, (FORWARD, f"{FORWARD}\n    1 / 0"), "rnn_step_backward", "not checked", WAITS,
    ),
    "an import that is missing": (
        RNN_STEP, ("import numpy as np", ""), "rnn_step", "crash", "write `import numpy as np` at the top",
    ),
    "a forward without a cache": (
        RNN_STEP, (CACHE, "return h_t"), "rnn_step_backward", "wrong", "your own rnn_step, which returns none",
    ),
    "no weights' gradients in a dict": (
        RNN_STEP, (GRADIENTS, "return dict(da_t=da, dh_prev=da @ W_hh.T)"), "rnn_step_backward", "wrong",
        "but no dx_t, dW_xh, dW_hh, db_h",
    ),
    "no weights' gradients in a tuple": (
        RNN_STEP, (GRADIENTS, "return da, da @ W_hh.T"), "rnn_step_backward", "wrong", "it returns 2 values, but",
    ),
    "weights' gradients in each other's places": (
        RNN_STEP, ("x_t.T @ da, h_prev.T @ da,", "h_prev.T @ da, x_t.T @ da,"), "rnn_step_backward", "wrong",
        "dW_hh and dW_xh are exchanged",
    ),
    "a number of steps in the code": (6, ("for x_t in x:", "for x_t in x[:4]:"), "rnn_forward", "wrong", SIZE),
    "a shape in the code": (6, ("np.zeros_like(dh[0])", "np.zeros((3, 6))"), "rnn_backward", "crash", SIZE),
    "the start state among the steps": (
        6, ("h_t, h, caches = h_0, [], []", "h_t, h, caches = h_0, [h_0], []"), "rnn_forward", "wrong",
        "h is of shape (5, 3, 6); it should be of shape (4, 3, 6): is the start state the first",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TOLD)
def test_a_call_that_does_not_fit_is_told(tmp_path, what):
    source, change, name, status, said = TOLD[what]
    result = check_source(tmp_path, source, change)
    assert result.findings[name]["status"] == status and said in told(result, name), told(result, name)


@pytest.mark.parametrize(
    "change",
    [
        ("(dh_t, cache):\n    x_t,", "(*args):\n    dh_t, cache = args\n    x_t,"),
        (CACHE, 'return {"h_t": h_t, "cache": (x_t, h_prev, h_t, W_xh, W_hh)}'),
    ],
)
def test_other_ways_to_be_called_and_to_return_a_cache_are_right(tmp_path, change):
    assert check_source(tmp_path, RNN_STEP, change).ok


@pytest.mark.parametrize(
    ("function", "names", "unknown", "meant"),
    [
        ("rnn_step_backward", ["dh", "cache"], ["dh"], ["dh_t"]),
        ("affine_backward", ["dout", "x", "W"], ["dout"], ["dy"]),
        ("rnn_step", ["x_t", "h_prev", "P", "Q", "R"], ["P", "Q", "R"], ["W_xh", "W_hh", "b_h"]),  # by their places
        ("rnn_step", ["x_t", "frequency"], ["frequency"], []),
        ("cross_entropy_forward", ["scores", "labels"], ["scores", "labels"], ["logits", "targets"]),
    ],
)
def test_what_was_meant_by_a_parameter(function, names, unknown, meant):
    assert suggestions(ASSIGNMENTS[function].parameters, names, unknown) == meant


def test_a_forward_that_hangs_is_not_called_again_for_its_backward(tmp_path):
    """It was checked in an earlier process, which was killed."""
    result = check_in_child(tmp_path, RNN_STEP.replace("    h_t =", "    while True: pass\n    h_t ="), seconds=1)
    assert statuses(result) == {"rnn_step": "timeout", "rnn_step_backward": "not checked"}


def test_a_backward_without_a_forward_is_said_to_have_none(tmp_path):
    source = "def my_rnn_backward(dh, cache):\n    return dh @ cache\ndef tanh_backward(dy, value):\n    return dy\n"
    result = check_source(tmp_path, source)
    assert result.unchecked == {"my_rnn_backward": "the check finds no forward of it"}
    assert statuses(result) == {"tanh_backward": "not checked"}
    source = "def gru_forward(x, first, second):\n    return x\ndef gru_backward(dh, third, fourth):\n    return dh\n"
    assert check_source(tmp_path, source).unchecked == {"gru_backward": "the check does not know what `second` is"}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [("W[:, :H]", "W[:, 0, :H]", "too many indices"), ("dh * z,", "dh[0, 0] * z + dh[0, 0, 0],", "too many indices")],
)
def test_a_class_with_the_usual_names_that_fails_in_every_layout_has_crashed(tmp_path, right, wrong, said):
    source = """
import numpy as np
class GRU:
    def __init__(self, Wx, Wh, b):
        self.params, self.grads = [Wx, Wh, b], [np.zeros_like(q) for q in (Wx, Wh, b)]
    def forward(self, x, h_prev):
        W, U, b = self.params
        H = len(U)
        z = np.exp(x @ W[:, :H] + h_prev @ U[:, :H] + b[:H])
        self.cache = z, h_prev
        return z * h_prev
    def backward(self, dh):
        z, h_prev = self.cache
        return None, dh * z, None
"""
    before = check_source(tmp_path, source).findings["GRU.backward"]["status"]
    (finding,) = check_source(tmp_path, source, (right, wrong)).findings.values()
    assert (before, finding["status"]) == ("wrong", "crash") and said in finding["sentences"][0], finding


def test_a_slow_function_has_one_limit_for_all_calls_and_is_not_said_to_hang(tmp_path):
    source = (
        "import time\ndef lossFun(inputs, targets, hprev):\n    time.sleep(0.2)\n    return 0, inputs + 'a', targets"
    )
    result = check_in_child(tmp_path, source, seconds=1)
    assert statuses(result) == {"lossFun": "timeout"}
    assert "after 1 seconds: the check called it many times" in result.findings["lossFun"]["sentences"][0]


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_assignment_is_whole(name):
    """Its returns are among its answers, its parameters among its symbols; its documentation is 80 columns wide."""
    assignment = ASSIGNMENTS[name]
    problem = problem_of(name, np.random.default_rng(0), Sizes(4, 3, 5, 6, 7), set(assignment.parameters))
    tops = {part for answer in problem.answers for part in (answer, answer.partition(".")[0])}
    assert all(set(order) <= tops for order in assignment.returns)
    assert set(assignment.parameters) - {"cache"} <= set(problem.symbols)
    assert all(np.isfinite(answer).all() and np.any(answer) for answer in problem.answers.values())
    waiting = {"status": "not written", "sentences": ["x"]}
    text = report(checking.Result("mine.py", None, {name: waiting}, []))
    assert max(map(len, text.split("\n"))) <= 80 and all(part in text for part in assignment.equation.split())
