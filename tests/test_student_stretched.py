"""What `numpylm check` finds with larger gradients and larger weights alone: a limit inside a function."""

import pytest
from student_files import check_source, told

NOT_LINEAR = "your backward is not linear in {}: something is clipped inside it; clip in the training loop"


@pytest.mark.parametrize(
    ("number", "right", "wrong", "function", "incoming"),
    [
        (9, "    return np.stack(dx), dh_next, dc_next, dW_x, dW_h, db",
         "    for d in (dW_x, dW_h, db):\n        np.clip(d, -8, 8, out=d)\n"
         "    return np.stack(dx), dh_next, dc_next, dW_x, dW_h, db", "lstm_backward", "dh"),
        (8, "da_t = np.concatenate((da_i, da_f, da_o, da_c), axis=1)",
         "da_t = np.clip(np.concatenate((da_i, da_f, da_o, da_c), axis=1), -1, 1)",
         "lstm_step_backward", "dh_t and dc_next"),
        (8, "da_t = np.concatenate((da_i, da_f, da_o, da_c), axis=1)",
         "da_t = np.concatenate((da_i, da_f, da_o, da_c), axis=1)\n    da_t *= min(1, 10 / np.linalg.norm(da_t))",
         "lstm_step_backward", "dh_t and dc_next"),
        (6, "rnn_step_backward(dh[t] + dh_next,", "rnn_step_backward(dh[t] + np.clip(dh_next, -5, 5),",
         "rnn_backward", "dh"),
    ],
)  # fmt: skip
def test_clipping_inside_a_backward_is_found(tmp_path, number, right, wrong, function, incoming):
    result = check_source(tmp_path, number, (right, wrong))
    assert [name for name, finding in result.findings.items() if finding["status"] != "ok"] == [function]
    assert NOT_LINEAR.format(incoming) in told(result, function)
    assert result.findings[function]["table"]


def test_small_gradients_that_are_dropped_are_found(tmp_path):
    dropped = ("da_t = dh_t * (1 - h_t**2)", "da_t = dh_t * (np.abs(dh_t) > 1e-3) * (1 - h_t**2)")
    said = told(check_source(tmp_path, 5, dropped), "rnn_step_backward")
    assert said.startswith("with dh_t 0.001 times as large") and "Are small gradients dropped" in said


@pytest.mark.parametrize(
    ("number", "right", "wrong", "function"),
    [
        (5, "da_t = dh_t * (1 - h_t**2)", "da_t = dh_t * np.maximum(1 - h_t**2, 1e-3)", "rnn_step_backward"),
        (8, "df_t = dc_t * c_prev", "df_t = dc_t * np.clip(c_prev, -3, 3)", "lstm_step_backward"),
        (8, "c_tilde_t = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o), np.tanh(a_c)",
         "c_tilde_t = sigmoid(a_i), sigmoid(np.clip(a_f, -5, 5)), sigmoid(a_o), np.tanh(a_c)", "lstm_step"),
    ],
)  # fmt: skip
def test_a_limit_that_shows_where_the_gates_are_saturated_is_found(tmp_path, number, right, wrong, function):
    result = check_source(tmp_path, number, (right, wrong))
    assert result.findings[function]["status"] == "wrong"
    assert told(result, function).startswith("with weights and states 4 times as large it is wrong")


def test_an_activation_that_is_clipped_is_said_to_be(tmp_path):
    source = "import numpy as np\ndef sigmoid(a):\n    return 1 / (1 + np.exp(-np.clip(a, -10, 10)))\n"
    assert "this input holds ±1000; without these it is right: is a clipped" in told(
        check_source(tmp_path, source), "sigmoid"
    )


def test_clipping_that_shows_with_the_second_sizes_alone_is_no_question_of_sizes(tmp_path):
    totals = "    return np.stack(dx), dh_next, *totals"
    clipped = "    return np.stack(dx), dh_next, *[np.clip(total, -5, 5) for total in totals]"
    said = told(check_source(tmp_path, 6, (totals, clipped)), "rnn_backward")
    assert "every entry clipped to ±5: clip in the training loop" in said and "written into the code" not in said
