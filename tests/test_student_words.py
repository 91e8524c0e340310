"""What `numpylm check` says of mistakes in other people's code: how the gradient is carried back, and what is added."""

import pytest
from foreign_code import SOURCES, changed

from numpylm.tutor.report import report


@pytest.mark.parametrize(
    "line, words",
    [
        ("d_h = self.Whh.T @ d_h", "dh_t stands where da_t belongs"),
        ("d_h = self.Whh.T @ (1 - self.last_hs[t + 1] ** 2) * d_h", "a bracket is lost: W_hhᵀ meets"),
        ("d_h = self.Whh @ (1 - self.last_hs[t + 1] ** 2) * d_h", "and W_hh must be transposed"),
        ("pass", "it is dh_t itself"),
    ],
)
def test_what_is_carried_back_in_place_of_the_gradient_of_the_state_is_named(check, line, words):
    finding = check("network", "d_h = self.Whh.T @ temp", line).findings["Network.backprop"]
    assert words in finding["diagnosis"][0]


def test_the_gradient_of_the_last_output_added_at_every_step_is_named(check):
    sums = "d_Why = d_Why + d_y @ self.last_hs[t + 1].T; d_by = d_by + d_y\n            d_bh +="
    source = changed(
        SOURCES["network"],
        ("d_Why = d_y @ self.last_hs[n].T\n", "d_Why, d_by, d_h = 0, 0, 0\n"),
        ("        d_by = d_y\n", ""),
        ("        d_h = self.Why.T @ d_y\n", ""),
        ("d_bh +=", sums),
        ("            temp =", "            d_h = d_h + self.Why.T @ d_y\n            temp ="),
    )
    finding = check(source).findings["Network.backprop"]
    assert "the gradient of the output is added at every t: the output is that of the last" in finding["diagnosis"][0]
    states = check(source, "d_h + self.Why.T @ d_y", "d_h + (t == n - 1) * self.Why.T @ d_y")
    assert "added at every t" in report(states)


BATCHES = """
import numpy as np
class Recurrent:
    def __init__(self, n_in, n_hidden, n_out):
        rand = np.random.randn
        self.W_ih, self.W_hh, self.W_out = rand(n_in, n_hidden), rand(n_hidden, n_hidden), rand(n_hidden, n_out)
        self.b_ih, self.b_hh, self.b_out = np.zeros(n_hidden), np.zeros(n_hidden), np.zeros(n_out)
    def forward(self, x):
        self.x, self.h, h = x, [], np.zeros((len(x), len(self.W_hh)))
        for t in range(x.shape[1]):
            h = 0.9 * np.tanh(x[:, t] @ self.W_ih + self.b_ih + h @ self.W_hh + self.b_hh)
            self.h.append(h)
        return np.stack([h @ self.W_out + self.b_out for h in self.h], axis=1)
    def backward(self, dout):
        for name in ("W_ih", "W_hh", "W_out", "b_ih", "b_hh", "b_out"):
            setattr(self, "d" + name, np.zeros_like(getattr(self, name)))
        dh, dx = 0, np.zeros_like(self.x)
        for t in reversed(range(dout.shape[1])):
            da = (dout[:, t] @ self.W_out.T + dh) * (0.9 - self.h[t] ** 2 / 0.9)
            h_prev = self.h[t - 1] if t else 0 * self.h[0]
            self.dW_out += self.h[t].T @ dout[:, t]; self.db_out += dout[:, t].sum(0)
            self.dW_ih += self.x[:, t].T @ da; self.dW_hh += h_prev.T @ da
            self.db_ih += da.sum(0); self.db_hh += da.sum(0)
            dx[:, t], dh = da @ self.W_ih.T, da @ self.W_hh.T
        for d in (self.dW_ih, self.dW_hh, self.dW_out, self.db_ih, self.db_hh, self.db_out):
            d /= len(self.x)
        return dx
"""


def test_means_over_a_batch_are_no_mistake_where_one_step_was_taken_for_a_batch(check):
    assert check(BATCHES).ok


def test_two_biases_whose_right_gradients_are_the_same_are_not_said_to_share_an_array(check):
    finding = check(BATCHES, "(0.9 - self.h[t] ** 2 / 0.9)", "(0.9 - self.h[t] ** 2)").findings["Recurrent.backward"]
    assert finding["status"] == "wrong" and "same array" not in str(finding["diagnosis"])


