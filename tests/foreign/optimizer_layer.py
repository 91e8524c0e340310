import copy
import numpy as np
from toolkit.activations import TanH, Softmax

activations = {"tanh": TanH, "softmax": Softmax}

class Layer:
    def forward_pass(self, X, training): raise NotImplementedError()
    def backward_pass(self, accum_grad): raise NotImplementedError()

class RNN(Layer):
    def __init__(self, n_units, activation="tanh", input_shape=None):
        self.n_units, self.input_shape, self.activation = n_units, input_shape, activations[activation]()
        self.W = self.V = self.U = None
    def initialize(self, optimizer):
        timesteps, input_dim = self.input_shape
        self.U, self.W = np.random.randn(self.n_units, input_dim), np.random.randn(self.n_units, self.n_units)
        self.V = np.random.randn(input_dim, self.n_units)
        self.U_opt, self.V_opt, self.W_opt = copy.copy(optimizer), copy.copy(optimizer), copy.copy(optimizer)
    def forward_pass(self, X, training=True):
        N, T, D = X.shape
        self.X, self.a, self.s = X, np.zeros((N, T, self.n_units)), np.zeros((N, T + 1, self.n_units))
        for t in range(T):
            self.a[:, t] = X[:, t] @ self.U.T + self.s[:, t - 1] @ self.W.T
            self.s[:, t] = self.activation(self.a[:, t])
        return self.s[:, :-1] @ self.V.T
    def backward_pass(self, accum_grad):
        grad_U, grad_V, grad_W, carried = 0, 0, 0, 0
        accum_grad_next = np.zeros_like(self.X)
        for t in reversed(range(accum_grad.shape[1])):
            grad_V = grad_V + accum_grad[:, t].T @ self.s[:, t]
            grad_a = (accum_grad[:, t] @ self.V + carried) * self.activation.gradient(self.a[:, t])
            grad_U, grad_W = grad_U + grad_a.T @ self.X[:, t], grad_W + grad_a.T @ self.s[:, t - 1]
            accum_grad_next[:, t], carried = grad_a @ self.U, grad_a @ self.W
        self.U, self.V, self.W = self.U_opt.update(self.U, grad_U), self.V_opt.update(self.V, grad_V), self.W_opt.update(self.W, grad_W)
        return accum_grad_next
