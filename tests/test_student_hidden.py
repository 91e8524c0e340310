"""`numpylm check` calls nothing right whose gradients it has not found, and takes none for another."""

import pytest
from foreign_code import changed
from student_files import wrong_in

CELL = """
import numpy as np
class LSTMCell:
    def __init__(self, input_size, hidden_size):
        self.weights = np.random.randn(4 * hidden_size, input_size + hidden_size)
        self.biases = np.zeros((4 * hidden_size, 1))
    def forward(self, x, h_prev, c_prev):
        self.z, self.c_prev = np.vstack((x, h_prev)), c_prev
        a_i, a_f, a_o, a_g = np.split(self.weights @ self.z + self.biases, 4)
        self.i, self.f, self.o = [1 / (1 + np.exp(-a)) for a in (a_i, a_f, a_o)]
        self.g = np.tanh(a_g)
        self.c = self.f * c_prev + self.i * self.g
        return self.o * np.tanh(self.c), self.c
    def backward(self, dh_next, dc_next):
        i, f, o, g = self.i, self.f, self.o, self.g
        dc = dc_next + dh_next * o * (1 - np.tanh(self.c) ** 2)
        da = np.vstack((dc * g * i * (1 - i), dc * self.c_prev * f * (1 - f),
                        dh_next * np.tanh(self.c) * o * (1 - o), dc * i * (1 - g**2)))
        self.grad_weights = da @ self.z.T
        self.grad_biases = da.sum(axis=1, keepdims=True)
        dz = self.weights.T @ da
        return dz[:-len(i)], dz[-len(i):], dc * f
"""


def test_weights_called_weights_are_compared(check):
    result = check(CELL)
    assert result.ok and result.findings["LSTMCell.forward"]["status"] == "ok"
    assert check(CELL, "da @ self.z.T", "3 * da @ self.z.T").findings["LSTMCell.backward"]["status"] == "wrong"


@pytest.mark.parametrize("name", ["kernel_of_all", "M"])
def test_so_is_a_matrix_of_any_other_name(check, name):
    source = CELL.replace("weights", name).replace("biases", "offset")
    assert check(source).ok
    assert not check(source, "da @ self.z.T", "3 * da @ self.z.T").ok


def test_gradients_of_states_that_an_object_keeps_are_compared(check):
    kept = CELL.replace(
        "return dz[:-len(i)], dz[-len(i):], dc * f", "self.dh_prev, self.dc_prev = dz[-len(i):], dc * f"
    )
    assert check(kept).ok
    assert wrong_in(check(kept, "dz[-len(i):],", "2 * dz[-len(i):],"), "LSTMCell.backward") == {"dh_prev"}


FUNCTIONS = """
import numpy as np
theta_in, theta_rec, offset = np.random.randn(3, 5), np.random.randn(5, 5), np.random.randn(5)
kept = {}
def forward(x, h_prev):
    h = np.tanh(x @ theta_in + h_prev @ theta_rec + offset)
    return h, (x, h_prev, h)
def backward(dh, cache):
    x, h_prev, h = cache
    da = dh * (1 - h**2)
    kept["first"], kept["second"], kept["third"] = x.T @ da, h_prev.T @ da, da.sum(axis=0)
    return da @ theta_in.T, da @ theta_rec.T
"""
STORED = 'kept["first"], kept["second"], kept["third"] = x.T @ da, h_prev.T @ da, da.sum(axis=0)\n    '


def test_gradients_of_weights_that_are_kept_where_no_one_looks_are_missed(check):
    finding = check(FUNCTIONS).findings["backward"]
    assert finding["status"] == "not checked" and "theta_rec" in finding["sentences"][0]
    alone = check(FUNCTIONS, STORED, "").findings["backward"]  # it makes no others
    assert alone["status"] == "ok" and "does not find the gradients of" in str(alone["sentences"])


