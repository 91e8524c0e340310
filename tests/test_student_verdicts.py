"""`numpylm check` on what it cannot compare: it says so, and does not judge what it has not seen."""

import numpy as np
import pytest
from foreign_code import SOURCES, changed
from student_files import wrong_in

from numpylm.tutor.foreign.layouts import PAIRS
from numpylm.tutor.foreign.problems import loss_problem
from numpylm.tutor.foreign.truths import derivative, roughness
from numpylm.tutor.problems import Sizes
from numpylm.tutor.process.stop import Stop
from numpylm.tutor.report import report


def test_a_network_whose_weights_the_check_cannot_change_is_not_judged(check):
    source = """
import numpy as np
class RNN:
    def __init__(self, D, H): self.W, self.U = np.ones((D, H)), np.ones((H, H))
    def forward(self, x, h_prev):
        self.h = 0 * (x @ self.W + h_prev @ self.U) + 0.7
        return self.h
    def backward(self, dh):
        self.dW, self.dU = np.ones_like(self.W), np.ones_like(self.U)
"""
    finding = check(source).findings["RNN.backward"]
    assert finding["status"] == "not checked" and "has an effect" in finding["sentences"][0]
    finding = check(source, "np.ones_like(self.W), np.ones", "np.zeros_like(self.W), np.zeros").findings["RNN.backward"]
    assert finding["status"] == "not checked" and "dW, dU: zero is right" in finding["sentences"][0]
    dead = changed(SOURCES["min_char_rnn"], ("= np.tanh(", "= 0 * np.tanh("), ("dhraw = (", "dhraw = 0 * ("))
    finding = check(dead).findings["lossFun"]  # dby is right
    assert finding["status"] == "not checked" and "dWhh, dWxh: zero is right" in finding["sentences"][0], finding


def test_of_the_losses_that_one_number_may_have_the_one_with_a_usual_factor_is_told(check):
    source = """
import numpy as np
H = 100
U, W, V = np.random.rand(H, 1), np.random.rand(H, H), np.random.rand(1, H)
def forward(x):
    layers, s = [], np.zeros((H, 1))
    for t in range(len(x)):
        layers.append((x[t].reshape(-1, 1), s))
        s = 1 / (1 + np.exp(-(U @ layers[t][0] + W @ s)))
    return V @ s, layers + [(None, s)]
def backward(x, y):
    y_hat, layers = forward(x)
    dV, ds, dU, dW = (y_hat - y) @ layers[-1][1].T, V.T @ (y_hat - y), 0, 0
    for t in reversed(range(len(x))):
        da = ds * layers[t + 1][1] * (1 - layers[t + 1][1])
        dU, dW, ds = dU + da @ layers[t][0].T, dW + da @ layers[t][1].T, W.T @ da
    return dU, dV, dW
"""
    finding = check(source).findings["backward"]
    assert finding["status"] == "ok" and finding["sentences"][0] == "judged for half the squared error of the last step"


def test_the_gradient_of_the_inputs_of_a_network_with_an_output_layer_is_compared(check):
    assert check("optimizer_layer").findings["RNN.backward_pass"]["status"] == "ok"
    changed = check("optimizer_layer", "return accum_grad_next", "return accum_grad_next[:, ::-1]")
    finding = changed.findings["RNN.backward_pass"]
    assert finding["status"] == "wrong" and len(finding["table"]) == 1 and "reversed" in finding["diagnosis"][0]
    listed = "dx = []\n        for t in range(accum_grad.shape[1]): dx.append(accum_grad_next[:, t])\n"
    listed += "        dx = np.stack(dx, axis=1)\n        return dx"
    assert check("optimizer_layer", "return accum_grad_next", listed).findings["RNN.backward_pass"]["status"] == "ok"
    wrong = check("optimizer_layer", "return accum_grad_next", listed.replace("[:, t]", "[:, -t]"))
    assert wrong_in(wrong, "RNN.backward_pass") == {"dx"}


def test_what_was_not_compared_is_said_and_a_recurrence_that_was_not_found_is_not_right(check):
    assert "dWaa: zero is right" in str(check("built_late").findings["Cell.backward"]["sentences"])
    assert "what is carried back is not compared" in str(check("model").findings["lstm_backward"]["sentences"])
    source = (
        SOURCES["held"].partition("class Memory")[0]
        + """
class Deep:
    def __init__(self, D, H): self.W, self.Wy = [np.ones((H, D)), np.ones((H, H))], np.random.randn(2, H)
    def forward(self, x, h_prev):
        self.h = np.tanh(self.W[0] @ x + self.W[1] @ h_prev)
        return self.Wy @ self.h
    def backward(self, dy):
        self.dWy = dy @ self.h.T
"""
    )
    finding = check(source).findings["Deep.backward"]
    assert finding["status"] == "not checked" and "no gradient of a recurrent weight" in finding["sentences"][0]


