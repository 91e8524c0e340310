import numpy as np
sigmoid = lambda a: 1 / (1 + np.exp(-a))

class Weights:
    def __init__(self, input_size, hidden_size):
        for gate in "fioc":
            setattr(self, "W" + gate, np.random.randn(hidden_size, hidden_size + input_size))
            setattr(self, "b" + gate, np.zeros((hidden_size, 1)))
        self.Wy, self.by = np.random.randn(1, hidden_size), np.zeros((1, 1))

class Memory:
    def __init__(self, input_size, hidden_size):
        self.H, self.weights = hidden_size, Weights(input_size, hidden_size)
    def zero_grads(self):
        for name, array in list(vars(self.weights).items()):
            setattr(self, "d" + name, np.zeros_like(array))
    def forward(self, x, h_prev, c_prev):
        w, z = self.weights, np.vstack((h_prev, x))
        f, i, o = sigmoid(w.Wf @ z + w.bf), sigmoid(w.Wi @ z + w.bi), sigmoid(w.Wo @ z + w.bo)
        g = np.tanh(w.Wc @ z + w.bc)
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        return h, c, w.Wy @ h + w.by, (z, f, i, o, g, c_prev, c)
    def backward(self, dy, cache, dh_next, dc_next):
        w, (z, f, i, o, g, c_prev, c) = self.weights, cache
        dh = w.Wy.T @ dy + dh_next
        dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
        do, df, di, dg = dh * np.tanh(c) * o * (1 - o), dc * c_prev * f * (1 - f), dc * g * i * (1 - i), dc * i * (1 - g ** 2)
        for gate, d in zip("fioc", (df, di, do, dg)):
            setattr(self, "dW" + gate, getattr(self, "dW" + gate) + d @ z.T)
            setattr(self, "db" + gate, getattr(self, "db" + gate) + d.sum(axis=1, keepdims=True))
        dz = w.Wf.T @ df + w.Wi.T @ di + w.Wo.T @ do + w.Wc.T @ dg
        return dz[self.H:], dz[:self.H], dc * f
