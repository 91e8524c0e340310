"""`numpylm check` reads what other code does: packages that are not there, sizes, names, activations, numbers."""

import pytest
from foreign_code import SOURCES, check_changed
from student_files import check_in_child

from numpylm.tutor.report import report


@pytest.fixture
def check(tmp_path):
    return lambda *change, **options: check_changed(tmp_path, *change, **options)


READ = {  # what other code does, as changes of an example: all of it is right, and read
    "a base class and weights from a package that is not there": (
        "network", ("import numpy as np\n", "import numpy as np\nfrom .base import Layer\nfrom init import xavier\n"),
        ("class Network:", "class Network(Layer):"), ("randn(hidden_size, input", "xavier(hidden_size, input"),
    ),
    "weights that a constructor loads from a file that is not there": (
        "network", ("        self.bh = ", "        self.Whh = np.load('weights.npy')\n        self.bh = "),
    ),
    "sizes in one tuple": (
        "network", ("self, input_size, output_size, hidden_size=64", "self, sizes"),
        ("        self.Whh = randn", "        self.n_in, self.n_out, hidden_size = sizes\n        self.Whh = randn"),
        ("input_size", "self.n_in"), ("output_size", "self.n_out"),
    ),
    "a size that methods read among the globals": (
        "bptt", ("import numpy as np\n", "import numpy as np\nword_dim = len('helo')\n"),
        ("(len(x), self.word_dim)", "(len(x), word_dim)"),
    ),
    "other names of sizes, targets and probabilities": (
        "updates", ("input_size", "in_features"), ("output_size", "n_classes"), ("hidden_size", "no_neurons"),
        ("targets", "y_true_seq"),
    ),
    "numbers in place of vectors": (
        "updates", ("inputs[t].reshape(-1, 1)", "np.array([[inputs[t]]])"),
        ("inputs[t].reshape(1, -1)", "np.array([[inputs[t]]])"), ("targets[t].reshape(-1, 1)", "targets[t]"),
    ),
    "a small ε in a derivative": ("network", ("(1 - self.last_hs[t", "(1 + 1e-7 - self.last_hs[t")),
    "an activation of a package that is not there, as an object": (
        "network", ("import numpy as np\n", "import numpy as np\nfrom layers.activation import *\n"),
        ("            h = np.tanh(", "            self.act = Tanh()\n            h = self.act("),
        ("self.last_hs[i + 1] = h", "self.last_hs[i + 1] = h; self.slopes[i] = self.act.derivative()"),
        ("        self.last_hs = {0: h}", "        self.last_hs, self.slopes = {0: h}, {}"),
        ("(1 - self.last_hs[t + 1] ** 2)", "self.slopes[t]"),
    ),
    "states that may be left out, and other names of what comes in": (
        "nodes", ("def bottom_data_is(self, x, s_prev, h_prev)", "def forward(self, x, s_prev=None, h_prev=None)"),
        ("top_diff_is", "backward"), ("top_diff_h", "dh"), ("top_diff_s", "dL_plus_1_ds"),
    ),
    "U, V and W for the inputs, the states and the outputs, and a backward that may leave its weights out": (
        "tuple", ("Wxh", "U"), ("Whh", "V"), ("Why", "W"), ("bh", "b_hidden"), ("by", "b_out"),
        ("ys, params)", "ys, params=None)"),
    ),
    "gradients whose names end with d": (
        "tuple", ("dWxh", "Wxh_d"), ("dWhh", "Whh_d"), ("dWhy", "Why_d"), ("dbh", "bh_d"), ("dby", "by_d"),
    ),
    "a loss and its gradients in one method, by another name; a vocabulary that has a length": (
        "loss_method", ("lossFun", "loss_and_grads"), ("self, filename", "self, vocab"),
        ("        self.text = open(filename, encoding=\"utf-8\").read()\n", ""), ("set(self.text)", "vocab"),
    ),
    "weights under the names of Keras": ("built_late", ("self.W", "self.kernel"), ("self.U", "self.recurrent_kernel"),
                                         ("self.dW", "self.dkernel"), ("self.dU", "self.drecurrent_kernel")),
    "commands that a notebook has left in a script": (
        "globals", ("V, H, steps", "%matplotlib inline\n!ls\nV, H, steps"),
    ),
    "a misspelt forward": ("network", ("def forward", "def farward")),
}  # fmt: skip


@pytest.mark.parametrize("what", READ)
def test_what_other_code_does_is_read(check, what):
    name, *changes = READ[what]
    source = SOURCES[name]
    for change in changes:
        assert change[0] in source
        source = source.replace(*change)
    result = check(source)
    assert result.ok and not result.unchecked, report(result)


def test_what_an_import_did_not_give_is_no_verdict(check):
    source = SOURCES["updates"].replace("import numpy as np", "import numpy as np\nfrom losses import derivative")
    result = check(source.replace("ys[t] - targets[t].reshape(-1, 1)", "derivative(targets[t].reshape(-1, 1), ys[t])"))
    finding = result.findings["Regressor.backward"]
    assert finding["status"] == "not checked" and "could not be run" in " ".join(finding["sentences"])


def test_weights_of_rows_may_lie_as_hidden_units_by_inputs(check):
    source = """
import numpy as np
class RNN:
    def __init__(self, D, H):
        self.W_x, self.W_h, self.b = np.ones((H, D)), np.ones((H, H)), np.ones(H)
    def forward(self, x, h_prev):
        self.x, self.h_prev = x, h_prev
        self.h = np.tanh(x @ self.W_x.T + h_prev @ self.W_h.T + self.b)
        return self.h
    def backward(self, dh):
        da = dh * (1 - self.h ** 2)
        self.dW_x, self.dW_h, self.db = da.T @ self.x, da.T @ self.h_prev, da.sum(axis=0)
        return da @ self.W_x, da @ self.W_h
"""
    assert check(source).ok
    (said, *_) = check(source, "da.T @ self.h_prev", "da.T @ self.h").findings["RNN.backward"]["diagnosis"]
    assert said.startswith("Equation (1), dW_h")


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
    source = SOURCES["cs231n"].replace("\n", "\n    ").replace("def lstm_step_forward(", "def lstm_step_forward(self, ")
    source = source.replace("def lstm_step_backward(", "def lstm_step_backward(self, ")
    result = check(f"class Cells:\n    def __init__(self, checkpoint): pass\n    {source}")
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
    (package / "rnn.py").write_text(WITH_ACTIVATION)
    assert check_in_child(package, WITH_ACTIVATION, "rnn.py").ok
    alone = check_in_child(tmp_path, WITH_ACTIVATION).findings["RNN.backward"]  # its Tanh is not known
    assert alone["status"] == "not checked" and "could not be run" in " ".join(alone["sentences"])
