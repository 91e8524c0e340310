import numpy as np
from PyQt4 import QtGui

class Session:
    def __init__(self, filename):
        self.text = open(filename, encoding="utf-8").read()
        self.vocab_size, self.hidden_size = len(set(self.text)), 100
        self.Wxh = self.Whh = self.Why = self.bh = self.by = None
    def init_model(self):
        self.hidden_size = 100
        self.Wxh, self.Whh = np.random.randn(self.hidden_size, self.vocab_size), np.random.randn(self.hidden_size, self.hidden_size)
        self.Why = np.random.randn(self.vocab_size, self.hidden_size)
        self.bh, self.by = np.zeros((self.hidden_size, 1)), np.zeros((self.vocab_size, 1))
    def lossFun(self, inputs, targets, hprev):

        xs, hs, ps, loss = {}, {-1: np.copy(hprev)}, {}, 0
        for t in range(len(inputs)):
            xs[t] = np.zeros((self.vocab_size, 1)); xs[t][inputs[t]] = 1
            hs[t] = np.tanh(self.Wxh @ xs[t] + self.Whh @ hs[t - 1] + self.bh)
            e = np.exp(self.Why @ hs[t] + self.by); ps[t] = e / e.sum()
            loss -= np.log(ps[t][targets[t], 0])
        dWxh, dWhh, dWhy, dbh, dby, dh = 0, 0, 0, 0, 0, 0
        for t in reversed(range(len(inputs))):
            dy = np.copy(ps[t]); dy[targets[t]] -= 1
            dWhy = dWhy + dy @ hs[t].T; dby = dby + dy
            da = (1 - hs[t] ** 2) * (self.Why.T @ dy + dh)
            dWxh = dWxh + da @ xs[t].T; dWhh = dWhh + da @ hs[t - 1].T; dbh = dbh + da
            dh = self.Whh.T @ da

        return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]

app = QtGui.QApplication([])
