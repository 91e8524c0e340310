"""`numpylm check` on objects that go forward a step a call and back through all steps, and on other layouts."""

from foreign_code import SOURCES, changed
from student_files import wrong_in

from numpylm.tutor.report import report

CELL = """
import numpy as np
class Cell:
    def __init__(self, input_size, hidden_size):
        self.hidden_size = hidden_size
        self.Wx, self.Wh = np.random.randn(hidden_size, input_size), np.random.randn(hidden_size, hidden_size)
        self.b, self.steps = np.zeros((hidden_size, 1)), []
    def forward(self, x, h_prev):
        h = np.tanh(self.Wx @ x + self.Wh @ h_prev + self.b)
        self.steps.append((x, h_prev, h))
        return h
    def backward(self, dhs, clip=5.0):
        self.dWx, self.dWh, self.db = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.b)
        dh_next = np.zeros((self.hidden_size, 1))
        for t in reversed(range(len(self.steps))):
            x, h_prev, h = self.steps[t]
            da = (1 - h**2) * (dhs[t] + dh_next)
            self.dWx += da @ x.T; self.dWh += da @ h_prev.T; self.db += da.sum(axis=1, keepdims=True)
            dh_next = self.Wh.T @ da
        for d in (self.dWx, self.dWh, self.db): np.clip(d, -clip, clip, out=d)
        return dh_next
"""


def test_a_forward_of_one_step_is_called_for_every_step_of_a_backward_through_all(check):
    right = check(CELL)
    assert right.ok and "not compared" not in report(right)
    assert wrong_in(check(CELL, "da @ h_prev.T", "da @ h.T"), "Cell.backward") == {"dWh"}
    assert wrong_in(check(CELL, "self.Wh.T @ da", "self.Wh @ da"), "Cell.backward") == {"dWx", "dWh", "db", "dh_prev"}
    assert check(CELL, ", clip=5.0", ", clip=None").findings["Cell.backward"]["status"] == "ok"


NETWORK = changed(
    CELL,
    ("self.b, self.steps = np.zeros((hidden_size, 1)), []",
     "self.b, self.V = np.zeros((hidden_size, 1)), np.random.randn(output_size, hidden_size)"),
    ("input_size, hidden_size):", "input_size, hidden_size, output_size):"),
    ("    def forward(self, x, h_prev):\n", "    def reset(self):\n        self.steps, self.h = [], "
     "np.zeros((self.hidden_size, 1))\n    def forward(self, x):\n        h_prev = self.h\n"),
    ("        return h\n", "        self.h = h\n        return self.V @ h\n"),
    ("self, dhs, clip=5.0", "self, xs, loss"), ("-clip, clip", "-5, 5"), ("self.db = np", "self.db, self.dV = np"),
    ("np.zeros_like(self.b)\n", "np.zeros_like(self.b), np.zeros_like(self.V)\n"),
    ("x, h_prev, h = self.steps[t]", "_, h_prev, h = self.steps[t]; x = xs[t]; self.dV += loss[t] @ h.T"),
    ("dhs[t]", "self.V.T @ loss[t]"),
)  # fmt: skip


def test_what_is_called_the_targets_may_be_the_gradient_that_comes_in(check):
    right = check(NETWORK)
    assert right.ok and "the gradient that it is given" in report(right)
    assert wrong_in(check(NETWORK, "self.V.T @ loss[t] + ", ""), "Cell.backward") == {"dWx", "dWh", "db", "dh"}


def test_a_limit_inside_a_backward_is_told(check):
    finding = check(CELL, "-clip, clip", "-5, 5", seed=1).findings["Cell.backward"]
    assert finding["status"] == "wrong" and "Does it clip" in finding["sentences"][0]
    one = changed(CELL, ("da.sum(axis=1, keepdims=True)", "da"), ("-clip, clip", "-5, 5"))  # sequence at a time
    assert "Does it clip" in check(one, seed=1).findings["Cell.backward"]["sentences"][0]


