from dataclasses import dataclass
import numpy as np

@dataclass
class Settings:
    vocab_size: int
    hidden_size: int = 100

@dataclass
class Result:
    loss: float
    grads: dict
    hprev: np.ndarray

class Net:
    def __init__(self, hp: Settings):
        self.vocab_size = hp.vocab_size
        self.Wxh, self.Whh = np.random.randn(hp.hidden_size, hp.vocab_size), np.random.randn(hp.hidden_size, hp.hidden_size)
        self.Why, self.bh, self.by = np.random.randn(hp.vocab_size, hp.hidden_size), np.zeros((hp.hidden_size, 1)), np.zeros((hp.vocab_size, 1))
    def loss_function(self, inputs, targets, hprev):

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

        return Result(loss, {"Wxh": dWxh, "Whh": dWhh, "Why": dWhy, "bh": dbh, "by": dby}, hs[len(inputs) - 1])