LISTS = """
import numpy as np
class RNN:
    def __init__(self, input_size, hidden_size):
        sizes = (input_size, hidden_size), (hidden_size, hidden_size), (hidden_size,)
        self.p, self.g = [np.random.randn(*size) for size in sizes], None
    def forward(self, x, h_prev):
        self.cache = x, h_prev, np.tanh(x @ self.p[0] + h_prev @ self.p[1] + self.p[2])
        return self.cache[2]
    def backward(self, dh):
        x, h_prev, h = self.cache
        da = dh * (1 - h**2)
        self.g = [3 * x.T @ da, h_prev.T @ da, da.sum(axis=0)]
        return da @ self.p[0].T, da @ self.p[1].T
"""


def test_weights_and_gradients_in_lists_without_names_are_missed(check):
    source = FUNCTIONS.replace("theta_in, theta_rec, offset = ", "p = ")
    for k, name in enumerate(("theta_in", "theta_rec", "offset")):
        source = source.replace(name, f"p[{k}]")
    for name, text in (("RNN.backward", LISTS), ("backward", source)):
        assert check(text).findings[name]["status"] == "not checked"


NAMED = """
import numpy as np
class RNN:
    def __init__(self, input_size, hidden_size):
        self.Wx, self.Wh = np.random.randn(input_size, hidden_size), np.random.randn(hidden_size, hidden_size)
        self.b = np.zeros(hidden_size)
    def forward(self, x, h_prev):
        self.cache = x, h_prev, np.tanh(x @ self.Wx + h_prev @ self.Wh + self.b)
        return self.cache[2]
    def backward(self, dh):
        x, h_prev, h = self.cache
        da = dh * (1 - h**2)
        self.dWx, self.dWh, self.db = x.T @ da, h_prev.T @ da, da.sum(axis=0)
        return da @ self.Wx.T, da @ self.Wh.T
"""


def test_one_gradient_that_is_not_found_is_enough(check):
    assert check(NAMED).ok
    finding = check(NAMED, "self.dWh,", "self.change_of_the_state,").findings["RNN.backward"]
    assert finding["status"] == "not checked" and "the gradient of Wh" in finding["sentences"][0]
    bias = check(NAMED, "self.db =", "self.change_of_the_bias =").findings["RNN.backward"]
    assert bias["status"] == "ok" and "does not find the gradient of b" in str(bias["sentences"])


def test_returned_gradients_without_names_are_told_by_their_shapes(check):
    source = FUNCTIONS.replace(STORED, "").replace(
        "return da @", "return h_prev.T @ da, da.sum(axis=0), x.T @ da, da @"
    )
    assert check(source).findings["backward"]["status"] == "ok"
    assert wrong_in(check(source, "h_prev.T @ da", "2 * h_prev.T @ da"), "backward") == {"dtheta_rec"}


def test_columns_beside_weights_of_inputs_by_hidden_units(check):
    source = """
import numpy as np
class RNN:
    def __init__(self, input_size, hidden_size):
        self.Wa, self.ba = np.random.randn(input_size + hidden_size, hidden_size), np.random.randn(hidden_size, 1)
        self.n = input_size
    def forward(self, x_t, a_prev):
        a_next = np.tanh(self.Wa.T @ np.concatenate((x_t, a_prev)) + self.ba)
        return a_next
    def backward(self, da_next, a_next, a_prev, x_t):
        dz = (1 - a_next**2) * da_next
        dWa_t, dba_t = np.concatenate((x_t, a_prev)) @ dz.T, dz.sum(axis=1, keepdims=True)
        dx_t, da_prev = self.Wa[:self.n] @ dz, self.Wa[self.n:] @ dz
        return dx_t, da_prev, dWa_t, dba_t
"""
    result = check(source)
    assert result.ok and result.findings["RNN.forward"]["status"] == "ok"
    assert wrong_in(check(source, "dz.T, dz", "dz.T, 2 * dz"), "RNN.backward") == {"dba"}


