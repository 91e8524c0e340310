import numpy as np

def rnn_forward(inputs, h0, params):
    Wxh, Whh, Why, bh, by = params
    hs, ys = [h0], []
    for x in inputs:
        hs.append(np.tanh(Wxh @ x + Whh @ hs[-1] + bh))
        e = np.exp(Why @ hs[-1] + by)
        ys.append(e / e.sum())
    return hs, ys

def rnn_backward(inputs, targets, hs, ys, params):
    Wxh, Whh, Why, bh, by = params
    dWxh, dWhh, dWhy, dbh, dby = [np.zeros_like(p) for p in params]
    dh = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = ys[t] - targets[t]
        dWhy += dy @ hs[t + 1].T; dby += dy
        da = (1 - hs[t + 1] ** 2) * (Why.T @ dy + dh)
        dWxh += da @ inputs[t].T; dWhh += da @ hs[t].T; dbh += da
        dh = Whh.T @ da
    return dWxh, dWhh, dWhy, dbh, dby
