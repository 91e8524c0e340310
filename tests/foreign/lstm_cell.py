import numpy as np
sigmoid = lambda a: 1 / (1 + np.exp(-a))

class Cell:
    def __init__(self, input_size, hidden_size, learning_rate=0.1):
        self.H, n = hidden_size, hidden_size + input_size
        self.W_f, self.W_i, self.W_c, self.W_o = [np.random.randn(hidden_size, n) for _ in range(4)]
        self.b_f, self.b_i, self.b_c, self.b_o = [np.zeros((hidden_size, 1)) for _ in range(4)]
    def forward_step(self, x, h_prev, c_prev):
        z = np.vstack((h_prev, x))
        f, i, o = sigmoid(self.W_f @ z + self.b_f), sigmoid(self.W_i @ z + self.b_i), sigmoid(self.W_o @ z + self.b_o)
        g = np.tanh(self.W_c @ z + self.b_c)
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        return h, c, (z, c_prev, f, i, o, g, c)
    def backward_step(self, dh_next, dc_next, cache):
        z, c_prev, f, i, o, g, c = cache
        do = dh_next * np.tanh(c) * o * (1 - o)
        dc = dc_next + dh_next * o * (1 - np.tanh(c) ** 2)
        df, di, dg = dc * c_prev * f * (1 - f), dc * g * i * (1 - i), dc * i * (1 - g ** 2)
        dz = self.W_f.T @ df + self.W_i.T @ di + self.W_c.T @ dg + self.W_o.T @ do
        dW_f, dW_i, dW_c, dW_o, db_f, db_i, db_c, db_o = df @ z.T, di @ z.T, dg @ z.T, do @ z.T, df, di, dg, do
        dh_prev, dc_prev = dz[:self.H], dc * f
        return dW_f, dW_i, dW_c, dW_o, db_f, db_i, db_c, db_o, dh_prev, dc_prev