def test_a_forward_is_not_right_because_one_probability_alone_is_1(check):
    source = """
import numpy as np
class RNN:
    def __init__(self, input_dim, hidden_dim):
        self.U, self.W = np.random.randn(hidden_dim, input_dim), np.random.randn(hidden_dim, hidden_dim)
        self.V = np.random.randn(input_dim, hidden_dim)
    def forward(self, x):
        o, s = [], np.zeros(len(self.W))
        for t in range(len(x)):
            s = np.tanh(self.U[:, t] + self.W @ s)
            e = np.exp(self.V @ s)
            o.append(e / e.sum())
        return o
    def bptt(self, x, y):
        return [load(x), load(y), self.forward(x)]
"""
    assert "RNN.forward" not in check(source).findings


def test_a_class_of_a_missing_package_may_be_used_without_an_object(check):
    source = CELL.replace("import numpy as np", "import numpy as np\nfrom activations import Sigmoid")
    source = source.replace("1 / (1 + np.exp(-a))", "Sigmoid.forward(a)")
    assert check(source).ok
    finding = check(source, "import Sigmoid", "import Sigmoid, Tanhs").findings["LSTMCell.backward"]
    assert finding["status"] == "ok"
    missing = check(source.replace("Sigmoid", "Squash")).findings["LSTMCell.backward"]
    assert missing["status"] == "not checked" and "Squash" in missing["sentences"][0]


def test_what_an_activation_returned_is_no_gradient_that_comes_in(check):
    source = """
import numpy as np
class Gate:
    @staticmethod
    def forward(net):
        return 1 / (1 + np.exp(-net))
    @staticmethod
    def backward(output):
        return output * (1 - output)
"""
    assert check(source).findings["Gate.backward"]["status"] == "not checked"


SUMS = """
import numpy as np
class Cell:
    def __init__(self, n_in, n_hidden):
        self.Wx, self.Wh = np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_hidden)
    def forward(self, x, h):
        return np.tanh(x @ self.Wx + h @ self.Wh)
    def backward(self, dh, x, h_prev, h):
        da = dh * (1 - h ** 2)
        self.dWx, self.dWh = x.T @ da, h_prev.T @ da
        return da @ self.Wh.T
class RNN:
    def __init__(self, n_in, n_hidden):
        self.n_hidden, self.cell = n_hidden, Cell(n_in, n_hidden)
    def forward(self, x):
        self.x, self.hs = x, [np.zeros((len(x), self.n_hidden))]
        for t in range(x.shape[1]):
            self.hs.append(self.cell.forward(x[:, t], self.hs[-1]))
        return self.hs[-1]
    def backward(self, dh):
        self.dW = np.zeros((self.x.shape[2] + self.n_hidden, self.n_hidden))
        for t in reversed(range(self.x.shape[1])):
            dh = self.cell.backward(dh, self.x[:, t], self.hs[t], self.hs[t + 1])
            self.dW += np.concatenate([self.cell.dWx, self.cell.dWh])
        return dh
"""


def test_what_a_cell_keeps_of_its_last_step_is_not_the_sum_that_an_object_makes(check):
    assert check(SUMS).findings["RNN.backward"]["status"] == "not checked"
    sums = "self.dWx, self.dWh = self.dWx + self.cell.dWx, self.dWh + self.cell.dWh"
    added = changed(
        SUMS, ("self.dW +=", f"{sums}; self.dW +="), ("self.dW = np", "self.dWx = self.dWh = 0; self.dW = np")
    )
    assert check(added).findings["RNN.backward"]["status"] == "ok"


def test_a_table_of_embeddings_is_no_sum_of_gradients(check):
    held = "self.params, rng = {}"
    result = check("gru_outputs", held, f"self.embedding = np.ones((3, 4))\n        {held}")
    assert result.findings["GRU.backward"]["status"] == "ok"
