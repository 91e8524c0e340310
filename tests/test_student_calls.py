"""How a student's function is called: parameters of other names, shared or missing caches, forwards that stop."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from student_files import check_source

from numpylm.tutor import checking
from numpylm.tutor.assignments import ASSIGNMENTS
from numpylm.tutor.binding import suggestions
from numpylm.tutor.report import report

FOLDER = Path(__file__).parent.parent / "exercises" / "solutions"
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


@pytest.fixture
def check(tmp_path):
    """Checks a source with some things changed, (right, wrong) each."""
    return partial(check_source, tmp_path)


def finding(result, name):
    found = result.findings[name]
    return found["status"], " ".join(found["sentences"])


@pytest.mark.parametrize(
    ("function", "names", "unknown", "meant"),
    [
        ("rnn_step_backward", ["dh", "cache"], ["dh"], ["dh_t"]),
        ("rnn_step", ["x", "h", "Wx", "Wh", "b"], ["x", "h", "Wx", "Wh", "b"],
         ["x_t", "h_prev", "W_xh", "W_hh", "b_h"]),
        ("lstm_step", ["xt", "hprev", "cprev", "Wx", "Wh", "bias"], ["xt", "hprev", "cprev", "Wx", "Wh", "bias"],
         ["x_t", "h_prev", "c_prev", "W_x", "W_h", "b"]),
        ("affine_backward", ["dout", "x", "W"], ["dout"], ["dy"]),
        ("rnn_step", ["x_t", "h_prev", "P", "Q", "R"], ["P", "Q", "R"], ["W_xh", "W_hh", "b_h"]),  # by their places
        ("rnn_step", ["x_t", "frequency"], ["frequency"], []),
        ("cross_entropy_forward", ["scores", "labels"], ["scores", "labels"], ["logits", "targets"]),
    ],
)  # fmt: skip
def test_what_was_meant_by_a_parameter(function, names, unknown, meant):
    assert suggestions(ASSIGNMENTS[function].parameters, names, unknown) == meant


def test_all_unknown_parameters_are_said_at_once_and_the_backward_waits(check):
    result = check(RNN_STEP, ("def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):", "def rnn_step(x, h, Wx, Wh, b):"))
    status, said = finding(result, "rnn_step")
    assert status == "not checked" and "`x`, `h`, `Wx`, `Wh`, `b`, which are no symbols" in said
    assert "did you mean x_t, h_prev, W_xh, W_hh, b_h?" in said and "xW_t" not in said and "nonlinearity" not in said
    status, said = finding(result, "rnn_step_backward")
    assert (status, said) == (
        "not checked",
        "it is not checked until your rnn_step runs: its `cache` is what that returns",
    )
    assert "NOT CHECKED" in report(result)


def test_a_function_of_star_args_is_given_the_documented_arguments_in_order(check):
    assert check(RNN_STEP, ("(dh_t, cache):\n    x_t,", "(*args):\n    dh_t, cache = args\n    x_t,")).ok
    assert check("def affine_forward(*given):\n    x, W, b = given\n    return x @ W + b").ok


@pytest.mark.parametrize("crash", ["def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):\n    1 / 0", None])
def test_a_backward_waits_for_its_forward_to_run(check, crash):
    """A missing import makes both fail; the second failure is none of its own."""
    source = RNN_STEP.replace("def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):", crash) if crash else RNN_STEP.replace(
        "import numpy as np\n", "")  # fmt: skip
    result = check(source)
    assert finding(result, "rnn_step")[0] == "crash" and finding(result, "rnn_step_backward")[0] == "not checked"
    assert crash or "write `import numpy as np` at the top" in finding(result, "rnn_step")[1]


def test_a_forward_that_hangs_is_not_called_again_for_its_backward(tmp_path):
    """It was checked in an earlier process, which was killed."""
    path = tmp_path / "mine.py"
    path.write_text(RNN_STEP.replace("    h_t =", "    while True: pass\n    h_t ="), encoding="utf-8")
    found = checking.check_file(path, seconds=1).findings
    assert {name: finding["status"] for name, finding in found.items()} == {
        "rnn_step": "timeout", "rnn_step_backward": "not checked",
    }  # fmt: skip


def test_a_cache_may_stand_in_a_dict(check):
    in_dict = (
        "return h_t, (x_t, h_prev, h_t, W_xh, W_hh)",
        'return {"h_t": h_t, "cache": (x_t, h_prev, h_t, W_xh, W_hh)}',
    )
    assert check(RNN_STEP, in_dict).ok


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_no_documentation_is_wider_than_80_columns(name):
    waiting = {"status": "not written", "sentences": ["x"]}
    text = report(checking.Result("mine.py", None, {name: waiting}, []))
    assert max(map(len, text.split("\n"))) <= 80 and np.all(
        [part in text for part in ASSIGNMENTS[name].equation.split()]
    )


@pytest.mark.parametrize(
    ("right", "wrong", "name"),
    [
        ("for x_t in x:", "for x_t in x[:4]:", "rnn_forward"),
        ("np.zeros_like(dh[0])", "np.zeros((3, 6))", "rnn_backward"),
    ],
)
def test_a_size_that_is_written_into_the_code_is_said_to_be(check, right, wrong, name):
    _, said = finding(check(6, (right, wrong)), name)
    assert "with T = 4, N = 3, D = 5, H = 6, V = 7 it is right" in said and "written into the code?" in said


def test_a_start_state_among_the_time_steps_is_asked_for(check):
    _, said = finding(check(6, ("h_t, h, caches = h_0, [], []", "h_t, h, caches = h_0, [h_0], []")), "rnn_forward")
    assert "h is of shape (5, 3, 6); it should be of shape (4, 3, 6): is the start state the first" in said
