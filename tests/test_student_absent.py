"""`numpylm check` on code whose modules are absent, or whose names and arguments are unlike those of any course."""

import pytest
from foreign_code import SOURCES, assert_read, changed
from student_files import told, wrong_in

from numpylm.tutor.foreign.conventions import role_of

LOGS = (
    ("import numpy as np\n", "import numpy as np\nfrom .tools import Log\n"),
    ("        self.by = np.zeros", "        self.log = Log(True)\n        self.by = np.zeros"),
    ("            self.last_hs[i + 1] = h", "            self.last_hs[i + 1] = h\n            self.log.note('h', h)"),
)
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
        ("1 - g ** 2", "Tanh().prime(g)"), ("f * (1 - f)", "Sigmoid.derivative(f)"),
        ("i * (1 - i)", "Sigmoid().gradient(i)"),
    ),
    "a loss, its derivative and an output's activation as arguments of a constructor": (
        "tuple", ("def rnn_forward(", "class RNN:\n  def __init__(self, V, H, loss, loss_grad, out_act):\n    "
        "self.loss, self.loss_grad, self.out_act = loss, loss_grad, out_act\n    self.Wxh, self.Whh, self.Why = "
        "[np.random.randn(*n) for n in ((H, V), (H, H), (V, H))]\n    self.bh, self.by = np.zeros((H, 1)), "
        "np.zeros((V, 1))\n  def forward(self, "),
        ("h0, params)", "h0)"), ("\ndef rnn_backward(", "  def backward(self, "),
        ("ys, params)", "ys)"), ("= params", "= self.Wxh, self.Whh, self.Why, self.bh, self.by"),
        ("        e = np.exp(Why @ hs[-1] + by)\n", ""), ("e / e.sum()", "self.out_act(Why @ hs[-1] + by)"),
        ("ys[t] - targets[t]", "self.loss_grad(ys[t], targets[t]) + 0 * self.loss(ys[t], targets[t])"),
        ("for p in params]", "for p in (Wxh, Whh, Why, bh, by)]"),
    ),
    "zeros of an absent module, made from sizes": (
        "network", ("import numpy as np\n", "import numpy as np\nimport deep.init as init\n"),
        ("np.zeros((self.Whh.shape[0], 1))", "init.zeros(self.Whh.shape[0], 1)"),
    ),
    "weights from an absent module, made from a tuple": (
        "network", ("from numpy.random import randn", "from .init import xavier"), ("randn(", "xavier(("),
        (") / 1000", "))"),
    ),
    "names that only the program below defines": (
        "min_char_rnn", ("  loss = 0\n", "  loss = 0 * share\n"),
        ("def lossFun", "if __name__ == '__main__':\n  share = 0.5\ndef lossFun"),
    ),
    "a program below that calls what it makes by the name of its class": (
        "network", ("        self.by -= learn_rate * d_by", "        self.by -= learn_rate * d_by\n"
        "if __name__ == '__main__':\n    Network = Network(3, 4)"),
    ),
    "a layer that is compiled for a shape, and an encoder": (
        "built_late", ("def build(self, input_dim)", "def compile(self, input_shape)"), ("input_dim", "input_shape[2]"),
        ("self.build(x.shape[2])", "self.compile(x.shape)"),
    ),
    "an object of an absent module that is told of arrays": ("network", *LOGS),
    "data that an absent module makes of arrays": (
        "network",
        ("        self.by = np", "        self.rates = scaler.fit_transform(np.ones(3))\n        self.by = np"),
        ("import numpy as np\n", "import numpy as np\nfrom .tools import Scaler\nscaler = Scaler()\n"
        "data = scaler.fit_transform(np.zeros((4, 3)))\nparts = [data]\n"),
    ),
    "a flag whose name ends as that of a gradient": (
        "bptt", ("def bptt(self, x, y):", "def bptt(self, x, y, do_grad=True):\n        if not do_grad: return"),
    ),
    "weights that a function without parameters makes, of a size that the file lacks": (
        "min_char_rnn", ("vocab_size = len(data), len(chars)", "n = len(data), len(chars)"),
        ("print 'data has %d characters, %d unique.' % (data_size, vocab_size)\n", ""),
        ("Wxh = np.random", "def reset():\n  global Wxh, Whh, Why, bh, by\n  Wxh = np.random"),
        ("\nWhh =", "\n  Whh ="), ("Whh", "Mid"), ("\nWhy =", "\n  Why ="),
        ("\nbh =", "\n  bh ="), ("\nby =", "\n  by ="),
    ),
    "a forward called encode": ("bptt", ("forward_propagation", "encode")),
    "an update that shows no gradient": (
        "updates", ("learning_rate * np.clip(d, -5, 5)", "learning_rate * d / np.sqrt(d**2 + 1e-8)"),
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
    "an output called y beside the targets": (
        "updates", ("targets, ys, hs", "targets, y, hs"), ("dy = ys", "dy = y"),
    ),
    "a number of steps": (
        "network", ("self, inputs)", "self, inputs, n_sequence)"),
        ("enumerate(inputs)", "enumerate(inputs[:n_sequence])"),
    ),
    "a limit of norms as an argument of a constructor, and a gradient by differences": (
        "updates", ("output_size):", "output_size, threshold=0.01):\n        self.threshold = threshold"),
        ("np.clip(d, -5, 5)", "d * min(1, self.threshold / np.linalg.norm(d))"),
        ("class Regressor", "def compute_grad_num(f, x):\n    return (f(x + 1) - f(x - 1)) / 2\nclass Regressor"),
    ),
    "weights that a method makes from what it does not use": (
        "network",
        ("        self.Whh = randn", "        self.n = input_size, output_size, hidden_size\n    def _init_params("
         "self, q):\n        input_size, output_size, hidden_size = self.n\n        self.Whh = randn"),
        ("        h = np.z", "        if not hasattr(self, 'Whh'): self._init_params(inputs)\n        h = np.z"),
    ),
    "U, V and W as arguments of a step": (
        "tuple", ("params)", "U, W, V, bh, by)"), ("    Wxh, Whh, Why, bh, by = params\n", ""),
        ("Wxh", "U"), ("Whh", "W"), ("Why", "V"), ("for p in params]", "for p in (U, W, V, bh, by)]"),
    ),
    "sizes among the weights of a dict": (
        "lstm_dict", ("    H, C, gates", "    assert params['n_hidden'] == len(h0)\n    H, C, gates"),
    ),
    "a length that another method passes": (
        "network", ("self, inputs)", "self, inputs, l)"), ("enumerate(inputs)", "enumerate(inputs[:l])"),
        ("        self.Whh = randn", "        self.seq_len = 25\n        self.Whh = randn"),
        ("    def backprop", "    def fit(self, x): self.forward(x, self.seq_len)\n    def backprop"),
    ),
    "b and c as biases": (
        "tuple", ("params)", "U, W, V, b, c)"), ("    Wxh, Whh, Why, bh, by = params\n", ""),
        ("Wxh", "U"), ("Whh", "W"), ("Why", "V"), ("bh", "b"), ("by", "c"),
        ("for p in params]", "for p in (U, W, V, b, c)]"),
    ),
    "a text in which nothing is found": (
        "min_char_rnn", ("list(set(data))", "[word for word in data.split() if word == 'absent']"),
    ),
    "an initialization of an absent module": (
        "network", ("import randn", "import randn as normal\nfrom .init import init_orthogonal"),
        ("class Network", "randn = lambda *shape: init_orthogonal(normal(*shape))\nclass Network"),
    ),
    "an epsilon as an argument of a constructor": (
        "updates", ("output_size):", "output_size, epsilon):\n        self.epsilon = epsilon"),
    ),
    "a share that dropout keeps": ("tuple", ("params)", "params, keep_prob)"), ("np.tanh(", "keep_prob * np.tanh(")),
    "a length that is computed, beside another size, and one that cannot be": (
        "min_char_rnn", ("seq_length = 25", "seq_length, num = 30 - 5, 7\nn_layers = 5 // 0"),
        ("in xrange(len(inputs))", "in range(seq_length + 0 * num)"),
    ),
    "a candidate without a letter, and sizes called sz": (
        "gru_outputs", ("n_in", "xsz"), ("n_hidden", "hsz"), ('"zrn"', '("z", "r", "")'), ('"Wn"', '"W"'),
        ('"Un"', '"U"'), ('"bn"', '"b"'), ('["n"]', '[""]'), ('"n": dh', '"": dh'), ('g == "n"', 'g == ""'),
    ),
    "a size of a layer": ("min_char_rnn", ("hidden_size", "size_layer")),
    "a shape that is taken apart": (
        "optimizer_layer", ("timesteps, input_dim = self.input_shape", "input_dim = self.input_shape[1]"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", READ)
def test_what_other_code_does_is_read(check, what):
    assert_read(check, *READ[what])


def test_a_derivative_that_may_be_of_either_is_not_guessed(check):
    source = changed(SOURCES["network"], ("import numpy as np\n", "import numpy as np\nfrom .acts import dtanh\n"))
    source = changed(source, ("(1 - self.last_hs[t + 1] ** 2)", "dtanh(self.last_hs[t + 1])"))
    assert check(source).ok  # np.tanh has returned what dtanh gets
    own = changed(source, ("np.tanh(", "(lambda a: 2 / (1 + np.exp(-2 * a)) - 1)("))
    finding = check(own).findings["Network.backprop"]
    assert finding["status"] == "not checked" and "dtanh of an absent module" in str(finding["sentences"])


def test_gradients_of_an_update_that_does_not_show_them_are_judged(check):
    source = changed(SOURCES["updates"], ("np.clip(d, -5, 5)", "d / np.sqrt(d**2 + 1e-8)"))
    result = check(source, "da @ hs[t - 1].T", "da @ hs[t].T")
    assert wrong_in(result, "Regressor.backward") == {"dW_hh"}
    assert "its own variables dW_xh, dW_hh" in told(result, "Regressor.backward")


def test_names_of_weights_and_states_of_several_layers():
    assert role_of("hprev3") == role_of("hprev_l0") == "h_prev" and role_of("w_oh") == "W_y"


def test_what_an_object_of_an_absent_module_returns_is_no_number(check):
    for result in ("y + self.log.shift(y)", "self.log.shift(y).sum()", "np.tanh(self.log.shift(y))"):
        source = changed(SOURCES["network"], *LOGS, ("return y, h", f"return {result}, h"))
        finding = check(source).findings["Network.backprop"]
        assert finding["status"] == "not checked" and "needs Log" in finding["sentences"][0], finding
