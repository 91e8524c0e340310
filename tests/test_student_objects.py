"""`numpylm check` reads objects that keep a state, files of a package, and scripts that lack what they use."""

import pytest
from foreign_code import SOURCES, changed
from student_files import check_in_child, check_source, statuses

from numpylm.tutor.report import report

CELL = """
import numpy as np
class Cell:
    def __init__(self, input_size, hidden_size):
        self.Wx, self.Wh = np.random.randn(hidden_size, input_size), np.random.randn(hidden_size, hidden_size)
        self.b, self.h = np.zeros((hidden_size, 1)), np.zeros((hidden_size, 1))
    def forward(self, x):
        self.x, self.h_prev = x, self.h
        self.h = np.tanh(self.Wx @ x + self.Wh @ self.h + self.b)
        return self.h
    def backward(self, dh):
        da = dh * (1 - self.h**2)
        self.dWx, self.dWh, self.db = da @ self.x.T, da @ self.h_prev.T, da
        return self.Wx.T @ da
"""


def test_a_state_that_an_object_keeps_is_not_zero_before_the_step(check):
    assert check(CELL).ok
    wrong = check(CELL, "da @ self.h_prev.T", "3 * da @ self.h_prev.T").findings["Cell.backward"]
    assert wrong["diagnosis"][0] == "dWh: it is the right one times 3"
    always_new = check(CELL, "self.x, self.h_prev = x, self.h", "self.h_prev = self.h = 0 * self.h; self.x = x")
    assert always_new.ok and "zero is right for this input" in report(always_new)


LAST = """
import numpy as np
class Layer:
    def __init__(self, input_size, hidden_size):
        self.W_x, self.W_h = np.ones((input_size, hidden_size)), np.ones((hidden_size, hidden_size))
        self.b = np.zeros(hidden_size)
    def forward(self, x):
        self.x, h = x, np.zeros((len(x), len(self.b)))
        self.steps = [h]
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ self.W_x + h @ self.W_h + self.b)
            self.steps.append(h)
        return h
    def backward(self, dh):
        self.dW_x, self.dW_h, self.db = (np.zeros_like(q) for q in (self.W_x, self.W_h, self.b))
        for t in reversed(range(self.x.shape[1])):
            da = dh * (1 - self.steps[t + 1] ** 2)
            self.dW_x += self.x[:, t].T @ da
            self.dW_h += self.steps[t].T @ da
            self.db += da.sum(axis=0)
            dh = da @ self.W_h.T
"""


def test_the_state_after_the_last_step_is_compared_with_ours(check):
    assert statuses(check(LAST)) == {"Layer.forward": "ok", "Layer.backward": "ok"}
    finding = check(LAST, "dh = da @ self.W_h.T", "dh = da @ self.W_h").findings["Layer.backward"]
    assert "multiplied by the transpose" in finding["diagnosis"][0], finding["diagnosis"]


def test_a_backward_may_be_right_from_a_zero_state_alone(check):
    source = """
import numpy as np
class Layer:
    def __init__(self, input_size, hidden_size):
        self.U, self.W = np.random.randn(input_size, hidden_size), np.random.randn(hidden_size, hidden_size)
        self.h = np.zeros(hidden_size)
    def forward(self, x):
        self.x, self.hs = x, np.zeros((len(x), len(self.h)))
        for t in range(len(x)):
            self.h = self.hs[t] = np.tanh(x[t] @ self.U + self.h @ self.W)
        return self.hs
    def backward(self, dhs):
        self.dU, self.dW, dh = 0 * self.U, 0 * self.W, 0 * self.h
        for t in reversed(range(len(dhs))):
            da = (dhs[t] + dh) * (1 - self.hs[t] ** 2)
            self.dU += np.outer(self.x[t], da)
            self.dW += np.outer(self.hs[t - 1], da) if t else 0
            dh = self.W @ da
"""
    result = check(source)
    assert result.ok and "right where the state that the object keeps is zero before" in report(result)
    assert check(source, "self.W @ da", "self.W.T @ da").findings["Layer.backward"]["status"] == "wrong"


