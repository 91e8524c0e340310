"""What `numpylm check` says of wrong gradients in a student's file: the diagnosis, asked from end to end."""

from pathlib import Path

import pytest
from student_files import check_source

from numpylm.tutor.report import report

FOLDER = Path(__file__).parent.parent / "exercises" / "solutions"


def said_of(result, name):
    finding = result.findings[name]
    assert finding["status"] == "wrong", finding
    return " ".join(finding.get("diagnosis", []))


@pytest.fixture
def check(tmp_path):
    """Checks a solution of an exercise with one thing changed, or any source: check(number, right, wrong)."""
    return lambda source, *change: check_source(tmp_path, source, *[change] if change else [])


def test_a_gradient_that_is_zero_is_said_to_be_and_no_step_that_is_right_is_blamed(check):
    said = said_of(check(6, "return dx, dh_next", "return dx, 0 * dh_next"), "rnn_backward")
    assert said.startswith("dh_0: it is zero everywhere") and "dh_prev" not in said


def test_steps_are_numbered_in_the_order_of_time(check):
    """What comes back from step 2 is spoilt."""
    result = check(6, "steps.insert(0, step)", "steps.insert(0, step)\n        dh_next = dh_next + 0.1 * (t == 2)")
    said = said_of(result, "rnn_backward")
    assert said.startswith("dh_next or dh_prev is likely wrong") and "right at t = 0, 1, 3" in said, said


@pytest.mark.parametrize(
    ("number", "right", "wrong", "function", "names"),
    [
        (8, "da_t @ W_x.T, da_t @ W_h.T", "da_t @ W_h.T, da_t @ W_x.T", "lstm_step_backward", "dh_prev and dx_t"),
        (9, "dx), dh_next, dc_next", "dx), dc_next, dh_next", "lstm_backward", "dc_0 and dh_0"),
        (6, "dh_next, dW_xh, dW_hh", "dh_next, dW_hh, dW_xh", "rnn_backward",
         "dW_hh and dW_xh"),
    ],
)  # fmt: skip
def test_exchanged_gradients_are_said_to_be_exchanged(check, number, right, wrong, function, names):
    said = said_of(check(number, right, wrong), function)
    assert said.startswith(f"{names} are exchanged: each holds what belongs to the other") and "likely" not in said


def test_rounding_to_float32_is_said_and_nothing_else(check):
    result = check(5, "(1 - h_t**2)", "(1 - h_t**2).astype(np.float32)")
    assert "float32's rounding" in " ".join(result.findings["rnn_step_backward"]["sentences"])
    assert said_of(result, "rnn_step_backward") == ""


def test_a_mistake_that_spoils_everything_is_said_once(check):
    """dW_x, dW_h and db are wrong in one gate's columns as a consequence, of which nothing more is said."""
    result = check(8, "dc_tilde_t * (1 - c_tilde_t**2)", "dc_tilde_t")
    (sentence,) = result.findings["lstm_step_backward"]["diagnosis"]
    assert sentence == "Equation (6), da_c: the activation's derivative is missing."


def test_sums_over_time_that_are_overwritten_are_each_said_to_be(check):
    """The same mistake in all three: none of them comes from another."""
    result = check(6, "sum(step[name] for step in steps)", "steps[0][name]")
    sentences = result.findings["rnn_backward"]["diagnosis"]
    assert [sentence.partition(":")[0] for sentence in sentences] == [
        "Equation (1), dW_xh", "Equation (1), dW_hh", "Equation (1), db_h",
    ]  # fmt: skip
    assert all("the sum over time is overwritten at each step" in sentence for sentence in sentences)


def test_our_lines_are_shown_on_demand_only(check):
    result = check("def softmax_backward(dy, y): return y * (1 - y) * dy")
    quiet, open_ = report(result), report(result, show_lines=True)
    assert "off-diagonal" in quiet and "da_v = y_v (dy_v - Σ_u y_u dy_u)" in quiet
    assert "keepdims" not in quiet and "keepdims=True" in open_
    assert max(map(len, open_.split("\n")[1:])) <= 80


@pytest.mark.parametrize(
    ("number", "right", "wrong", "name", "words"),
    [
        (12, "(da_n * r_t).sum(axis=0)", "da_n.sum(axis=0)", "db_hn", "stands inside the product with r_t"),
        (8, "h_prev.T @ da_t", "(o_t * tanh_c_t).T @ da_t", "dW_h", "off by one in time"),
        (5, '"dW_xh": x_t.T @ da_t', '"dW_xh": x_t.T @ dh_t', "dW_xh", "the derivative of f is left out"),
        (8, "da_t.sum(axis=0)", "da_t[-1]", "db", "it is the last row alone"),
    ],
)
def test_a_mistake_in_a_weight_s_gradient_alone_is_recognised(check, number, right, wrong, name, words):
    result = check(number, right, wrong)
    (function,) = [function for function, finding in result.findings.items() if finding["status"] != "ok"]
    (sentence,) = result.findings[function]["diagnosis"]
    assert f", {name}: " in sentence and words in sentence


def test_a_gradient_that_is_zero_does_not_count_as_right(check):
    """dx is zero and the rest comes from a wrong da_t: one mistake explains the rest."""
    without_dx = ("return da_t @ W_x.T, da_t @ W_h.T", "return 0 * x_t, da_t @ W_h.T")
    said = said_of(check(8, *without_dx), "lstm_step_backward")
    assert said == "dx_t: it is zero everywhere: this path to the loss is missing"
    source = (FOLDER / "08_lstm_step.py").read_text(encoding="utf-8")
    both = source.replace("(1 - c_tilde_t**2)", "(1 - c_tilde_t) ** 2")
    said = said_of(check(both, *without_dx), "lstm_step_backward")
    assert "da_c is likely wrong, equation (6)" in said and "dx_t: it is zero everywhere" in said
