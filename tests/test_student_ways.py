"""`numpylm check` on steps that carry their own gradient, on states left None, and on gradients of other shapes."""

from foreign_code import SOURCES, changed
from student_files import wrong_in

from numpylm.tutor.foreign.units import in_order
from numpylm.tutor.report import report

STEPS = """
import numpy as np
from helpers import zeros, uniform
class Cell:
    def __init__(self, input_size, hidden_size):
        self.W, self.U = uniform(-1.0, 1.0, hidden_size, input_size), np.random.randn(hidden_size, hidden_size)
        self.b, self.h, self.dh, self.seen = zeros(hidden_size), zeros(hidden_size), zeros(hidden_size), []
        self.dW, self.dU, self.db = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.b)
    def forward(self, x):
        h = np.tanh(self.W @ x + self.U @ self.h + self.b)
        self.seen.append((x, self.h, h))
        self.h = h
        return h
    def backward(self, dh):
        x, h_prev, h = self.seen.pop()
        da = (dh + self.dh) * (1 - h**2)
        self.dW += np.outer(da, x); self.dU += np.outer(da, h_prev); self.db += da
        self.dh = self.U.T @ da
        return self.W.T @ da
"""


def test_a_backward_of_one_step_is_called_for_every_step_from_the_last(check):
    assert check(STEPS).ok
    counted = changed(
        STEPS, ("self.seen.append((x, self.h, h))", "self.seen[self.t] = x, self.h, h\n        self.t += 1"),
        (", []", ", {}\n        self.t = 0"), ("self.seen.pop()", "self.seen[self.t]"),
        ("        x, h_prev, h =", "        self.t -= 1\n        x, h_prev, h ="),
    )  # fmt: skip
    assert check(counted).ok
    for source in (STEPS, counted):
        wrong = check(source, "self.U.T @ da", "self.U @ da")
        assert wrong_in(wrong, "Cell.backward") == {"dx", "dW", "dU", "db"}
        assert check(source, "np.outer(da, h_prev)", "np.outer(da, h)").findings["Cell.backward"]["status"] == "wrong"


def test_the_gradient_that_comes_in_may_be_that_of_the_last_step_alone(check):
    end = changed(
        SOURCES["coursera"],
        ("    n_a, m, T_x = da.shape", "    n_a, m = da.shape"),
        ("    n_x, m = x1.shape", "    n_x, T_x = len(x1), len(caches)"),
        ("    da_prevt = np.zeros((n_a, m))", "    da_prevt = da"), ("da[:, :, t] + da_prevt", "da_prevt"),
    )  # fmt: skip
    result = check(end)
    assert result.ok and "differ" not in str(result.findings["rnn_backward"]["sentences"])
    assert wrong_in(check(end, 'g["da_prev"]', '0.5 * g["da_prev"]'), "rnn_backward") >= {"dWax", "dWaa"}


EVERY = """
import numpy as np
class Net:
    def __init__(self, input_size, hidden_size, output_size):
        self.W, self.U = np.random.randn(hidden_size, input_size), np.random.randn(hidden_size, hidden_size)
        self.V, self.last_h = np.random.randn(output_size, hidden_size), None
    def forward(self, x):
        self.x, self.h = x, {-1: 1.0 * self.last_h}
        for t in range(len(x)):
            self.h[t] = np.tanh(self.W @ x[t] + self.U @ self.h[t - 1])
        return [self.V @ self.h[t] for t in range(len(x))]
    def backward(self, dy):
        self.dW, self.dU, self.dV = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.V)
        dh = 0
        for t in reversed(range(len(self.x))):
            da = (self.V.T @ dy[t] + dh) * (1 - self.h[t] ** 2)
            self.dW += da @ self.x[t].T; self.dU += da @ self.h[t - 1].T; self.dV += dy[t] @ self.h[t].T
            dh = self.U.T @ da
"""


def test_a_state_that_the_constructor_leaves_none_is_set(check):
    assert check(EVERY).ok
    assert wrong_in(check(EVERY, "(range(len(", "(range(1, len("), "Net.backward") == {"dW", "dU", "dV"}
    left = check(EVERY, "self.dU += da @ self.h[t - 1].T", "self.dU += da @ self.h[max(t - 1, 0)].T")
    assert wrong_in(left, "Net.backward") == {"dU"}