ROWS = """
import numpy as np
class Net:
    def __init__(self, input_size, hidden_size, output_size):
        self.Wxh, self.Whh = np.random.randn(input_size, hidden_size), np.random.randn(hidden_size, hidden_size)
        self.Why, self.bh = np.random.randn(hidden_size, output_size), np.zeros((1, hidden_size))
    def forward(self, X):
        self.X, self.hs = X, np.zeros((len(X), X.shape[1] + 1, len(self.Whh)))
        for t in range(X.shape[1]):
            self.hs[:, t + 1] = np.tanh(X[:, t] @ self.Wxh + self.hs[:, t] @ self.Whh + self.bh)
        return self.hs[:, 1:] @ self.Why
    def backward(self, dlogits):
        dWxh, dWhh, dbh, dx, dh = 0, 0, 0, np.zeros_like(self.X), 0
        dWhy = np.einsum("nth,ntv->hv", self.hs[:, 1:], dlogits)
        for t in reversed(range(self.X.shape[1])):
            da = (dlogits[:, t] @ self.Why.T + dh) * (1 - self.hs[:, t + 1] ** 2)
            dWxh, dWhh, dbh = dWxh + self.X[:, t].T @ da, dWhh + self.hs[:, t].T @ da, dbh + da.sum(axis=0)
            dx[:, t], dh = da @ self.Wxh.T, da @ self.Whh.T
        self.kept_grads = {"Wxh": dWxh, "Whh": dWhh, "Why": dWhy, "bh": dbh}
        return dx
"""


def test_the_gradient_of_inputs_in_any_layout(check):
    assert check(ROWS).ok and "not compared" not in report(check(ROWS))
    wrong = check(ROWS, "return dx", "dx = dx[:, ::-1]\n        return dx")
    assert wrong_in(wrong, "Net.backward") == {"dx"}
    assert wrong.findings["Net.backward"]["diagnosis"][0] == "dx: it is right, but reversed along axis 1"
    assert wrong_in(check(ROWS, "bh + da", "bh - da"), "Net.backward") == {"dbh"}
    columns = changed(
        SOURCES["network"],
        ("        d_Why = d_y", "        d_x = np.zeros((n, self.Wxh.shape[1], 1))\n        d_Why = d_y"),
        ("            d_h = ", "            d_x[t] = self.Wxh.T @ temp\n            d_h = "),
        ("self.by -= learn_rate * d_by", "self.by -= learn_rate * d_by\n        return d_x"),
    )  # fmt: skip
    assert check(columns).ok
    assert wrong_in(check(columns, "d_x[t] =", "d_x[-t] ="), "Network.backprop") == {"d_x"}


def test_a_sequence_is_not_taken_for_a_batch_of_single_steps(check):
    last = changed(
        ROWS, ("np.tanh(X", "0.9 * np.tanh(X"), ("nth,ntv", "nh,nv"), ("self.hs[:, 1:]", "self.hs[:, -1]"),
        ("(1 - self.hs[:, t + 1] ** 2)", "(0.9 - self.hs[:, t + 1] ** 2 / 0.9)"),
        ("np.zeros_like(self.X), 0", "np.zeros_like(self.X), dlogits @ self.Why.T"),
        ("(dlogits[:, t] @ self.Why.T + dh)", "dh"),
    )  # fmt: skip
    assert check(last).ok and "zero is right" not in report(check(last))
    assert wrong_in(check(last, "dWhh + self", "dWhh - self"), "Net.backward") == {"dWhh"}


COLUMNS = """
import numpy as np
class Net:
    def __init__(self, n_neurons, n_features):
        self.U, self.W = np.random.randn(n_neurons, n_features), np.random.randn(n_neurons, n_neurons)
        self.b = np.zeros((n_neurons, 1))
    def forward(self, X):
        self.X, self.H = X, np.zeros((len(X), X.shape[1] + 1, len(self.b)))
        for n in range(len(X)):
            for t in range(X.shape[1]):
                a = self.U @ X[n, t].reshape(-1, 1) + self.W @ self.H[n, t].reshape(-1, 1) + self.b
                self.H[n, t + 1] = np.tanh(a).ravel()
        return self.H[:, 1:]
    def backward(self, dH):
        self.dU, self.dW, self.db = np.zeros_like(self.U), np.zeros_like(self.W), np.zeros_like(self.b)
        for n in range(len(self.X)):
            dh = np.zeros_like(self.b)
            for t in reversed(range(self.X.shape[1])):
                da = (dH[n, t].reshape(-1, 1) + dh) * (1 - self.H[n, t + 1].reshape(-1, 1) ** 2)
                self.dU += da * self.X[n, t]; self.dW += da * self.H[n, t]; self.db += da
                dh = self.W.T @ da
"""


def test_weights_of_columns_beside_data_of_rows(check):
    assert check(COLUMNS).ok
    wrong = check(COLUMNS, "            dh = np.zeros_like(self.b)\n", "            dh = dh if n else 0\n")
    assert wrong.findings["Net.backward"]["status"] == "wrong"


