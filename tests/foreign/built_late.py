import numpy as np

class Layer:
    def forward(self, x): raise NotImplementedError
    def backward(self, dout): raise NotImplementedError()

class SimpleRecurrent(Layer):
    def __init__(self, units, go_backwards=False):
        self.units, self.built = units, False
    def build(self, input_dim):
        self.W, self.U = np.random.randn(input_dim, self.units), np.random.randn(self.units, self.units)
        self.b, self.built = np.zeros((1, self.units)), True
    def forward(self, x, training):
        if not self.built:
            self.build(x.shape[2])
        self.x, self.hs = x, np.zeros((len(x), x.shape[1] + 1, self.units))
        for t in range(x.shape[1]):
            self.hs[:, t + 1] = np.tanh(x[:, t] @ self.W + self.hs[:, t] @ self.U + self.b)
        return self.hs[:, 1:]
    def backward(self, dout):
        self.dW, self.dU, self.db = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.b)
        dx, dh = np.zeros_like(self.x), 0
        for t in reversed(range(dout.shape[1])):
            da = (dout[:, t] + dh) * (1 - self.hs[:, t + 1] ** 2)
            self.dW += self.x[:, t].T @ da; self.dU += self.hs[:, t].T @ da; self.db += da.sum(axis=0, keepdims=True)
            dx[:, t], dh = da @ self.W.T, da @ self.U.T
        return dx

class RNNCell:
    def __init__(self, input_size, hidden_size):
        self.weight_ih, self.weight_hh = np.random.randn(hidden_size, input_size), np.random.randn(hidden_size, hidden_size)
        self.bias_ih, self.bias_hh = np.zeros(hidden_size), np.zeros(hidden_size)
    def forward(self, x, hx):
        self.x, self.hx = x, hx
        self.hy = np.tanh(x @ self.weight_ih.T + self.bias_ih + hx @ self.weight_hh.T + self.bias_hh)
        return self.hy
    def backward(self, grad_hy):
        da = grad_hy * (1 - self.hy ** 2)
        self.grad_weight_ih, self.grad_weight_hh = da.T @ self.x, da.T @ self.hx
        self.grad_bias_ih = self.grad_bias_hh = da.sum(axis=0)
        return da @ self.weight_ih, da @ self.weight_hh

class Cell:
    def __init__(self, n_out):
        self.n_in, self.n_out, self.gradients, self.parameters = None, n_out, {}, {}
    def _init_params(self):
        self.parameters = {"Wax": np.random.randn(self.n_in, self.n_out), "ba": np.zeros((self.n_out, 1))}
        self.parameters["Waa"] = np.random.randn(self.n_out, self.n_out)
        self.gradients, self.A = {name: np.zeros_like(array) for name, array in self.parameters.items()}, []
    def forward(self, Xt):
        if not self.parameters:
            self.n_in = Xt.shape[1]
            self._init_params()
        p, self.X, self.A = self.parameters, Xt, [*(self.A or [np.zeros((len(Xt), self.n_out))])]
        self.A.append(np.tanh(self.A[-1] @ p["Waa"] + Xt @ p["Wax"] + p["ba"].T))
        return self.A[-1]
    def backward(self, dAt):
        dZ = dAt * (1 - self.A[-1] ** 2)
        for name, gradient in {"Waa": self.A[-2].T @ dZ, "Wax": self.X.T @ dZ, "ba": dZ.sum(axis=0)[:, None]}.items():
            self.gradients[name] += gradient
        return dZ @ self.parameters["Wax"].T
