"""Which sentence `numpylm check` says of mistakes that people made, in the solutions of the exercises."""

import pytest
from student_files import check_source, told

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