OBJECT = """
import numpy as np
m, K = 100, 80
class RNN: pass
rnn = RNN()
rnn.b, rnn.c = np.zeros((m, 1)), np.zeros((K, 1))
rnn.U, rnn.W, rnn.V = np.random.randn(m, K), np.random.randn(m, m), np.random.randn(K, m)
Y = np.random.rand(K, 25)
def compute_gradients(rnn, X, Y, h0):
    H, P, grads = [h0], [], {name: 0 for name in "UWVbc"}
    for t in range(X.shape[1]):
        H.append(np.tanh(rnn.U @ X[:, [t]] + rnn.W @ H[-1] + rnn.b))
        e = np.exp(rnn.V @ H[-1] + rnn.c)
        P.append(e / e.sum())
    loss, dh = -np.log((np.hstack(P) * Y).sum(axis=0)).sum(), 0
    for t in reversed(range(X.shape[1])):
        dy = P[t] - Y[:, [t]]
        da = (rnn.V.T @ dy + dh) * (1 - H[t + 1] ** 2)
        for name, q in zip("UWVbc", (da @ X[:, [t]].T, da @ H[t].T, dy @ H[t + 1].T, da, dy)):
            grads[name] = grads[name] + q
        dh = rnn.W.T @ da
    return loss, grads
"""


def test_the_weights_may_be_those_of_an_object_that_is_an_argument(check):
    assert check(OBJECT).ok and "does not find" not in report(check(OBJECT))
    wrong = check(OBJECT, "rnn.W.T @ da", "rnn.W @ da").findings["compute_gradients"]
    assert {row["name"] for row in wrong["table"]} == {"dU", "dW", "db"} and wrong["table"][0]["shape"][0] == 5


OUTPUTS = """
import numpy as np
def rnn_forward(x, a0, parameters):
    Wax, Waa, Wya, ba, by = (parameters[name] for name in ("Wax", "Waa", "Wya", "ba", "by"))
    (n_x, m, T_x), a, caches = x.shape, a0, []
    assert Wax.shape == (len(a0), n_x)
    for t in range(T_x):
        a_prev, a = a, np.tanh(Wax @ x[:, :, t] + Waa @ a + ba)
        caches.append((x[:, :, t], a_prev, a))
    y_pred = np.maximum(Wya @ a + by, 0)
    return a, y_pred, caches
def backpropagation(X, AL, Y, parameters, caches):
    dy = (AL - np.reshape(Y, (len(AL), -1))[:, -1:]) * (AL > 0)
    dA, dWya, dby = parameters["Wya"].T @ dy, dy @ caches[-1][2].T, dy.sum(axis=1, keepdims=True)
    return dA, dWya, dby
"""


def test_what_may_be_anything_is_not_taken_for_targets_that_have_a_name(check):
    result = check(changed(OUTPUTS, ("X, AL, Y", "X, final, Y"), ("(AL", "(final")))
    assert "`final`" in result.unchecked["backpropagation"]


def test_the_gradients_of_the_output_layer_alone_are_no_verdict(check):
    finding = check(OUTPUTS).findings["backpropagation"]
    assert finding["status"] == "not checked" and "output layer alone" in finding["sentences"][0]
    returned = "return loss, dWxh, dWhh, dWhy, dbh, dby, hs"
    finding = check("min_char_rnn", returned, "return loss, dWhy, dby, hs").findings["lossFun"]
    assert finding["status"] == "not checked" and "output layer alone" in finding["sentences"][0]


def test_an_output_of_one_number_does_not_fit_every_loss(check):
    back = """
    da, grads = dA, dict.fromkeys(("Wax", "Waa", "ba"), 0)
    for x, a_prev, a in reversed(caches):
        da = da * (1 - a**2)
        for name, q in (("Wax", x), ("Waa", a_prev), ("ba", np.ones((1, len(a[0]))))):
            grads[name] = grads[name] + da @ q.T
        da = parameters["Waa"].T @ da
    return {"dWya": dWya, "dby": dby, "da0": da, **{f"d{name}": q for name, q in grads.items()}}
"""
    source = changed(OUTPUTS, ("\n    return dA, dWya, dby\n", back), ("dy = ", "dy = 0.37 * "))
    finding = check(source, "    dA,", "    assert len(AL) == 1\n    dA,", seed=0).findings["backpropagation"]
    assert finding["status"] == "not checked" and "no loss" in str(finding["sentences"])