def test_what_nothing_in_a_file_makes_is_the_usual_one(check):
    result = check("cs231n", "import numpy as np", "")
    assert result.findings["lstm_backward"]["status"] == "ok" and "nothing in the file makes np" in report(result)


def test_methods_are_functions_of_their_arguments_where_no_object_can_be_made(check):
    source = "def sigmoid" + SOURCES["cs231n"].partition("def sigmoid")[2].partition("def lstm_forward")[0]
    source = changed(source, ("\n", "\n    "), ("forward(", "forward(self, "), ("backward(", "backward(self, "))
    result = check(f"import numpy as np\nclass Cells:\n    def __init__(self, checkpoint): pass\n    {source}")
    assert result.findings["Cells.lstm_step_backward"]["status"] == "ok"


ACTIVATION = """
import numpy as np
class Tanh:
    def forward(self, a):
        self.A = np.tanh(a)
        return self.A
    def backward(self, dy): return dy * (1 - self.A**2)
"""
WITH_ACTIVATION = """
from .activation import Tanh
import numpy as np
class RNN:
    def __init__(self, input_size, hidden_size):
        self.Wx, self.Wh = np.random.randn(input_size, hidden_size), np.random.randn(hidden_size, hidden_size)
        self.f = Tanh()
    def forward(self, x, h_prev):
        self.x, self.h_prev = x, h_prev
        self.h = self.f.forward(x @ self.Wx + h_prev @ self.Wh)
        return self.h
    def backward(self, dh):
        self.f.A = self.h
        da = self.f.backward(dh)
        self.dWx, self.dWh = self.x.T @ da, self.h_prev.T @ da
        return da @ self.Wx.T, da @ self.Wh.T
"""


def test_a_file_of_a_package_gets_what_it_imports(tmp_path):
    package = tmp_path / "models"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "activation.py").write_text(ACTIVATION)
    assert check_in_child(package, WITH_ACTIVATION, "rnn.py").ok
    alone = check_source(tmp_path, WITH_ACTIVATION).findings["RNN.backward"]  # its Tanh is not known
    assert alone["status"] == "not checked" and "could not be run" in " ".join(alone["sentences"])


def test_weights_that_a_script_lacks_and_updates(check):
    source = """
def forward(xs):
    h = np.zeros((H, 1))
    cache = []
    for x in xs:
        h_prev, h = h, np.tanh(Wx @ x.reshape(-1, 1) + Wh @ h + b)
        cache.append((x.reshape(-1, 1), h_prev, h))
    return Wy @ h + by, cache
def backward(y_true, y_pred, cache):
    dy = y_pred - y_true
    dh, dWx, dWh, db = Wy.T @ dy, 0 * Wx, 0 * Wh, 0 * b
    for x, h_prev, h in reversed(cache):
        da = dh * (1 - h**2)
        dWx += da @ x.T; dWh += da @ h_prev.T; db += da
        dh = Wh.T @ da
    for W, dW in zip((Wx, Wh, b, Wy, by), (dWx, dWh, db, dy @ cache[-1][2].T, dy)):
        W -= lr * dW
"""
    assert check(source).findings["backward"]["status"] == "ok"
    assert check(source, "da @ h_prev.T", "da @ h.T").findings["backward"]["status"] == "wrong"


def test_a_loop_under_the_main_guard_is_named(check):
    loop = "    for t in range(9):\n        dW = 2 * W\n        dU = W\n        W = W - dW - dU\n"
    result = check(f"import numpy as np\nif __name__ == '__main__':\n    W = np.ones(3)\n{loop}")
    assert "only functions are checked" in str(result.unchecked) and "paste" not in report(result)


def test_a_statement_that_takes_long_is_left_out(tmp_path):
    source = (
        "def make(n):\n    while True: n += 1\nX = make(3)\ndef tanh(a):\n    return 2 / (1 + np.exp(-2 * a)) - 1\n"
    )
    source = f"import numpy as np\n{source}def use(): return X\n"
    assert check_in_child(tmp_path, source, seconds=10).findings["tanh"]["status"] == "ok"


