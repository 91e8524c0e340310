import numpy as np

vocab_size, hidden_size, batch_size = 30, 128, 16
Wxh, Whh = np.random.randn(vocab_size, hidden_size), np.random.randn(hidden_size, hidden_size)
Why, bh, by = np.random.randn(hidden_size, vocab_size), np.zeros((1, hidden_size)), np.zeros((1, vocab_size))

def perdida(entradas, objetivos, h_previo):
    B, T = entradas.shape
    hs, ps, loss = {-1: h_previo}, {}, 0.0
    for t in range(T):
        hs[t] = np.tanh(Wxh[entradas[:, t]] + hs[t - 1] @ Whh + bh)
        e = np.exp(hs[t] @ Why + by)
        ps[t] = e / e.sum(axis=1, keepdims=True)
        loss -= np.log(ps[t][np.arange(B), objetivos[:, t]]).sum() / B
    dWxh, dWhh, dWhy, dbh, dby, dh = np.zeros_like(Wxh), 0, 0, 0, 0, 0
    for t in reversed(range(T)):
        dy = ps[t].copy()
        dy[np.arange(B), objetivos[:, t]] -= 1
        dy /= B
        dWhy, dby = dWhy + hs[t].T @ dy, dby + dy.sum(axis=0, keepdims=True)
        da = (dy @ Why.T + dh) * (1 - hs[t] ** 2)
        np.add.at(dWxh, entradas[:, t], da)
        dWhh, dbh, dh = dWhh + hs[t - 1].T @ da, dbh + da.sum(axis=0, keepdims=True), da @ Whh.T
    return loss, dWxh, dWhh, dWhy, dbh, dby, hs[T - 1]