def test_arrays_under_keys_that_are_no_names_are_no_fault_of_the_check(check):
    source = """
import numpy as np
def init_params(n_in, n_hidden): return {0: np.ones((n_hidden, n_in)), 1: np.ones((5, 5)), 2.5: np.ones(3)}
def forward(params, X): return np.tanh(params[0] @ X), X
def backward(dh, cache, params): return params
class Layer:
    def __init__(self, D, H):
        self.W, self.other = np.ones((D, H)), {2.5: np.ones((2, 2)), None: np.ones(3)}
    def forward(self, x, h_prev): return x @ self.W
    def backward(self, dout): return dout
"""
    result = check(source)
    assert not result.ok and "the check itself failed" not in str(result), report(result)


def test_np_clip_as_an_activation_is_not_a_limit_of_gradients(check):
    source = SOURCES["min_char_rnn"].replace("np.tanh(", "np.clip(").replace("+ bh)", "+ bh, -1, 1)")
    source = source.replace("(1 - hs[t] * hs[t])", "(np.abs(hs[t]) < 1)")
    assert "np.clip(" in source and "(np.abs(hs[t]) < 1)" in source
    assert check(source).ok


def test_a_kink_is_no_slope(check):
    x = np.zeros(3)
    relu = lambda _, values: np.maximum(values - [0.0005, 0.5, -0.5], 0).sum(axis=1)  # noqa: E731
    np.testing.assert_allclose(derivative(relu, "x", x, 1e-3), [0, 0, 1], atol=1e-9)
    with pytest.raises(Stop, match="bend"):
        derivative(relu, "x", x + np.array([0, 0.49, 0]), 0.03)
    steep = lambda name, values: relu(name, values) * 0.05 + np.tanh(values).sum(axis=1)  # noqa: E731
    with pytest.raises(Stop, match="bend"):  # a small one beside a large slope
        derivative(steep, "x", x + np.array([0, 0.49, 0]), 0.03)
    smooth = lambda _, values: np.tanh(values).sum(axis=1)  # noqa: E731
    np.testing.assert_allclose(derivative(smooth, "x", x + 0.3, 0.03), 1 - np.tanh(0.3) ** 2, rtol=1e-5)


def test_values_of_float32_are_rough_though_they_may_be_the_same_for_near_inputs():
    flat = lambda _, values: 5.3 + 1e-3 * (values**2).sum(axis=1)  # noqa: E731
    inputs = {"x": np.array([0.3, 1.7])}
    assert roughness(lambda *given: flat(*given).astype("f").astype("d"), "x", inputs) > 1e-10
    assert roughness(flat, "x", inputs) < 1e-10


def test_tokens_below_each_other_and_targets_beside_each_other_do_not_meet_by_broadcasting():
    assert {("down", "down"), ("row", "row"), ("first", "row")} < {*PAIRS} and ("down", "row") not in PAIRS


def test_a_gate_whose_gradients_are_zero_is_not_taken_for_a_path_that_is_missing_in_all(check):
    finding = check("lstm_loss", "dbcc += dcc", "dWcc += dcc").findings["lossFun"]
    assert [row["name"] for row in finding["table"]] == ["dbcc", "dWcc"] and "paths" not in str(finding["diagnosis"])


def test_a_large_array_is_not_differentiated_number_by_number(check):
    source = SOURCES["network"].replace("np.tanh(", "0.9 * np.tanh(").replace("hidden_size=64", "hidden_count=64")
    source = source.replace("        self.Whh = randn", "        hidden_size = 64\n        self.Whh = randn")
    finding = check(source.replace("hidden_size", "breadth")).findings["Network.backprop"]
    assert finding["status"] == "not checked" and "too large" in finding["sentences"][0]


def test_tokens_are_below_the_sizes_of_inputs_and_outputs():
    for D, V in ((7, 3), (3, 7), (4, 1)):
        sizes = Sizes(T=40, N=1, D=D, H=5, V=V)
        tokens = loss_problem("rnn", np.random.default_rng(0), {"x", "W_y"}, sizes, {}, False).arrays["inputs"]
        assert set(tokens) == set(range(min(D, V) if V > 1 else D))


def test_a_gradient_of_the_last_step_that_a_dict_still_holds_is_not_wrong(check):
    source = changed(SOURCES["lstm_dict"], ("return grads, dh_next, dc_next, dX", "return grads, dh_next, dc_next"))
    result = check(source, "    return grads, dh_next", '    grads["dxt"] = dX[0]\n    return grads, dh_next')
    assert result.ok and "dxt: not compared" in report(result), report(result)
    result = check("lstm_dict", "return grads, dh_next, dc_next, dX", "return grads, dh_next, dc_next, dX[0]")
    assert result.findings["lstm_backward"]["status"] == "wrong"
