"""`numpylm check` reads what other code does: packages that are not there, sizes, names, activations, numbers."""

import pytest
from foreign_code import SOURCES, changed

from numpylm.tutor.report import report

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
    "a cell's name before its weights'": (
        "network", ("self.Wxh", "self.rnn_Wxh"), ("self.Whh", "self.rnn_Whh"), ("d_Wxh", "d_rnn_Wxh"),
    ),
    "a dict of weights that a constructor is given": (
        "lstm_cell", ("self, input_size, hidden_size, learning_rate=0.1", "self, params"),
        ("self.H, n = hidden_size, hidden_size + input_size", "self.H = len(params['b_f'])"),
        ("[np.random.randn(hidden_size, n) for _ in range(4)]", "[params[k] for k in ('W_f', 'W_i', 'W_c', 'W_o')]"),
        ("[np.zeros((hidden_size, 1)) for _ in range(4)]", "[params[k] for k in ('b_f', 'b_i', 'b_c', 'b_o')]"),
    ),
    "a layer of an input and an output size": (
        "lstm_cell", ("hidden_size", "out_size"), ("input_size", "in_size"),
    ),
    "a cache of all that the forward returned": (
        "tuple", ("hs, ys, params)", "cache, params)"),
        ("    dWxh, dWhh, dWhy, dbh, dby =", "    hs, ys = cache\n    dWxh, dWhh, dWhy, dbh, dby ="),
    ),
    "a state of another name": ("min_char_rnn", ("hprev", "carry")),
    "the size of a global as a number inside a function": (
        "min_char_rnn", ("  loss = 0\n", "  loss = 0\n  H = 100\n  assert len(hs[-1]) == H\n"),
    ),
    "keys of weights in a comprehension": (
        "tuple", ("Wxh, Whh, Why, bh, by = params",
                  "Wxh, Whh, Why, bh, by = (params[k] for k in ('Wxh', 'Whh', 'Why', 'bh', 'by'))"),
        ("for p in params]", "for p in (Wxh, Whh, Why, bh, by)]"),
    ),
    "a training that a plain assignment would start": (
        "network", ("class Network", "def train(n):\n    while True: n += 1\nlosses = train(3)\n\nclass Network"),
        ("        y = self.Why", "        if not inputs: print(losses)\n        y = self.Why"),
    ),
    "a misspelt forward": ("network", ("def forward", "def farward")),
    "a misspelt backward": ("tuple", ("def rnn_backward", "def rnn_backword")),
    "a backward of any name": ("tuple", ("def rnn_backward", "def errors_of_the_weights")),
    "a limit of the gradients as a parameter": (
        "updates", ("learning_rate=0.001)", "learning_rate=0.001, grad_clip=1.0)"),
        ("d, -5, 5", "d, -grad_clip, grad_clip"),
    ),
    "numbers of letters as an argument": (
        "tuple", ("inputs, h0, params", "inputs, targets, chars, char_to_ix, h0, params"),
        ("ys, params", "ys, params, char_to_ix"),
        ("np\n", "np\n\ndef column(c, char_to_ix):\n    return np.eye(len(char_to_ix))[:, [char_to_ix[c]]]\n"),
        ("Wxh @ x", "Wxh @ column(x, char_to_ix)"), ("targets[t]", "column(targets[t], char_to_ix)"),
        ("inputs[t].T", "column(inputs[t], char_to_ix).T"),
    ),
    "tokens as the letters of a text": (
        "loss_method", ("inputs[t]", "self.ix(inputs[t])"), ("targets[t]", "self.ix(targets[t])"),
        ("    def lossFun",
         "    def ix(self, letter):\n        return sorted(set(self.text)).index(letter)\n    def lossFun"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", READ)
def test_what_other_code_does_is_read(check, what):
    name, *changes = READ[what]
    result = check(changed(SOURCES[name], *changes))
    assert result.ok and not result.unchecked and "no step came after" not in report(result), report(result)


def test_what_an_import_did_not_give_is_no_verdict(check):
    source = SOURCES["updates"].replace("import numpy as np", "import numpy as np\nfrom losses import derivative")
    result = check(source.replace("ys[t] - targets[t].reshape(-1, 1)", "derivative(targets[t].reshape(-1, 1), ys[t])"))
    finding = result.findings["Regressor.backward"]
    assert finding["status"] == "not checked" and "could not be run" in " ".join(finding["sentences"])


def test_entries_of_what_an_import_did_not_give_are_no_fault_of_the_code(check):
    source = changed(SOURCES["network"], ("import numpy as np", "import numpy as np\nfrom common import *"))
    finding = check(source, "        d_by = d_y", "        d_by, sums[0] = d_y, 1").findings["Network.backprop"]
    assert finding["status"] == "not checked" and "line 2 of your file could not be run" in str(finding), finding


def test_what_stands_before_the_state_is_not_taken_for_it(check):
    result = check("min_char_rnn", "targets, hprev)", "targets, what, hprev)")
    assert result.unchecked == {"lossFun": "the check does not know what `what` is"}


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