def test_a_step_in_which_the_last_gradient_alone_comes_in(check):
    source = changed(
        STEPS, ("self.seen.pop()", "self.seen[t]"),
        ("        x, h_prev, h", "        for t in reversed(range(len(self.seen))):\n            x, h_prev, h"),
        ("        da = (dh + self.dh)", "            da = (dh * (t == len(self.seen) - 1) + self.dh)"),
        ("        self.dW +=", "            self.dW +="), ("        self.dh = self", "            self.dh = self"),
        ("self.dW += np.outer(da, x)", "self.dW += da[:, None] * x"),
    )  # fmt: skip
    assert check(source).ok
    assert wrong_in(check(source, " * (t == len(self.seen) - 1)", ""), "Cell.backward") >= {"dW", "dU", "db"}


def test_a_gradient_belongs_to_the_output_of_its_name_and_not_to_the_states_in_the_cache(check):
    source = """
import numpy as np
D, H, K = 40, 30, 20
W, U, V = np.random.randn(D, H), np.random.randn(H, H), np.random.randn(H, K)
def forward(X):
    assert X.ndim == 2
    h, hs = np.zeros(H), []
    for x in X:
        h = np.tanh(x @ W + h @ U)
        hs.append(h)
    hs = np.stack(hs)
    y = (hs.mean(axis=0) ** 3) @ V
    return y, (X, hs)
def backward(cache, dy):
    X, hs = cache
    mean, dW, dU, dh = hs.mean(axis=0), 0, 0, 0
    for t in reversed(range(len(X))):
        da = (dh + 3 * mean**2 * (V @ dy) / len(X)) * (1 - hs[t] ** 2)
        dW, dU = dW + np.outer(X[t], da), dU + (np.outer(hs[t - 1], da) if t else 0)
        dh = U @ da
    return dW, dU, np.outer(mean**3, dy)
"""
    assert check(source).ok
    assert check(source, "dh = U @ da", "dh = U.T @ da").findings["backward"]["status"] == "wrong"
    assert in_order(["dZt", "dc_next", "da_next"]) == ["da_next", "dc_next", "dZt"]


def test_the_forward_of_a_step_is_the_one_that_makes_its_cache(check):
    source = SOURCES["cs231n"].partition("def rnn_forward")[0].replace("def rnn_step_forward(x,", "def unit(z,")
    source = changed(source, ("np.tanh(x.dot", "np.tanh(z.dot"), ("cache = (x,", "cache = (z,"))
    assert check(source).ok
    assert check(source, "np.tanh(z", "np.sin(z").findings["rnn_step_backward"]["status"] == "wrong"


def test_arrays_of_rows_of_several_lengths_are_those_of_old_numpy(check):
    assert check("cs231n", "return h, cache\n\ndef rnn_backward", "return h, np.array(cache)\n\ndef rnn_backward").ok
    change = ("next_h = np.tanh(", "np.array([[1, 2], [3]], float); next_h = np.tanh(")
    assert "ValueError: setting an array element" in report(check("cs231n", *change))


def test_sums_of_gradients_that_a_training_loop_makes(check):
    sums = "        self.dW, self.dU, self.db = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.b)\n"
    assert check(STEPS, sums, "").ok


def test_the_gradients_of_inputs_may_be_a_list_of_all_steps(check):
    listed = changed(EVERY, ("        dh = 0\n", "        dh, dx = 0, []\n"), (
        "            dh = self.U.T", "            dx.insert(0, self.W.T @ da)\n            dh = self.U.T"),
        ("dh = self.U.T @ da\n", "dh = self.U.T @ da\n        return dx\n"))  # fmt: skip
    assert check(listed).ok
    both = changed(listed, ("return dx\n", "return dx, None\n"))
    assert check(both).ok and wrong_in(check(both, "dx.insert(0,", "dx.insert(0, 2 *"), "Net.backward") == {"dx"}
    finding = check(listed, "dx.insert(0, self.W.T @ da)", "dx.append(self.W.T @ da)").findings["Net.backward"]
    assert [row["name"] for row in finding["table"]] == ["dx"] and "reversed" in finding["diagnosis"][0]
    by_step = changed(
        listed, ("dh, dx = 0, []", "dh, dx = 0, {}"), ("dx.insert(0, self.W.T @ da)", "dx[t] = self.W.T @ da")
    )
    assert check(by_step).ok and check(by_step, "dx[t] =", "dx[t] = 2 *").findings["Net.backward"]["status"] == "wrong"


