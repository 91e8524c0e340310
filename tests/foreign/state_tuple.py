import numpy as np

def sigmoid(x): return 1 / (1 + np.exp(-x))

class LSTMCell:
    def __init__(self, n_in, n_hid):
        self.n_in, self.W, self.b = n_in, np.random.randn(n_in + n_hid, 4 * n_hid), np.zeros(4 * n_hid)
        self.dW, self.db, self.stack = np.zeros_like(self.W), np.zeros_like(self.b), []
    def forward(self, x, state):
        h, c = state
        xh = np.hstack([x, h])
        f, i, g, o = np.split(xh @ self.W + self.b, 4, axis=1)
        f, i, g, o = sigmoid(f), sigmoid(i), np.tanh(g), sigmoid(o)
        c_new = f * c + i * g
        self.stack.append((xh, f, i, g, o, c, c_new))
        return o * np.tanh(c_new), c_new
    def backward(self, dstate):
        dh, dc = dstate
        xh, f, i, g, o, c, c_new = self.stack.pop()
        dc = dc + dh * o * (1 - np.tanh(c_new) ** 2)
        da = np.hstack([dc * c * f * (1 - f), dc * g * i * (1 - i), dc * i * (1 - g ** 2), dh * np.tanh(c_new) * o * (1 - o)])
        self.dW += xh.T @ da
        self.db += da.sum(axis=0)
        dxh = da @ self.W.T
        return dxh[:, :self.n_in], (dxh[:, self.n_in:], dc * f)
