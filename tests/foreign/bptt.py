import numpy as np
from utils import *

class Net:
    def __init__(self, word_dim, hidden_dim=100, bptt_truncate=4):
        self.word_dim, self.hidden_dim, self.bptt_truncate = word_dim, hidden_dim, bptt_truncate
        self.U = np.random.uniform(-1, 1, (hidden_dim, word_dim))
        self.V = np.random.uniform(-1, 1, (word_dim, hidden_dim))
        self.W = np.random.uniform(-1, 1, (hidden_dim, hidden_dim))
    def forward_propagation(self, x):
        s, o = np.zeros((len(x) + 1, self.hidden_dim)), np.zeros((len(x), self.word_dim))
        for t in range(len(x)):
            s[t] = np.tanh(self.U[:, x[t]] + self.W.dot(s[t - 1]))
            o[t] = softmax(self.V.dot(s[t]))
        return [o, s]
    def bptt(self, x, y):
        o, s = self.forward_propagation(x)
        dLdU, dLdV, dLdW = np.zeros_like(self.U), np.zeros_like(self.V), np.zeros_like(self.W)
        delta_o = o
        delta_o[np.arange(len(y)), y] -= 1
        for t in range(len(y))[::-1]:
            dLdV += np.outer(delta_o[t], s[t])
            delta = self.V.T.dot(delta_o[t]) * (1 - s[t] ** 2)
            for k in range(max(0, t - self.bptt_truncate), t + 1)[::-1]:
                dLdW += np.outer(delta, s[k - 1])
                dLdU[:, x[k]] += delta
                delta = self.W.T.dot(delta) * (1 - s[k - 1] ** 2)
        return [dLdU, dLdV, dLdW]