def test_one_gradient_that_is_returned_is_that_of_x_where_the_others_are_kept(check):
    assert wrong_in(check(STEPS, "return self.W.T @ da", "return self.W.T @ da * 2"), "Cell.backward") == {"dx"}


def test_a_shape_that_is_wrong_for_one_sequence_is_told_where_a_batch_fails(check):
    source = """
import numpy as np
class RNN:
    def __init__(self, n_inputs, n_neurons):
        self.Wx, self.Wh = np.random.randn(n_inputs, n_neurons), np.random.randn(n_neurons, n_neurons)
        self.b = np.zeros((1, n_neurons))
    def forward(self, x, prev_h):
        self.x, self.prev_h, self.h = x, prev_h, np.tanh(x @ self.Wx + prev_h @ self.Wh + self.b)
        return self.h
    def backward(self, dh):
        da, self.db = dh * (1 - self.h**2), np.zeros((1, dh.shape[1]))
        self.dWx, self.dWh = self.x.T @ da, self.prev_h.T @ da
        self.db += da
        dx, dprev_h = da @ self.Wx.T, (da @ self.Wh.T)
        return dx, dprev_h
"""
    assert check(source).ok and "one sequence at a time" in report(check(source))
    finding = check(source, "(da @ self.Wh.T)", "(da @ self.Wh.T)[:, 0]").findings["RNN.backward"]
    assert finding["status"] == "wrong" and "is of shape (1,)" in finding["sentences"][0]


def test_a_network_that_runs_for_numbers_alone_is_said_to(check):
    source = changed(SOURCES["network"], ("self.last_inputs[t].T", "self.last_inputs[t]"))
    said = report(check(source))
    assert "only with one input and one output" in " ".join(said.split()) and "do not fit" in said


def test_one_state_may_get_a_gradient_of_its_own_and_one_of_the_next_step(check):
    source = """
import numpy as np
class Recurrent:
    def __init__(self, n_inputs, n_neurons):
        self.weights_inputs = np.random.randn(n_inputs, n_neurons)
        self.weights_hidden = np.random.randn(n_neurons, n_neurons)
        self.inputs_history, self.outputs_history, self.hidden_history = [], [], []
    def forward(self, inputs, hidden):
        self.inputs_history.append(inputs); self.hidden_history.append(hidden)
        self.output = np.tanh(inputs @ self.weights_inputs + hidden @ self.weights_hidden)
        self.outputs_history.append(self.output)
    def backward(self, dvalues, timestep, dhidden_next):
        da = (dvalues + dhidden_next) * (1 - self.outputs_history[timestep] ** 2)
        self.dweights_inputs += self.inputs_history[timestep].T @ da
        self.dweights_hidden += self.hidden_history[timestep].T @ da
        self.dinputs, self.dhidden = da @ self.weights_inputs.T, da @ self.weights_hidden.T
"""
    assert check(source).ok, report(check(source))
    other = changed(source, ("np.tanh(inputs", "0.9 * np.tanh(inputs"))
    other = changed(other, ("1 - self.outputs", "0.9 - 1 / 0.9 * self.outputs"))
    assert check(other).ok and "differ from ours" in report(check(other))
    late = changed(source, ("(dvalues + dhidden_next) *", "dhidden_next + dvalues *"))
    wrong = {"dweights_inputs", "dweights_hidden", "dinputs", "dhidden"}
    assert wrong_in(check(late), "Recurrent.backward") == wrong


def test_a_method_that_returns_nothing_is_not_said_to_be_unwritten(check):
    source = """
import numpy as np
class RNN:
    def __init__(self, input_size, hidden_size): self.W, self.U = np.ones((5, 6)), np.ones((5, 5))
    def train(self, x, y):
        dW, dU, db = np.ones((5, 6)), np.ones((5, 5)), np.ones(5)
        self.W -= dW; self.U -= dU
"""
    finding = check(source).findings["RNN.train"]
    assert finding["status"] == "not checked" and "returns None" in finding["sentences"][0]
