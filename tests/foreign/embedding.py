import sys
import numpy as np

text = open("data/input.txt").read()
vocab_size, emb_size, hidden_size = len(set(text)), 8, 64
Wex, Why, by = np.random.randn(emb_size, vocab_size), np.random.randn(vocab_size, hidden_size), np.zeros((vocab_size, 1))
Wxh, Whh, bh = np.random.randn(hidden_size, emb_size), np.random.randn(hidden_size, hidden_size), np.zeros((hidden_size, 1))

def forward(inputs, targets, memory):
    hs, es, ps, loss = {-1: memory}, {}, {}, 0
    for t in range(len(inputs)):
        es[t] = Wex[:, [inputs[t]]]
        hs[t] = np.tanh(Wxh @ es[t] + Whh @ hs[t - 1] + bh)
        a = Why @ hs[t] + by
        ps[t] = np.exp(a) / np.exp(a).sum()
        loss += -np.log(ps[t][targets[t], 0])
    activations = (inputs, hs, es, ps)
    return loss, activations, hs[len(inputs) - 1]

def backward(activations, clipping=True):
    inputs, hs, es, ps = activations
    dWex, dWxh, dWhh, dWhy, dbh, dby = [np.zeros_like(W) for W in (Wex, Wxh, Whh, Why, bh, by)]
    dh = np.zeros_like(bh)
    for t in reversed(range(len(inputs))):
        dy = ps[t].copy(); dy[targets[t]] -= 1
        dWhy += dy @ hs[t].T; dby += dy
        da = (Why.T @ dy + dh) * (1 - hs[t] ** 2)
        dWxh += da @ es[t].T; dWhh += da @ hs[t - 1].T; dbh += da
        dWex[:, [inputs[t]]] += Wxh.T @ da
        dh = Whh.T @ da
    gradients = (dWex, dWxh, dWhh, dWhy, dbh, dby)
    return gradients

option = sys.argv[1]
while True:
    targets = [1, 2, 3]
