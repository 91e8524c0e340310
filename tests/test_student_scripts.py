"""`numpylm check` reads loops of the top level, losses in methods of their own, and code for equal sizes alone."""

import pytest
from student_files import wrong_in

SCRIPT = """
import numpy as np
def sigmoid(a):
    return 1 / (1 + np.exp(-a))
hidden_dim, alpha, table = 16, 0.1, np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
W_in = 2 * np.random.random((2, hidden_dim)) - 1
W_out = 2 * np.random.random((hidden_dim, 1)) - 1
W_rec = 2 * np.random.random((hidden_dim, hidden_dim)) - 1
W_in_update, W_out_update, W_rec_update = 0 * W_in, 0 * W_out, 0 * W_rec
for j in range(10000):
    a, b = np.random.randint(128, size=2)
    overall, deltas, states = 0, [], [np.zeros((1, hidden_dim))]
    for place in range(7, -1, -1):
        X, y = np.array([[table[a, place], table[b, place]]]), np.array([[table[a + b, place]]])
        state = sigmoid(X @ W_in + states[-1] @ W_rec)
        output = sigmoid(state @ W_out)
        error = y - output
        deltas.append(error * output * (1 - output))
        overall += np.abs(error[0])
        states.append(state)
    carried = np.zeros((1, hidden_dim))
    for place in range(8):
        X = np.array([[table[a, place], table[b, place]]])
        state, before, delta = states[-place - 1], states[-place - 2], deltas[-place - 1]
        state_delta = (carried @ W_rec.T + delta @ W_out.T) * state * (1 - state)
        W_out_update += state.T @ delta
        W_rec_update += before.T @ state_delta
        W_in_update += X.T @ state_delta
        carried = state_delta
    W_in += W_in_update * alpha
    W_out += W_out_update * alpha
    W_rec += W_rec_update * alpha
    W_in_update, W_out_update, W_rec_update = 0 * W_in, 0 * W_out, 0 * W_rec
    print(overall)
"""


def test_a_loop_that_updates_weights_is_judged_by_the_steps_that_they_take(check):
    result = check(SCRIPT)
    assert result.ok and "half the squared error" in str(result.findings["training_loop"]["sentences"])


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [("carried = state_delta", "pass", ["W_in", "W_rec"]), ("+= state.T", "+= before.T", ["W_out"]),
     ("+= before.T", "+= state.T", ["W_rec"]), ("* state * (1 - state)", "* (1 - state)", ["W_in", "W_rec"])],
)  # fmt: skip
def test_a_wrong_line_of_such_a_loop_is_wrong(check, old, new, wrong):
    assert wrong_in(check(SCRIPT, old, new), "training_loop") == {f"d{name}" for name in wrong}


def test_a_delta_without_the_derivative_is_that_of_another_loss(check):
    result = check(SCRIPT, "error * output * (1 - output)", "error")
    assert result.ok and "squared" not in str(result.findings["training_loop"]["sentences"])


def test_a_loop_in_which_no_gradient_belongs_to_a_loss_is_not_judged(check):
    finding = check(SCRIPT, "(1 - output)", "(1 - output) ** 2").findings["training_loop"]
    assert finding["status"] == "not checked" and "no loss" in finding["sentences"][0]


LAST_STEP = """
import numpy as np
rows, hidden_size = 5, 8
X, Y = [np.eye(rows)[k] for k in (2, 0, 3, 1)], np.eye(rows)[4]
Wxh, Whh = np.random.randn(hidden_size, rows), np.random.randn(hidden_size, hidden_size)
Why = np.random.randn(rows, hidden_size)
bh, by = np.zeros((hidden_size, 1)), np.zeros((rows, 1))
learning_rate = 0.1
for epoch in range(1000):
    hs = {-1: np.zeros((hidden_size, 1))}
    for t, x in enumerate(X):
        hs[t] = np.tanh(Wxh @ x.reshape(-1, 1) + Whh @ hs[t - 1] + bh)
    e = np.exp(Why @ hs[len(X) - 1] + by)
    probs = e / e.sum()
    loss = -np.sum(Y * np.log(probs + 1e-9))
    dWxh, dWhh, dbh = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(bh)
    dy = probs - Y.reshape(-1, 1)
    dWhy, dby, dh = dy @ hs[len(X) - 1].T, dy, Why.T @ dy
    for t in reversed(range(len(X))):
        da = (1 - hs[t] ** 2) * dh
        dWxh, dWhh, dbh = dWxh + da @ X[t].reshape(1, -1), dWhh + da @ hs[t - 1].T, dbh + da
        dh = Whh.T @ da
    Wxh -= learning_rate * dWxh
    Whh -= learning_rate * dWhh
    Why -= learning_rate * dWhy
    bh -= learning_rate * dbh
    by -= learning_rate * dby
"""


def test_a_loop_over_one_sequence_whose_last_output_has_a_target(check):
    assert check(LAST_STEP).findings["training_loop"]["status"] == "ok"
    assert wrong_in(check(LAST_STEP, "dbh + da\n", "da\n"), "training_loop") == {"dbh"}


STEP = """
import numpy as np
class Cell:
    def forward(self, x, h_prev, Wxh, Whh, bh, Why, by):
        self.x, self.h_prev = x, h_prev
        self.h = np.tanh(Wxh @ x + Whh @ h_prev + bh)
        e = np.exp(Why @ self.h + by)
        self.p = e / e.sum(axis=0)
        return self.h, self.p
    def cost(self, y_true):
        self.y_true = y_true
        return -np.sum(y_true * np.log(self.p))
    def backward(self, dh_next, Why, Whh):
        dy = self.p - self.y_true
        da = (1 - self.h**2) * (Why.T @ dy + dh_next)
        return {"Wxh": da @ self.x.T, "Whh": da @ self.h_prev.T, "bh": da, "Why": dy @ self.h.T, "by": dy}
"""


def test_a_loss_may_be_in_a_method_of_its_own(check):
    assert check(STEP).ok
    assert wrong_in(check(STEP, "(1 - self.h**2) * (", "("), "Cell.backward") == {"dWxh", "dWhh", "dbh"}


def test_code_that_runs_for_equal_sizes_alone_is_judged_there_and_told(check):
    source = """
import numpy as np
class Cell:
    def __init__(self, Wx, Wh, b):
        self.params, self.grads = [Wx, Wh, b], [0 * Wx, 0 * Wh, 0 * b]
    def forward(self, h_pre, x):
        Wx, Wh, b = self.params
        self.cache = x, h_pre, np.tanh(Wx @ x + Wh @ h_pre + b)
        return self.cache[2]
    def backward(self, dh):
        (Wx, Wh, b), (x, h_pre, h) = self.params, self.cache
        da = dh * (1 - h**2)
        self.grads = [np.outer(x, da), np.outer(h_pre, da), da]
        return da @ Wx.T, da @ Wh.T
"""
    finding = check(source).findings["Cell.backward"]
    assert finding["status"] == "wrong" and "only where D, H and V are equal" in finding["sentences"][0]
    right = source.replace("(x, da)", "(da, x)").replace("(h_pre, da)", "(da, h_pre)").replace(".T", "")
    assert "equal" not in str(check(right).findings["Cell.backward"])  # its dx and dh_pre are wrong by a transpose
