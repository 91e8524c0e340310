"""Which sentence `numpylm check` says of mistakes that people made, in the solutions of the exercises."""

import pytest
from student_files import check_source, told

from numpylm.tutor.report import report

LOOP = "dx_t, dh_next, dc_next, *weights = lstm_step_backward(dh[t] + dh_next, dc_next, cache[t])"


def test_a_small_epsilon_is_offered_for_errors_of_float32s_size(tmp_path):
    said = told(check_source(tmp_path, 7, ("max_norm / norm", "max_norm / (norm + 1e-6)")), "clip_by_global_norm")
    assert "the values are right to some seven digits" in said and "a small ε added" in said


@pytest.mark.parametrize(
    ("name", "formula", "said"),
    [
        ("softmax", "np.exp(a - a.max()) / np.exp(a - a.max()).sum(-1, keepdims=True)",
         "Subtract each row's own largest"),
        ("softmax", "np.exp(a) / np.exp(a).sum(-1, keepdims=True)", "e^1000 is too large"),
        ("log_softmax", "a - np.log(np.exp(a).sum(-1, keepdims=True))", "e^1000 is too large"),
        ("log_softmax", "np.log(np.exp(a - a.max(-1, keepdims=True)) / np.exp(a - a.max(-1, keepdims=True))"
         ".sum(-1, keepdims=True))", "the logarithm of 0 is -∞"),
        ("tanh", "(np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))", "e^1000 is too large"),
        ("sigmoid", "np.exp(a) / (1 + np.exp(a))", "e^1000 is too large"),
    ],
)  # fmt: skip
def test_an_overflow_is_told_from_a_logarithm_of_zero_and_from_another_rows_maximum(tmp_path, name, formula, said):
    source = f"import numpy as np\ndef {name}(a):\n    return {formula}\n"
    everything = told(check_source(tmp_path, source), name)
    known = ("Subtract each row's own largest", "e^1000 is too large", "the logarithm of 0 is -∞")
    assert [words for words in known if words in everything] == [said]


def test_what_is_changed_in_place_is_said_with_whether_the_values_are_right(tmp_path):
    source = "def relu(a):\n    a[a < 0] = {}\n    return a\n"
    right, wrong = (told(check_source(tmp_path, source.format(value)), "relu") for value in (0, 1))
    assert right.startswith("the values are right, but it changes its argument a in place")
    assert wrong.startswith("it changes its argument a in place")


def test_a_difference_that_leaves_x_changed_and_is_wrong_is_said_to_be_both(tmp_path):
    changes = (
        ("(above - below) / (2 * epsilon)", "(above - below) / 2 * epsilon"),
        ("x[k] = entry\n        gradient", "gradient"),
    )
    said = told(check_source(tmp_path, 11, *changes), "central_difference")
    assert said.startswith("it leaves its argument x changed") and "write `/ (2 * ε)`" in said


def test_unknown_parameters_leave_a_function_unchecked_and_the_file_failed(tmp_path):
    result = check_source(tmp_path, "def tanh_backward(dy, value):\n    return dy * (1 - value**2)\n")
    assert result.findings["tanh_backward"]["status"] == "not checked" and not result.ok
    assert "tanh_backward(dy, y) -> da" in report(result)


def test_a_cache_of_none_is_said_to_be_none(tmp_path):
    change = "return h_t, (x_t, h_prev, h_t, W_xh, W_hh)", "return h_t, None"
    assert "it returned None as its cache" in told(check_source(tmp_path, 5, change), "rnn_step_backward")


def test_keys_of_a_dict_that_are_nearly_right(tmp_path):
    source = "def affine_backward(dy, x, W):\n    return {'dX': dy @ W.T, 'd_W': 0, 'db': dy.sum((0, 1))}\n"
    said = told(check_source(tmp_path, source), "affine_backward")
    assert "has no dx, dW: is its dX, d_W meant to be dx, dW? It should hold dx, dW, db" in said


def test_two_mistakes_of_which_one_is_in_a_gradient_that_no_other_comes_from(tmp_path):
    changes = (" * (1 - tanh_c_t**2)", ""), ("da_t.sum(axis=0)", "da_t.mean(axis=0)")
    said = told(check_source(tmp_path, 8, *changes), "lstm_step_backward")
    assert "dc_t: the activation's derivative is missing" in said
    assert "db does not follow from that alone" in said and "more than one line" not in said


def test_a_loop_that_runs_forward_with_dx_put_together_backward(tmp_path):
    said = told(check_source(tmp_path, 9, ("in reversed(range(len(dh)))", "in range(len(dh))")), "lstm_backward")
    assert "the loop runs forward in time" in said and "dx does not follow from that alone: is it put together" in said
