"""`numpylm check` on what a file's own calls say, on weights set late, on losses of the last step, and on crashes."""

import ast
from types import SimpleNamespace

import numpy as np
import pytest
from foreign_code import SOURCES, assert_read, changed

from numpylm.tutor.foreign import verdicts
from numpylm.tutor.foreign.claims import spread
from numpylm.tutor.foreign.conventions import word_of
from numpylm.tutor.foreign.units import Unit
from numpylm.tutor.process.parsing import from_python_2

LOSS = ("        n = len", "        d_y = self.y - targets\n        loss = (d_y**2).sum() / 2\n        n = len")
LEARN = """    def learn(self, x, d):
        (_, h_n, kept), _ = self.forward(x), self.forward(x)
        out, h_n, kept = self.forward(x)
        self.backprop(d, h_n, kept, 0.1)
"""
READ = {  # what other code does, as changes of an example: all of it is right, and read
    "values of the forward under the names that a caller gives them": (
        "network", ("return y, h", "return y, h, self.last_hs"),
        ("(self, d_y, learn_rate", "(self, d_y, end, mid, rate"), ("self.last_hs[t", "mid[t"),
        ("self.Why.T @ d_y", "self.Why.T @ d_y + 0 * end"), ("learn_rate * d", "rate * d"),
        ("    def backprop", f"{LEARN}    def backprop"),
    ),
    "a value of the forward under a name that a caller has for it": (
        "network", ("d_y, learn_rate", "d_y, final, learn_rate"), ("= d_y @ self.last_hs[n]", "= d_y @ final"),
        ("    def backprop", "    def predict_all(self, x):\n        out, final = self.forward(x)\n    def backprop"),
    ),
    "targets called y beside an output of this name, in a backward that calls the forward": (
        "bptt", ("return [o, s]", "y = o\n        return s, y"), ("o, s = self.forward", "s, o = self.forward"),
    ),
    "weights that are empty until a method sets them up": (
        "network", ("input_size", "input_num"),
        ("(self, input_num, output_size, hidden_size=64):",
         "(self):\n        self.Whh = self.Wxh = self.Why = np.array([])\n"
         "    def setup(self, input_num, output_size, hidden_size=64):"),
    ),
    "a size as the default of a function inside": (
        "tuple", ("Wxh @ x +", "Wxh @ column(x) +"),
        ("def rnn_forward(", "def column(x, vocab_size=27):\n    return np.reshape(x, (vocab_size, 1))\n"
         "def rnn_forward("),
    ),
    "sizes that the command line gives": (
        "min_char_rnn", ("hidden_size = 100", "import argparse\noptions = argparse.ArgumentParser().parse_args()\n"
                         "hidden_size = 100\nB = options.batchsize"),
        ("np.zeros((vocab_size,1))", "np.zeros((vocab_size, B))"),
    ),
    "a forward beside another that calls it": (
        "bptt", ("return [o, s]", "return o, s"),
        ("    def bptt(self, x, y):\n        o, s = self.forward_propagation(x)\n",
         "    def encode_forward(self, x):\n        return self.forward_propagation(x)[1]\n"
         "    def bptt(self, x, y, o, s):\n"),
    ),
    "a backward that returns the loss of what the forward kept": (
        "network", ("d_y, learn_rate=2e-2", "targets, learn_rate"), LOSS, ("y = self.Why", "y = self.y = self.Why"),
        ("self.by -= learn_rate * d_by", "self.by -= learn_rate * d_by\n        return loss"),
    ),
    "a backward that returns the loss and calls the forward, which goes on from the last state": (
        "network", ("self, d_y, learn_rate=2e-2", "self, inputs, targets, learn_rate"),
        (LOSS[0], f"        self.forward(inputs)\n{LOSS[1]}"), ("y = self.Why", "y = self.y = self.Why"),
        ("        h = np.zeros((self.Whh.shape[0], 1))\n", "        h = self.h\n"),
        ("return y, h", "self.h = h\n        return y, h"),
        ("        self.bh = ", "        self.h = np.zeros((hidden_size, 1))\n        self.bh = "),
        ("self.by -= learn_rate * d_by", "self.by -= learn_rate * d_by\n        return loss"),
    ),
    "a loss that a method called run calls": (
        "loss_method", ("        self.text =", "        self.at = 0\n        self.text ="),
        ("hprev):\n", "hprev):\n        self.seen = self.at\n"),
        ("    def lossFun", "    def run(self, x, h):\n        self.at = 0\n"
         "        loss, *d, h = self.lossFun(x[:-1], x[1:], h)\n    def lossFun"),
    ),
    "weights of two layers, none of a known name": (
        "network", ("Whh", "Whh1"), ("Wxh", "Wxh1"), ("self.bh", "self.bh1"),
    ),
    "gradients in the object, called dLdW": (
        "network", ("d_W", "q_W"), ("d_b", "q_b"), ("        self.Wxh -= learn_rate * q_Wxh\n", ""),
        ("self.Whh -= learn_rate * q_Whh", "self.dLdWhh, self.dLdWxh = q_Whh, q_Wxh"),
        ("self.Why -= learn_rate *", "self.dLdWhy ="), ("self.bh -= learn_rate *", "self.dLdbh ="),
        ("self.by -= learn_rate *", "self.dLdby ="),
    ),
    "a function beside it that writes into what an array has": (
        "cs231n", ("def sigmoid(x):", "def flat(q, n):\n    q.shape = (n,)\n    return q\n\ndef sigmoid(x):"),
    ),
    "weights of sizes that are set late, by a method called weight_initializer": (
        "network", ("self, input_size, output_size, hidden_size=64):\n",
                    "self, hidden_size=64):\n        self.n = hidden_size\n    def weight_initializer(self):\n"
                    "        hidden_size, input_size, output_size = self.n, self.num_features, self.class_size\n"),
    ),
    "the truncation of a constructor": ("loss_method", ("self, filename", "self, filename, bptt")),
    "states before that are called hp and sp": ("lstm_loss", ("hprev", "hp"), ("cprev", "sp")),
    "a share that dropout leaves out": (
        "network", ("self, inputs)", "self, inputs, dropout_p)"),
        ("self.Why @ h +", "(1 - int(dropout_p)) * self.Why @ h +"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", READ)
def test_what_other_code_does_is_read(check, what):
    assert_read(check, *READ[what])


EVENT = changed(
    SOURCES["network"], ("return y, h", "return y, (h, self.a)"), ("d_y, learn_rate=2e-2", "y, y_true"),
    ("output_size, hidden_size=", "hidden_size="), ("randn(output_size,", "randn(1,"), ("(output_size, 1)", "(1, 1)"),
    ("y = self.Why @ h + self.by", "self.a = self.Why @ h + self.by\n        y = 1 / (1 + np.exp(-self.a))"),
    ("        n = len", "        d_y = y - y_true\n        n = len"),
    ("        for d in", "        return [{'Wxh': d_Wxh, 'Whh': d_Whh, 'bh': d_bh}], d_Why, d_by\n        for d in"),
)  # fmt: skip


def test_one_value_of_the_logits_is_not_taken_for_a_probability(check):
    for seed in range(6):  # in some it lies between 0 and 1
        assert check(EVENT, seed=seed).ok, seed
    wrong = check(EVENT, "d_h = self.Whh.T", "d_h = self.Whh").findings["Network.backprop"]
    assert wrong["status"] == "wrong" and "dWhh" in str(wrong["table"]) and "dWhy" not in str(wrong["table"])


NEURON = """
import numpy as np
class Neuron:
    def __init__(self, input_size, hidden_size):
        self.W_x, self.W_h = np.ones((hidden_size, input_size)), np.ones((hidden_size, hidden_size))
        self.W_y, self.b, self.b_y = np.ones(hidden_size), np.zeros((hidden_size, 1)), np.zeros(1)
        self.state = np.zeros((hidden_size, 1))
    def forward(self, x, prev_hidden=None):
        if prev_hidden is not None:
            self.state = prev_hidden
        self.before = self.state
        self.state = np.tanh(self.W_x @ x.reshape(-1, 1) + self.W_h @ self.state + self.b)
        output = self.W_y @ self.state + self.b_y
        return output[0], self.state.copy()
    def backward(self, x, state, output, target, rate):
        error = output - target
        da = error * self.W_y[:, None] * (1 - state ** 2)
        self.W_y -= rate * error * state[:, 0]
        self.b_y -= rate * error
        self.W_x -= rate * da @ x.reshape(1, -1)
        self.W_h -= rate * da @ self.before.T
        self.b -= rate * da
"""


def test_a_step_with_one_output_is_judged_from_the_state_that_it_may_be_given(check):
    assert check(NEURON).ok
    finding = check(NEURON, "self.before.T", "state.T").findings["Neuron.backward"]
    assert [(row["name"], row["right"] != 0) for row in finding["table"]] == [("dW_h", True)]


def test_what_is_left_as_dh_next_is_the_gradient_of_the_state_that_may_be_given(check):
    start, end = "h = np.zeros((self.Whh.shape[0], 1))", "self.by -= learn_rate * d_by"
    source = changed(
        SOURCES["network"], ("self, inputs)", "self, inputs, h_prev=None)"),
        (start, f"{start} if h_prev is None else h_prev"),
        (end, f"{end}\n        dh_next = d_h\n        return dh_next"),
    )  # fmt: skip
    assert check(source).ok
    wrong = check(source, "dh_next = d_h", "dh_next = 2 * d_h").findings["Network.backprop"]
    assert [row["name"] for row in wrong["table"]] == ["dh_prev"]


def test_a_forward_without_parameters_is_no_layer(check):
    source = changed(NEURON, ("input_size, h", "what, input_size, h"), ("(self, x, prev_hidden=None", "(self"),
                     ("(self, x, state, output, target,", "(self, error,"))  # fmt: skip
    assert "`what`" in check(source).unchecked["Neuron.backward"]


def test_the_gradients_of_one_layer_in_a_list_have_its_names():
    layer, texts = {"Wx": np.ones(2)}, ["layer_grads", "dWy"]
    assert [name for name, _ in spread(([layer], np.ones(3)), texts, ["Wx"])] == ["dWx", "dWy"]
    assert [name for name, _ in spread(([layer, layer], np.ones(3)), texts, ["Wx"])] == texts


def test_a_backward_that_gets_all_it_needs_and_fails_has_crashed(check):
    source = changed(SOURCES["tuple"], ("def rnn_forward(inputs, h0,", "def rnn_forward(inputs, targets, h0,"), (
        "    return hs, ys", "    loss = -sum(np.log(y[list(np.ravel(t)).index(1), 0]) for y, t in zip(ys, targets))\n"
        "    return loss, hs, ys"))  # fmt: skip
    assert check(source).ok
    finding = check(source, "da @ hs[t].T", "da @ hs.T").findings["rnn_backward"]
    assert finding["status"] == "crash" and "'list' object has no attribute 'T'" in str(finding["sentences"])


def test_each_other_way_of_reading_a_backward_has_the_whole_time(monkeypatch):
    left, child = [], SimpleNamespace(process=1, seconds=10, left=10)

    def findings_of(file, unit):
        left.append(file.child.left)
        file.child.left = 1
        return {unit.name: {"status": "not checked", "sentences": []}}

    monkeypatch.setattr(verdicts, "findings_of", findings_of)
    unit = Unit("backward", "forward", "", (), (), {}, [], [])
    verdicts.judge_unit(SimpleNamespace(child=child), unit._replace(again=lambda: iter([unit, unit])))
    assert left == [10, 10, 10]


STEP = """
def rnn_cell_backward(da_next, cache, y_hat, parameters, xt):
    a_next, a_prev, _, _ = cache
    da = (1 - a_next**2) * (parameters["Wya"].T @ y_hat + da_next)
    return {"dWya": y_hat @ a_next.T, "dWaa": da @ a_prev.T, "da_prev": parameters["Waa"].T @ da}
"""


def test_a_step_that_makes_gradients_of_an_output_to_which_none_comes_in_is_not_judged(check):
    finding = check(SOURCES["coursera"].partition("def rnn_forward")[0] + STEP).findings["rnn_cell_backward"]
    assert finding["status"] == "not checked" and "it makes dWya, but" in str(finding["sentences"])


def test_a_print_over_several_lines_of_python_2():
    text = "if x:\n  print ('a %d' \\\n    % (1,\n    2))\n  y = 1\n  print 'b', \\\n    x\n  z = 2\n"
    assert " ".join(ast.unparse(from_python_2(text)).split()) == "if x: pass y = 1 pass z = 2"


def test_names_of_targets_and_sizes():
    words = {"y_onehot": "targets", "y_sent": "targets", "input_num": "size V", "X_embedded": "inputs"}
    assert {name: word_of(name) for name in words} == words


def test_the_limit_of_an_absent_module_leaves_gradients_as_they_are(check):
    grads = "        d_Wxh, d_Whh = clip_all([d_Wxh, d_Whh], 5)\n        for d in"
    source = changed(SOURCES["network"], ("import numpy as np\n", "import numpy as np\nfrom .limits import clip_all\n"))
    assert check(source, "        for d in", grads).ok
