from collections import namedtuple
import numpy as np

Weights = namedtuple("Weights", "W U b V")

def init_weights(n_in, n_hidden, n_out):
    return Weights(np.random.randn(n_hidden, n_in), np.random.randn(n_hidden, n_hidden), np.zeros(n_hidden), np.random.randn(n_out, n_hidden))

def forward(params, X):
    h, tape = np.zeros(len(params.b)), []
    for x in X:
        tape.append((x, h))
        h = np.tanh(params.W @ x + params.U @ h + params.b)
    e = np.exp(params.V @ h)
    return e / e.sum(), tape + [(None, h)]

def backward(params, X, label):
    p, tape = forward(params, X)
    d = p.copy(); d[label] -= 1
    dW, dU, db, dh = 0, 0, 0, params.V.T @ d
    for (x, h_prev), (_, h) in zip(tape[-2::-1], tape[:0:-1]):
        da = dh * (1 - h ** 2)
        dW, dU, db, dh = dW + np.outer(da, x), dU + np.outer(da, h_prev), db + da, params.U.T @ da
    return Weights(dW, dU, db, np.outer(d, tape[-1][1]))