def test_of_several_wrong_lines_that_of_a_single_step_is_named_first(check):
    source = changed(SOURCES["lstm_loss"], ("* gi[t] * (1 - gi[t])", "* gi[t]"), ("dcnext = fs[t] * dc", "dcnext = dc"))
    first, second = check(source).findings["lossFun"]["diagnosis"][:2]
    assert first.startswith("with a single step too, Equation (3), da_i: i_t itself stands"), first
    assert "da_t or da is likely wrong" in second


def test_what_a_single_step_leaves_out_is_not_said_of_it(check):
    line = ("temp = (1 - self.last_hs[t + 1] ** 2) * d_h", "temp = (1 - self.last_hs[t + 1]) * d_h * 0.7")
    source = changed(
        SOURCES["network"], line, ("reversed(range(n))", "reversed(range(1, n))")
    )  # no step of a single one
    finding = check(source).findings["Network.backprop"]
    assert finding["status"] == "wrong" and "single step" not in str(finding["diagnosis"]), finding


def test_a_relu_is_compared_with_our_own(check):
    source = changed(SOURCES["cs231n"], ("np.tanh(x.dot", "np.maximum(0, x.dot"), ("(1 - next_h ** 2)", "(next_h > 0)"))
    found = check(source).findings
    names = "rnn_step_forward", "rnn_step_backward", "rnn_forward", "rnn_backward"
    assert all(found[name] == {"convention": "cs231n", "status": "ok", "sentences": []} for name in names), found
    wrong = check(source, "da = dnext_h * (next_h > 0)", "da = dnext_h").findings["rnn_step_backward"]
    assert "da_t: the activation's derivative is missing" in wrong["diagnosis"][0], wrong


def test_of_two_biases_of_one_gate_the_sum_counts(check):
    source = changed(BATCHES, ("0.9 * np.tanh", "np.tanh"), ("(0.9 - self.h[t] ** 2 / 0.9)", "(1 - self.h[t] ** 2)"))
    assert "differ from ours" not in report(check(source))


def test_a_weight_that_a_backward_forgets_to_take_is_an_error_of_its_own(check):
    source = changed(SOURCES["cs231n"], ("cache = (x, prev_h, Wx, Wh,", "cache = (x, prev_h, Wh,"))
    finding = check(source, "x, prev_h, Wx, Wh, next_h = cache", "x, prev_h, Wh, next_h = cache")
    finding = finding.findings["rnn_step_backward"]
    assert finding["status"] == "crash" and "name 'Wx' is not defined" in finding["sentences"][0]


OF_EVENTS = changed(
    SOURCES["network"],
    ("y = self.Why @ h + self.by", "y = self.y = 1 / (1 + np.exp(-(self.Why @ h + self.by)))"),
    ("        d_Why = d_y @", "        d_y = d_y * self.y * (1 - self.y)\n        d_Why = d_y @"),
)


SLOPE = "self.y * (1 - self.y)"


@pytest.mark.parametrize(
    "gradient", [f"d_y * {SLOPE}", "d_y - 0", "self.y - d_y", "(self.y - d_y) * 2", f"(self.y - d_y) * {SLOPE}"]
)
def test_outputs_of_a_sigmoid_are_compared_with_our_own(check, gradient):
    source = changed(OF_EVENTS, ("d_y = d_y * self.y * (1 - self.y)", f"d_y = {gradient}"))
    if "- d_y" in gradient:
        source = source.replace("backprop(self, d_y,", "backprop(self, targets,").replace("- d_y", "- targets")
    result = check(source)
    assert result.ok and "differ from ours" not in report(result), report(result)
    wrong = check(source, "d_h = self.Whh.T @ temp", "d_h = self.Whh @ temp").findings["Network.backprop"]
    assert "multiplied by the transpose" in wrong["diagnosis"][0], wrong


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("dLdV = np.outer(delta_o[t], s[t])", "dLdV: only the step t = 1 adds to it"),
        ("dLdV += np.outer(delta_o[t], s[t - 1])", "dLdV: h_{t-1} stands where h_t belongs"),
        ("dLdV += np.outer(delta_o[t], s[t] ** 2)", "dLdV: all other gradients are right"),
        ("dLdV += 1.7 * np.outer(delta_o[t], s[t])", "dLdV: all other gradients are right"),
    ],
)
def test_the_other_gradients_tell_that_those_of_the_output_layer_are_wrong(check, wrong, said):
    finding = check("bptt", "dLdV += np.outer(delta_o[t], s[t])", wrong).findings["Net.bptt"]
    assert [row["name"] for row in finding["table"]] == ["dLdV"] and finding["diagnosis"][0].startswith(said), finding
