"""`numpylm check` on objects that go forward a step a call and back through all steps, and on absent modules."""

import pytest
from foreign_code import SOURCES, check_changed

from numpylm.tutor.report import report


@pytest.fixture
def check(tmp_path):
    return lambda *change, **options: check_changed(tmp_path, *change, **options)


def changed(source, *changes):
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source


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
    wrong = check(CELL, "da @ h_prev.T", "da @ h.T").findings["Cell.backward"]
    assert wrong["status"] == "wrong" and [row["name"] for row in wrong["table"]] == ["dWh"]
    wrong = check(CELL, "dh_next = self.Wh.T @ da", "dh_next = self.Wh @ da").findings["Cell.backward"]
    assert {row["name"] for row in wrong["table"]} == {"dWx", "dWh", "db", "dh_prev"}
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
    wrong = check(NETWORK, "self.V.T @ loss[t] + ", "").findings["Cell.backward"]
    assert {row["name"] for row in wrong["table"]} == {"dWx", "dWh", "db", "dh"}


READ = {  # what other code does, as changes of an example: all of it is right, and read
    "derivatives of an absent module, of what an activation returned": (
        "lstm_cell", ("sigmoid = lambda a: 1 / (1 + np.exp(-a))", "from .acts import sigmoid, tanh_function, dsigmoid"),
        ("class Cell", "from .acts import tanh_derivative\nclass Cell"), ("np.tanh", "tanh_function"),
        ("o * (1 - o)", "dsigmoid(o)"), ("1 - g ** 2", "tanh_derivative(g)"), ("f * (1 - f)", "dsigmoid(f)"),
    ),
    "derivatives of an absent module, of what an activation was given": (
        "network", ("import numpy as np\n", "import numpy as np\ntry:\n    from . import acts\nexcept: import acts\n"),
        ("            h = np.tanh(", "            a = "), ("+ self.bh)", "+ self.bh\n            h = acts.tanh(a)"),
        ("self.last_hs[i + 1] = h", "self.last_hs[i + 1], self.a[i] = h, a"),
        ("self.last_inputs = i", "self.a, self.last_inputs = {}, i"),
        ("(1 - self.last_hs[t + 1] ** 2) * d_h", "acts.tanh_backward(d_h, self.a[t])"),
    ),
    "an activation and its derivative as arguments of a constructor": (
        "network", ("self, input_size, output", "self, act_func, deriv_act_func, input_size, output"),
        ("        self.Whh = randn",
         "        self.act_func, self.deriv_act_func = act_func, deriv_act_func\n        self.Whh = randn"),
        ("np.tanh(", "self.act_func("), ("1 - self.last_hs[t + 1] ** 2", "self.deriv_act_func(self.last_hs[t + 1])"),
    ),
    "activations of an absent module as classes, with methods of other names": (
        "lstm_cell", ("sigmoid = lambda a: 1 / (1 + np.exp(-a))", "from .acts import Sigmoid, Tanh"),
        ("sigmoid(", "Sigmoid.fn("), ("np.tanh", "Tanh.fn"), ("o * (1 - o)", "Sigmoid.dfn(o)"),
        ("1 - g ** 2", "Tanh().prime(g)"),
    ),
    "a loss, its derivative and an output's activation as arguments of a constructor": (
        "tuple", ("def rnn_forward(", "class RNN:\n  def __init__(self, V, H, loss, grad_loss, out_act):\n    "
        "self.loss, self.grad_loss, self.out_act = loss, grad_loss, out_act\n    self.Wxh, self.Whh, self.Why = "
        "[np.random.randn(*n) for n in ((H, V), (H, H), (V, H))]\n    self.bh, self.by = np.zeros((H, 1)), "
        "np.zeros((V, 1))\n  def forward(self, "), ("h0, params)", "h0)"), ("\ndef rnn_backward(", "  def backward(self, "),
        ("ys, params)", "ys)"), ("= params", "= self.Wxh, self.Whh, self.Why, self.bh, self.by"),
        ("        e = np.exp(Why @ hs[-1] + by)\n", ""), ("e / e.sum()", "self.out_act(Why @ hs[-1] + by)"),
        ("ys[t] - targets[t]", "self.grad_loss(ys[t], targets[t]) + 0 * self.loss(ys[t], targets[t])"),
        ("for p in params]", "for p in (Wxh, Whh, Why, bh, by)]"),
    ),
    "weights from an absent module, made from a tuple": (
        "network", ("from numpy.random import randn", "from .init import xavier"), ("randn(", "xavier(("),
        (") / 1000", "))"),
    ),
    "names that only the program below defines": (
        "min_char_rnn", ("  loss = 0\n", "  loss = 0 * share\n"),
        ("def lossFun", "if __name__ == '__main__':\n  share = 0.5\n  lossFun = None\ndef lossFun"),
    ),
    "a size as a number inside functions": (
        "tuple", ("    hs, ys = [h0], []\n", "    hs, ys = [h0], []\n    vocab_size = 27\n"),
        ("Wxh @ x +", "Wxh @ np.reshape(x, (vocab_size, 1)) +"),
    ),
    "gradients that say of what": ("bptt", ("dLdU", "dCdU"), ("dLdV", "dLwrtV"), ("dLdW", "dE_dW")),
    "a list of gradients beside the loss": (
        "tuple",
        ("    return dWxh, dWhh, dWhy, dbh, dby", "    grads = [dWxh, dWhh, dWhy, dbh, dby]\n    return 0.0, grads"),
    ),
    "a forward that is called as the object": (
        "packed", ("def forward", "def __call__"), ("def backward", "def backwards"),
    ),
    "f_prop and b_prop": ("network", ("def forward", "def f_prop"), ("def backprop", "def b_prop")),
    "one parameter of an unknown name": ("built_late", ("dout", "signal")),
    "a gradient of the output beside those of the states, in a step": (
        "lstm_cell",
        ("self.W_f, self", "self.Wy = np.random.randn(hidden_size + 2, hidden_size)\n        self.W_f, self"),
        ("return h, c, (z", "return h, c, self.Wy @ h, (z"), ("self, dh_next,", "self, dJ_dy, dh_next,"),
        ("        z, c_prev,", "        dWy, dh_next = dJ_dy @ h.T, dh_next + self.Wy.T @ dJ_dy\n        z, c_prev,"),
        ("z, c_prev, f, i, o, g, c = cache", "z, c_prev, f, i, o, g, c, h = cache"), ("o, g, c)", "o, g, c, h)"),
        ("        dWy, dh_next =", "        h = cache[-1]\n        dWy, dh_next ="),
        ("return dW_f", "return dWy, dW_f"),
    ),
    "a third state": ("min_char_rnn", ("hprev", "hprev3")),
    "U, V and W as arguments of a step": (
        "tuple", ("params)", "U, W, V, bh, by)"), ("    Wxh, Whh, Why, bh, by = params\n", ""),
        ("Wxh", "U"), ("Whh", "W"), ("Why", "V"), ("for p in params]", "for p in (U, W, V, bh, by)]"),
    ),
    "a shape that is taken apart": (
        "optimizer_layer", ("timesteps, input_dim = self.input_shape", "input_dim = self.input_shape[1]"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", READ)
def test_what_other_code_does_is_read(check, what):
    name, *changes = READ[what]
    result = check(changed(SOURCES[name], *changes))
    assert result.ok and not result.unchecked, report(result)


def test_a_derivative_that_may_be_of_either_is_not_guessed(check):
    source = changed(SOURCES["network"], ("import numpy as np\n", "import numpy as np\nfrom .acts import dtanh\n"))
    source = changed(source, ("(1 - self.last_hs[t + 1] ** 2)", "dtanh(self.last_hs[t + 1])"))
    finding = check(source).findings["Network.backprop"]
    assert finding["status"] == "not checked" and "dtanh" in str(finding["sentences"])


OUTPUTS = """
import numpy as np
def rnn_forward(x, a0, parameters):
    Wax, Waa, Wya, ba, by = (parameters[name] for name in ("Wax", "Waa", "Wya", "ba", "by"))
    a, caches = a0, []
    for t in range(x.shape[2]):
        a_prev, a = a, np.tanh(Wax @ x[:, :, t] + Waa @ a + ba)
        caches.append((x[:, :, t], a_prev, a))
    return a, np.maximum(Wya @ a + by, 0), caches
def backpropagation(X, AL, Y, parameters, caches):
    dy = 0.37 * (AL - Y) * (AL > 0)
    return parameters["Wya"].T @ dy, dy @ caches[-1][2].T, dy.sum(axis=1, keepdims=True)
"""


def test_the_gradients_of_the_output_layer_alone_are_no_verdict(check):
    for seed in range(2):
        finding = check(OUTPUTS, seed=seed).findings["backpropagation"]
        assert finding["status"] == "not checked", finding


def test_an_output_of_one_number_does_not_fit_every_loss(check):
    backward = "    return parameters"
    made = """    da, grads = parameters["Wya"].T @ dy, dict.fromkeys(("Wax", "Waa", "ba"), 0)
    for x, a_prev, a in reversed(caches):
        da = da * (1 - a**2)
        for name, q in (("Wax", x), ("Waa", a_prev), ("ba", np.ones((1, len(a[0]))))):
            grads[name] = grads[name] + da @ q.T
        da = parameters["Waa"].T @ da
    return {"dWya": dy @ caches[-1][2].T, "dby": dy, "da0": da, **{f"d{name}": q for name, q in grads.items()}}
"""
    source = OUTPUTS.partition(backward)[0] + made
    assert check(source).findings["backpropagation"]["status"] == "not checked"
