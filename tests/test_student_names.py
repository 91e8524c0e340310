"""`numpylm check` on networks whose parts have other names or places: dicts of sums, own variables, absent helpers."""

import pytest
from foreign_code import SOURCES, changed
from student_files import check_source, statuses, wrong_in

from numpylm.tutor.foreign.conventions import role_of, roles_of
from numpylm.tutor.process.sizes import size_of
from numpylm.tutor.report import report

OWN = """
import numpy as np
class Layer:
    def __init__(self, input_dim, hidden_dim):
        self.W_x, self.W_h = np.random.randn(hidden_dim, input_dim), np.random.randn(hidden_dim, hidden_dim)
        self.b = np.zeros(hidden_dim)
    def forward(self, x):
        self.x, self.h = x, [np.zeros(len(self.b))]
        for row in x:
            self.h.append(np.tanh(self.W_x @ row + self.W_h @ self.h[-1] + self.b))
        return np.stack(self.h[1:])
    def backward(self, d_out):
        dW_x, dW_h, db, dx, dh = 0, 0, 0, np.zeros_like(self.x), 0
        for t in reversed(range(len(self.x))):
            da = (d_out[t] + dh) * (1 - self.h[t + 1] ** 2)
            dW_x, dW_h, db = dW_x + np.outer(da, self.x[t]), dW_h + np.outer(da, self.h[t]), db + da
            dx[t], dh = self.W_x.T @ da, self.W_h.T @ da
        END
        return dx
"""
ENDS = {
    "packed": "self.dW = np.concatenate([dW_x, dW_h], axis=1)",
    "Adagrad": "for w, d in ((self.W_x, dW_x), (self.W_h, dW_h), (self.b, db)):\n"
    "            w -= 0.1 * d / np.sqrt(d * d + 1e-2)",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_backward_that_keeps_no_gradient_is_judged_by_its_own_variables(check, end):
    source = changed(OWN, ("END", ENDS[end]))
    right = check(source)
    assert right.ok and "judged by its own variables dW_x, dW_h, db" in report(right)
    assert wrong_in(check(source, "(da, self.h[t])", "(da, self.h[t + 1])"), "Layer.backward") == {"dW_h"}


def test_steps_of_one_size_are_no_gradients(check):
    source = changed(OWN, ("END", ENDS["Adagrad"]), ("1e-2", "1e-4"))
    source = changed(source, ("dW_x", "step_x"), ("dW_h", "step_h"), ("db", "step_b"))
    finding = check(source).findings["Layer.backward"]
    assert finding["status"] == "not checked" and "plain gradient descent" in finding["sentences"][0]


SUMS = """
import numpy as np
def sigmoid(a): return 1 / (1 + np.exp(-a))
def forward(X, state_prev, param):
    h_prev, c_prev = state_prev
    z = np.vstack((X, h_prev))
    f, i, o = sigmoid(param["Wf"] @ z), sigmoid(param["Wi"] @ z), sigmoid(param["Wo"] @ z)
    c_bar = np.tanh(param["Wc"] @ z)
    c = f * c_prev + i * c_bar
    h = o * np.tanh(c)
    return param["Wv"] @ h, (h, c), (z, f, i, o, c_bar)
def forward_backward(inputs, targets, h_init, c_init, param, grads):
    loss, states, seen, n = 0, [(h_init, c_init)], [], len(h_init)
    for x, target in zip(inputs, targets):
        y, state, rest = forward(x, states[-1], param)
        loss = loss + (0.5 * (y - target) ** 2).item()
        states.append(state); seen.append((y - target, *rest))
    dh, dc = 0, 0
    for t in reversed(range(len(seen))):
        (dy, z, f, i, o, c_bar), (h, c), (_, c_prev) = seen[t], states[t + 1], states[t]
        grads["Wv"] += dy @ h.T
        dh = param["Wv"].T @ dy + dh
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        da = {"Wf": dc * c_prev * f * (1 - f), "Wi": dc * c_bar * i * (1 - i), "Wc": dc * i * (1 - c_bar**2)}
        da["Wo"] = dh * np.tanh(c) * o * (1 - o)
        dz = 0
        for name in da:
            grads[name] += da[name] @ z.T
            dz = dz + param[name].T @ da[name]
        dh, dc = dz[-n:], dc * f
    return grads, loss
"""


def test_a_dict_to_which_gradients_are_added_is_zeros(check):
    assert check(SUMS).findings["forward_backward"]["status"] == "ok"
    assert "dWo" in wrong_in(check(SUMS, "dc = dc + dh", "dc = dh"), "forward_backward")


def test_outputs_are_known_by_their_names_where_inputs_have_their_shape(check):
    source = """
import numpy as np
V, H = 80, 100
Wxh, Whh, Why = np.random.randn(H, V), np.random.randn(H, H), np.random.randn(V, H)
def forward(inputs, h_prev):
    xs, hs, ys = {}, {-1: h_prev}, {}
    for t in range(len(inputs)):
        xs[t] = np.zeros((V, 1))
        xs[t][inputs[t]] = 1
        hs[t] = 0.9 * np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1])
        ys[t] = Why @ hs[t]
    return xs, hs, ys
def backward(xs, hs, ys, targets):
    dWxh, dWhh, dWhy, dh = 0, 0, 0, 0
    for t in reversed(range(len(targets))):
        dy = np.exp(ys[t]) / np.exp(ys[t]).sum()
        dy[targets[t]] -= 1
        da = (Why.T @ dy + dh) * (0.9 - hs[t] ** 2 / 0.9)
        dWxh, dWhh, dWhy = dWxh + da @ xs[t].T, dWhh + da @ hs[t - 1].T, dWhy + dy @ hs[t].T
        dh = Whh.T @ da
    return dWxh, dWhh, dWhy
"""
    assert check(source).findings["backward"]["status"] == "ok", report(check(source))
    assert check(source, "Whh.T @ da", "Whh @ da").findings["backward"]["status"] == "wrong"


def test_a_node_that_is_made_of_parameters_and_a_state(check):
    source = changed(
        SOURCES["nodes"], ("bottom_data_is", "begin"),
        ("top_diff_is(self, top_diff_h, top_diff_s)", "back(self, err_h, err_c)"),
        ("top_diff_h", "err_h"), ("top_diff_s", "err_c"), ("class State:\n    def __init__(self, mem_cell_ct):",
         "class LSTMState:\n    def __init__(self, mem_cell_ct, x_dim):\n        self.x_dim = x_dim"),
        ("class Param", "class LSTMParam"), ("class Node", "class LSTMNode"),
        ("self.param, self.state = param, state", "self.state, self.param = state, param"),
        ("mem_cell_ct", "cell_count"), ("s_prev", "c_prev"), ("self.s,", "self.c,"), ("state.s", "state.c"),
    )  # fmt: skip
    assert check(source).findings["LSTMNode.back"]["status"] == "ok", report(check(source))
    wrong = check(source, "self.state.c * err_h", "np.tanh(self.state.c) * err_h")
    assert wrong_in(wrong, "LSTMNode.back") >= {"dwo", "dbo"}


def test_tokens_that_give_one_number(check):
    source = """
import numpy as np
class Sentiment:
    def __init__(self, vocab_size, hidden_size=64, embed_size=32):
        self.E, self.W_hy = np.random.randn(vocab_size, embed_size), np.random.randn(hidden_size, 1)
        self.W_xh, self.W_hh = np.random.randn(embed_size, hidden_size), np.random.randn(hidden_size, hidden_size)
    def forward(self, indices):
        hs = {-1: np.zeros((1, len(self.W_hh)))}
        for t, index in enumerate(indices):
            hs[t] = np.tanh(self.E[index][None] @ self.W_xh + hs[t - 1] @ self.W_hh)
        return 1 / (1 + np.exp(-hs[len(indices) - 1] @ self.W_hy)), (indices, hs)
    def backward(self, y_pred, y_true, cache, lr):
        indices, hs = cache
        dy = y_pred - y_true
        dW_hy, dh, dW_xh, dW_hh = hs[len(indices) - 1].T @ dy, dy @ self.W_hy.T, 0, 0
        for t in reversed(range(len(indices))):
            da = dh * (1 - hs[t] ** 2)
            dW_xh, dW_hh = dW_xh + self.E[indices[t]][:, None] @ da, dW_hh + hs[t - 1].T @ da
            dh = da @ self.W_hh.T
        self.W_xh -= lr * dW_xh; self.W_hh -= lr * dW_hh; self.W_hy -= lr * dW_hy
"""
    assert check(source).ok and "does not find the gradient of E" in report(check(source))
    assert wrong_in(check(source, "da @ self.W_hh.T", "da @ self.W_hh"), "Sentiment.backward") == {"dW_xh", "dW_hh"}


def test_a_tiny_term_in_a_denominator_is_told_and_is_no_mistake_where_no_exercise_asks(tmp_path):
    source = """
import numpy as np
def softmax(a):
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / (e.sum(axis=-1, keepdims=True) + 3e-8)
"""
    result = check_source(tmp_path, source)
    assert result.ok and "small ε" in report(result)
    assert check_source(tmp_path, source, ("3e-8", "1e-5")).ok
    result = check_source(tmp_path, source, ("import numpy", 'EXERCISE = ["softmax"]\nimport numpy'))
    assert result.findings["softmax"]["status"] == "wrong"
    assert not check_source(tmp_path, source, ("3e-8", "1e-3")).ok
    limited = "import numpy as np\ndef tanh(a):\n    return np.tanh(np.clip(a, -6.0, 6.0))\n"
    assert check_source(tmp_path, limited).findings["tanh"]["status"] == "wrong"
    unshifted = check_source(tmp_path, source, (" - a.max(axis=-1, keepdims=True)", ""), ("3e-8", "1e-5"))
    assert unshifted.ok and "it overflows" in report(unshifted)


def test_gates_in_arrays_of_their_own_have_no_columns(check):
    wrong = changed(SOURCES["coursera"], ("(1 - cct ** 2)", "(1 - cct)"), ('["Wc"].T @ dcct', '["Wc"].T @ dcct ** 2'))
    finding = check(wrong).findings["lstm_cell_backward"]
    assert finding["diagnosis"][0] == "of the gates, only c̃ has wrong gradients"


def test_names_of_weights_and_sizes():
    roles = roles_of(["Wi", "Wf", "Wz", "Wo", "Wout", "bi", "bf", "bz", "bo", "bout"], "lstm")
    assert (roles["Wo"], roles["Wout"], roles["bo"], roles["bout"]) == ("W:o", "W_y", "b:o", "b_y")
    assert role_of("weights_biases") == role_of("weights") == "parameters"
    sizes = {"I": "V", "O": "V", "H": "H", "middle_layer_height": "H", "size_layer": "H", "n_timestep": "T", "x": ""}
    assert {name: size_of(name) for name in sizes} == sizes


def test_a_layer_that_takes_sequences_alone(check):
    source = """
import numpy as np
def temporal_fc_forward(x, w, b):
    return x @ w + b, (x, w)
def temporal_fc_backward(dout, cache):
    x, w = cache
    N, T, M = dout.shape
    return dout @ w.T, x.reshape(N * T, -1).T @ dout.reshape(N * T, M), dout.sum(axis=(0, 1))
"""
    assert check(source).findings["temporal_fc_backward"]["status"] == "ok"
    assert wrong_in(check(source, "dout @ w.T", "2 * dout @ w.T"), "temporal_fc_backward") == {"dx"}


LAYERS = """
import numpy as np
class TimeEmbedding:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]
    def forward(self, xs):
        self.xs = xs
        return self.params[0][xs]
    def backward(self, dout):
        self.grads[0][...] = 0
        np.add.at(self.grads[0], self.xs, dout)
class TimeAffine:
    def __init__(self, W, b):
        self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]
    def forward(self, x):
        assert x.ndim == 3
        self.x = x
        return x @ self.params[0] + self.params[1]
    def backward(self, dout):
        N, T, D = self.x.shape
        rows = dout.reshape(N * T, -1)
        self.grads[0][...], self.grads[1][...] = self.x.reshape(N * T, D).T @ rows, rows.sum(axis=0)
        return dout.reshape(N, T, -1) @ self.params[0].T
"""


def test_what_a_layer_keeps_of_its_weights_is_compared(check):
    assert statuses(check(LAYERS)) == {"TimeEmbedding.backward": "ok", "TimeAffine.backward": "ok"}
    assert wrong_in(check(LAYERS, "rows.sum(axis=0)", "2 * rows.sum(axis=0)"), "TimeAffine.backward") == {"db"}
    assert wrong_in(check(LAYERS, "= 0\n", "= 1\n"), "TimeEmbedding.backward") == {"dW"}
    once = "for xs, dx in zip(self.xs, dout): self.grads[0][xs] += dx"
    for seed in range(4):  # a token stands twice in a batch
        wrong = check(LAYERS, "np.add.at(self.grads[0], self.xs, dout)", once, seed=seed)
        assert wrong_in(wrong, "TimeEmbedding.backward") == {"dW"}
    hidden = changed(LAYERS, ("self.grads", "self.sums"))
    finding = check(hidden).findings["TimeAffine.backward"]
    assert finding["status"] == "not checked" and "gradients of W, b" in str(finding["sentences"])