@pytest.mark.parametrize("squash", ["np.exp(a) / np.exp(a).sum()", "1 / (1 + np.exp(-a))", "a"])
def test_a_gradient_that_comes_in_may_be_that_of_the_logits(check, squash):
    source = SOURCES["network"].replace("y = self.Why @ h + self.by", f"a = self.Why @ h + self.by; y = {squash}")
    result = check(source)
    assert result.ok and ("comes in at the logits" in report(result)) == (squash != "a"), report(result)
    assert (
        check(source, "temp @ self.last_hs[t].T", "temp @ self.last_hs[t + 1].T").findings["Network.backprop"]["status"]
        == "wrong"
    )
    inside = source.replace("return y, h", "self.y = y; return y, h")
    of_outputs = {"np": "self.y * (d_y - (self.y * d_y).sum())", "1 ": "d_y * self.y * (1 - self.y)", "a": "d_y"}
    inside = inside.replace("n = len(self.last_inputs)", f"n = len(self.last_inputs); d_y = {of_outputs[squash[:2]]}")
    result = check(inside)
    assert result.ok and "at the logits" not in report(result), report(result)


def test_a_limit_by_keywords_and_a_rate_of_the_object_are_judged_without(check):
    source = SOURCES["network"].replace("np.clip(d, -1, 1, out=d)", "np.clip(d, a_min=-0.01, a_max=0.01, out=d)")
    source = source.replace("learn_rate=2e-2", "learn_rate=None").replace("n = len(", "learn_rate = self.lr; n = len(")
    result = check(source, "self.by = np.zeros", "self.lr = 0.1; self.by = np.zeros")
    assert result.ok and "it clips its gradients to ±0.01" in report(result), report(result)


def test_a_gradient_of_the_states_beside_outputs_is_not_that_of_the_outputs(check):
    source = """
import numpy as np
class Net:
    def __init__(self, n_x, n_a, n_y):
        self.Wax, self.Waa, self.Wya = np.random.randn(n_a, n_x), np.random.randn(n_a, n_a), np.random.randn(n_y, n_a)
    def forward(self, x):
        a, y = np.zeros((len(self.Waa), x.shape[1])), np.zeros((len(self.Wya), x.shape[1]))
        for t in range(x.shape[1]):
            a[:, t] = np.tanh(self.Wax @ x[:, t] + self.Waa @ a[:, t - 1])
            y[:, t] = self.Wya @ a[:, t]
        return a, y, (a, x)
    def backward(self, da, cache):
        a, x = cache
        dWax, dWaa, da_next = 0 * self.Wax, 0 * self.Waa, 0
        for t in reversed(range(x.shape[1])):
            dz = (da[:, t] + da_next) * (1 - a[:, t] ** 2)
            dWax += np.outer(dz, x[:, t])
            dWaa += np.outer(dz, a[:, t - 1] if t else 0 * dz)
            da_next = self.Waa.T @ dz
        return dWax, dWaa
"""
    assert check(source).ok, report(check(source))
    finding = check(source, "self.Waa.T @ dz", "self.Waa @ dz").findings["Net.backward"]
    assert finding["status"] == "wrong" and "transpose" in finding["diagnosis"][0]


def test_a_training_step_of_one_vector_is_judged_and_what_is_carried_is_not(check):
    source = """
import numpy as np
class Net:
    def __init__(self, vocab_size, hidden_size):
        self.Wxh, self.Whh = np.random.randn(hidden_size, vocab_size), np.random.randn(hidden_size, hidden_size)
        self.Why, self.context, self.lr = np.random.randn(vocab_size, hidden_size), np.ones(hidden_size) / 2, 0.05
    def train_step(self, x, target):
        h = np.tanh(self.Wxh @ x + self.Whh @ self.context)
        e = np.exp(self.Why @ h)
        dy = e / e.sum() - target
        da = (1 - h**2) * (self.Why.T @ dy)
        self.Why -= self.lr * np.outer(dy, h)
        self.Wxh -= self.lr * np.outer(da, x)
        self.Whh -= self.lr * np.outer(da, self.context)
        self.context = h
        return -np.sum(target * np.log(e / e.sum()))
"""
    result = check(source)
    assert result.ok and "what is carried back is not compared" in " ".join(report(result).split())
    assert check(source, "(1 - h**2)", "(1 - h)").findings["Net.train_step"]["status"] == "wrong"
