"""Which sentence `numpylm check` says of mistakes that people made, in the solutions of the exercises."""

import pytest
from student_files import check_source, told

from numpylm.tutor.report import report

LOOP = "dx_t, dh_next, dc_next, *weights = lstm_step_backward(dh[t] + dh_next, dc_next, cache[t])"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (LOOP.replace("dh_next, dc_next, cache", "dh_next, np.zeros_like(dc_next), cache"),
         "Equation (7), dc_next: each step is given zeros for dc_next"),
        (LOOP.replace("dx_t, dh_next, dc_next", "dx_t, dc_next, dh_next"),
         "dh_next and dc_next: they are exchanged between the steps"),
    ],
)  # fmt: skip
def test_what_is_not_carried_and_what_is_exchanged_between_steps(tmp_path, given, said):
    assert said in told(check_source(tmp_path, 9, (LOOP, given)), "lstm_backward")


def test_exchanged_factors_of_two_gates_are_named_with_their_equation(tmp_path):
    changes = ("df_t = dc_t * c_prev", "df_t = dc_t * c_tilde_t"), ("di_t = dc_t * c_tilde_t", "di_t = dc_t * c_prev")
    said = told(check_source(tmp_path, 8, *changes), "lstm_step_backward")
    assert said.startswith("Equation (7), df_t and di_t: c_{t-1} and c̃_t are exchanged")


@pytest.mark.parametrize("wrong", ["dz - np.exp(z) * dz", "dz - np.exp(z)"])
def test_a_log_softmax_backward_without_its_sum(tmp_path, wrong):
    source = f"import numpy as np\ndef log_softmax_backward(dz, z):\n    return {wrong}\n"
    said = told(check_source(tmp_path, source), "log_softmax_backward")
    assert "the sum" in said and "left out" in said


def test_a_relu_backward_that_asks_for_at_least_zero(tmp_path):
    said = told(check_source(tmp_path, "def relu_backward(dy, y):\n    return dy * (y >= 0)\n"), "relu_backward")
    assert "y >= 0 leaves it out too" in said


@pytest.mark.parametrize("floored", ["np.clip(y, 1e-12, 1)", "y + 1e-12"])
def test_a_floor_under_the_loss_is_told_from_clipped_entries(tmp_path, floored):
    source = f"""
import numpy as np
def cross_entropy_forward(logits, targets):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    y = e / e.sum(-1, keepdims=True)
    return -np.log(np.take_along_axis({floored}, targets[..., None], -1)).mean(), (y, targets)
"""
    said = told(check_source(tmp_path, source), "cross_entropy_forward")
    assert "y has a floor of 1e-12" in said and "27.6 nats" in said and "entry" not in said


def test_a_relu_of_whole_numbers(tmp_path):
    source = "import numpy as np\ndef relu(a):\n    return np.maximum(a, 0).astype(int)\n"
    assert "y is cut to whole numbers" in told(check_source(tmp_path, source), "relu")


def test_a_sum_of_norms(tmp_path):
    source = """
import numpy as np
def clip_by_global_norm(gradients, max_norm):
    norm = sum(np.linalg.norm(g) for g in gradients.values())
    return {name: min(1, max_norm / norm) * g for name, g in gradients.items()}, norm
"""
    assert "the norm is the sum of the arrays' norms" in told(check_source(tmp_path, source), "clip_by_global_norm")


@pytest.mark.parametrize("epsilon", [1e-3, 1e-5])
def test_a_difference_that_is_multiplied_by_epsilon(tmp_path, epsilon):
    change = "(above - below) / (2 * epsilon)", "(above - below) / 2 * epsilon"
    step = "epsilon = 1e-5", f"epsilon = {epsilon}"
    said = told(check_source(tmp_path, 11, change, step), "central_difference")
    assert said.startswith("it is the right one times ε²") and "write `/ (2 * ε)`" in said and "zero" not in said


def test_a_difference_that_is_not_divided(tmp_path):
    change = "(above - below) / (2 * epsilon)", "(above - below)"
    said = told(check_source(tmp_path, 11, change), "central_difference")
    assert said == "it is the right one times 2e-05: is the difference not divided by 2 ε?"


def test_a_small_epsilon_is_offered_for_errors_of_float32s_size(tmp_path):
    said = told(check_source(tmp_path, 7, ("max_norm / norm", "max_norm / (norm + 1e-6)")), "clip_by_global_norm")
    assert "the values are right to some seven digits" in said and "a small ε added" in said


@pytest.mark.parametrize(
    ("number", "change", "function", "said"),
    [
        (12, ("(1 - z_t) * n_t + z_t * h_prev", "z_t * n_t + (1 - z_t) * h_prev"), "gru_step",
         "in yours z_t = 0 keeps h_{t-1}, in ours z_t = 1 does"),
        (8, ("a_i, a_f, a_o, a_c = np.split", "a_f, a_i, a_o, a_c = np.split"), "lstm_step",
         "is the order of the gates wrong where the packed columns are split? It is i, f, o, c̃"),
    ],
)  # fmt: skip
def test_whose_equation_and_which_order_are_meant(tmp_path, number, change, function, said):
    assert said in told(check_source(tmp_path, number, change), function)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("state = out.state", "state = state_0"), "every window starts from state_0 again"),
        (("state = out.state", "state = RNNState(0 * state_0.h)"), "every window but the first starts from zero"),
        (("range(0, len(x), window)", "range(0, len(x) - len(x) % window, window)"), "the last window is left out"),
        (("start + window)", "start + window - 1)"), "each window is one step too short"),
        (("start + window)", "start + window + 1)"), "each window is one step too long"),
        (("zip(*windows, strict", "zip(windows[-1], strict"), "only the last window's gradient"),
        (("zip(*windows, strict", "zip(windows[0], strict"), "only the first window's gradient"),
    ],
)  # fmt: skip
def test_windows_that_are_cut_or_joined_in_another_way(tmp_path, change, said):
    everything = told(check_source(tmp_path, 10, change), "truncated_bptt")
    assert said in everything and "written into the code" not in everything


def test_one_window_over_the_whole_sequence(tmp_path):
    changes = ("range(0, len(x), window)", "range(1)"), ("slice(start, start + window)", "slice(start, None)")
    assert "nothing is truncated" in told(check_source(tmp_path, 10, *changes), "truncated_bptt")


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
    assert "it returned None as its cache" in told(check_source(tmp_path, 6, change), "rnn_step_backward")


def test_keys_of_a_dict_that_are_nearly_right(tmp_path):
    source = "def affine_backward(dy, x, W):\n    return {'dX': dy @ W.T, 'd_W': 0, 'db': dy.sum((0, 1))}\n"
    said = told(check_source(tmp_path, source), "affine_backward")
    assert "has no dx, dW: is its dX, d_W meant to be dx, dW? It should hold dx, dW, db" in said


def test_two_mistakes_of_which_one_is_in_a_gradient_that_no_other_comes_from(tmp_path):
    changes = (" * (1 - tanh_c_t**2)", ""), ("da_t.sum(axis=0)", "da_t.mean(axis=0)")
    said = told(check_source(tmp_path, 8, *changes), "lstm_step_backward")
    assert "dc_t: the derivative of tanh(c_t) is left out" in said
    assert "db does not follow from that alone" in said and "more than one line" not in said


def test_a_loop_that_runs_forward_with_dx_put_together_backward(tmp_path):
    said = told(check_source(tmp_path, 9, ("in reversed(range(len(dh)))", "in range(len(dh))")), "lstm_backward")
    assert "the loop runs forward in time" in said and "dx does not follow from that alone: is it put together" in said
