import numpy as np
import reader

letters = reader.load("a text that is not there")
kinds = sorted(set(letters))
number = {letter: k for k, letter in enumerate(kinds)}
H, V = 64, len(kinds)
Wxh, Whh, Why = np.random.randn(H, V), np.random.randn(H, H), np.random.randn(V, H)
bh, by = np.zeros((H, 1)), np.zeros((V, 1))

for epoch in range(100):
    inputs, targets = [number[c] for c in letters[:-1]], [number[c] for c in letters[1:]]
    for start in range(0, len(inputs), 25):
        h, p, loss = {-1: np.zeros((H, 1))}, {}, 0
        steps = range(start, min(start + 25, len(inputs)))
        for k, t in enumerate(steps):
            h[k] = np.tanh(Wxh[:, [inputs[t]]] + Whh @ h[k - 1] + bh)
            y = Why @ h[k] + by
            p[k] = np.exp(y) / np.exp(y).sum()
            loss -= np.log(p[k][targets[t], 0])
        dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
        dbh, dby, dh_next = np.zeros_like(bh), np.zeros_like(by), 0
        for k, t in reversed(list(enumerate(steps))):
            dy = p[k].copy()
            dy[targets[t]] -= 1
            dWhy += dy @ h[k].T
            dby += dy
            da = (1 - h[k] ** 2) * (Why.T @ dy + dh_next)
            dWxh[:, [inputs[t]]] += da
            dWhh += da @ h[k - 1].T
            dbh += da
            dh_next = Whh.T @ da
        for weight, gradient in ((Wxh, dWxh), (Whh, dWhh), (Why, dWhy), (bh, dbh), (by, dby)):
            weight -= 0.1 * np.clip(gradient, -5, 5)
