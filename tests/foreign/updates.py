import numpy as np

class Regressor:
    def __init__(self, input_size, hidden_size, output_size):
        self.W_xh, self.W_hh = np.random.randn(hidden_size, input_size), np.random.randn(hidden_size, hidden_size)
        self.W_hy, self.b_h, self.b_y = np.random.randn(output_size, hidden_size), np.zeros((hidden_size, 1)), np.zeros((output_size, 1))
    def forward(self, inputs):
        hs, ys = {-1: np.zeros_like(self.b_h)}, {}
        for t in range(len(inputs)):
            hs[t] = np.tanh(self.W_xh @ inputs[t].reshape(-1, 1) + self.W_hh @ hs[t - 1] + self.b_h)
            ys[t] = self.W_hy @ hs[t] + self.b_y
        return ys, hs
    def backward(self, inputs, targets, ys, hs, learning_rate=0.001):
        dW_xh, dW_hh, dW_hy, db_h, db_y, dh = 0, 0, 0, 0, 0, 0
        for t in reversed(range(len(inputs))):
            dy = ys[t] - targets[t].reshape(-1, 1)
            dW_hy, db_y = dW_hy + dy @ hs[t].T, db_y + dy
            da = (self.W_hy.T @ dy + dh) * (1 - hs[t] ** 2)
            dW_xh = dW_xh + da @ inputs[t].reshape(1, -1); dW_hh = dW_hh + da @ hs[t - 1].T; db_h = db_h + da
            dh = self.W_hh.T @ da
        for name, d in (("W_xh", dW_xh), ("W_hh", dW_hh), ("W_hy", dW_hy), ("b_h", db_h), ("b_y", db_y)):
            setattr(self, name, getattr(self, name) - learning_rate * np.clip(d, -5, 5))
