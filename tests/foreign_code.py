"""Code of the conventions that `numpylm check` reads, written for the tests: all of it is right."""

# ruff: noqa: E501 - lines as long as people write them

CS231N = """import numpy as np

def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    cache = (x, prev_h, Wx, Wh, next_h)
    return next_h, cache

def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h ** 2)
    dx = da.dot(Wx.T); dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da); dWh = prev_h.T.dot(da); db = da.sum(axis=0)
    return dx, dprev_h, dWx, dWh, db

def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    h = np.zeros((N, T, H)); prev = h0; cache = []
    for t in range(T):
        prev, c = rnn_step_forward(x[:, t], prev, Wx, Wh, b)
        h[:, t] = prev; cache.append(c)
    return h, cache

def rnn_backward(dh, cache):
    N, T, H = dh.shape
    D = cache[0][0].shape[1]
    dx = np.zeros((N, T, D)); dWx = np.zeros((D, H)); dWh = np.zeros((H, H)); db = np.zeros(H)
    dprev = np.zeros((N, H))
    for t in reversed(range(T)):
        dx[:, t], dprev, a, b, c = rnn_step_backward(dh[:, t] + dprev, cache[t])
        dWx += a; dWh += b; db += c
    return dx, dprev, dWx, dWh, db

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    a = x @ Wx + prev_h @ Wh + b
    H = prev_h.shape[1]
    i, f, o, g = sigmoid(a[:, :H]), sigmoid(a[:, H:2*H]), sigmoid(a[:, 2*H:3*H]), np.tanh(a[:, 3*H:])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)

def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    t = np.tanh(next_c)
    dnext_c += dnext_h * o * (1 - t ** 2)
    da = np.hstack((dnext_c * g * i * (1 - i), dnext_c * prev_c * f * (1 - f), dnext_h * t * o * (1 - o), dnext_c * i * (1 - g ** 2)))
    dprev_c = dnext_c * f
    return da @ Wx.T, da @ Wh.T, dprev_c, x.T @ da, prev_h.T @ da, da.sum(0)

def lstm_forward(x, h0, Wx, Wh, b):
    h, c, cache = h0, np.zeros_like(h0), []
    hs = []
    for t in range(x.shape[1]):
        h, c, k = lstm_step_forward(x[:, t], h, c, Wx, Wh, b)
        hs.append(h); cache.append(k)
    return np.stack(hs, 1), cache

def lstm_backward(dh, cache):
    dxs = []; dWx = dWh = db = 0
    dprev_h = np.zeros_like(dh[:, 0]); dprev_c = np.zeros_like(dprev_h)
    for t in reversed(range(dh.shape[1])):
        dx, dprev_h, dprev_c, a, b, c = lstm_step_backward(dh[:, t] + dprev_h, dprev_c, cache[t])
        dxs.insert(0, dx); dWx = dWx + a; dWh = dWh + b; db = db + c
    return np.stack(dxs, 1), dprev_h, dWx, dWh, db
"""

COURSERA = """import numpy as np
from rnn_utils import *

def rnn_cell_forward(xt, a_prev, parameters):
    Wax = parameters["Wax"]; Waa = parameters["Waa"]; Wya = parameters["Wya"]; ba = parameters["ba"]; by = parameters["by"]
    a_next = np.tanh(np.dot(Wax, xt) + np.dot(Waa, a_prev) + ba)
    yt_pred = softmax(np.dot(Wya, a_next) + by)
    cache = (a_next, a_prev, xt, parameters)
    return a_next, yt_pred, cache

np.random.seed(1)
xt = np.random.randn(3,10)
a_next, yt_pred, cache = rnn_cell_forward(xt, xt, {})
print("a_next[4] = ", a_next[4])

def rnn_forward(x, a0, parameters):
    caches = []
    n_x, m, T_x = x.shape
    n_y, n_a = parameters["Wya"].shape
    a = np.zeros((n_a, m, T_x)); y_pred = np.zeros((n_y, m, T_x))
    a_next = a0
    for t in range(T_x):
        a_next, yt_pred, cache = rnn_cell_forward(x[:, :, t], a_next, parameters)
        a[:, :, t] = a_next; y_pred[:, :, t] = yt_pred
        caches.append(cache)
    caches = (caches, x)
    return a, y_pred, caches

def lstm_cell_forward(xt, a_prev, c_prev, parameters):
    Wf = parameters["Wf"]; bf = parameters["bf"]; Wi = parameters["Wi"]; bi = parameters["bi"]
    Wc = parameters["Wc"]; bc = parameters["bc"]; Wo = parameters["Wo"]; bo = parameters["bo"]
    Wy = parameters["Wy"]; by = parameters["by"]
    n_x, m = xt.shape
    n_y, n_a = Wy.shape
    concat = np.zeros((n_a + n_x, m)); concat[:n_a, :] = a_prev; concat[n_a:, :] = xt
    ft = sigmoid(Wf @ concat + bf); it = sigmoid(Wi @ concat + bi); cct = np.tanh(Wc @ concat + bc)
    c_next = ft * c_prev + it * cct
    ot = sigmoid(Wo @ concat + bo)
    a_next = ot * np.tanh(c_next)
    yt_pred = softmax(Wy @ a_next + by)
    cache = (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters)
    return a_next, c_next, yt_pred, cache

def lstm_forward(x, a0, parameters):
    caches = []
    n_x, m, T_x = x.shape
    n_y, n_a = parameters["Wy"].shape
    a = np.zeros((n_a, m, T_x)); c = np.zeros((n_a, m, T_x)); y = np.zeros((n_y, m, T_x))
    a_next = a0; c_next = np.zeros((n_a, m))
    for t in range(T_x):
        a_next, c_next, yt, cache = lstm_cell_forward(x[:, :, t], a_next, c_next, parameters)
        a[:, :, t] = a_next; y[:, :, t] = yt; c[:, :, t] = c_next
        caches.append(cache)
    caches = (caches, x)
    return a, y, c, caches

def rnn_cell_backward(da_next, cache):
    (a_next, a_prev, xt, parameters) = cache
    Wax = parameters["Wax"]; Waa = parameters["Waa"]
    dtanh = (1 - a_next ** 2) * da_next
    dxt = Wax.T @ dtanh; dWax = dtanh @ xt.T
    da_prev = Waa.T @ dtanh; dWaa = dtanh @ a_prev.T
    dba = np.sum(dtanh, axis=1, keepdims=True)
    gradients = {"dxt": dxt, "da_prev": da_prev, "dWax": dWax, "dWaa": dWaa, "dba": dba}
    return gradients

def rnn_backward(da, caches):
    (caches, x) = caches
    (a1, a0, x1, parameters) = caches[0]
    n_a, m, T_x = da.shape
    n_x, m = x1.shape
    dx = np.zeros((n_x, m, T_x)); dWax = np.zeros((n_a, n_x)); dWaa = np.zeros((n_a, n_a)); dba = np.zeros((n_a, 1))
    da_prevt = np.zeros((n_a, m))
    for t in reversed(range(T_x)):
        g = rnn_cell_backward(da[:, :, t] + da_prevt, caches[t])
        da_prevt = g["da_prev"]
        dx[:, :, t] = g["dxt"]; dWax += g["dWax"]; dWaa += g["dWaa"]; dba += g["dba"]
    return {"dx": dx, "da0": da_prevt, "dWax": dWax, "dWaa": dWaa, "dba": dba}

def lstm_cell_backward(da_next, dc_next, cache):
    (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters) = cache
    n_x, m = xt.shape
    n_a, m = a_next.shape
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    dc = dc_next + ot * (1 - np.tanh(c_next) ** 2) * da_next
    dcct = dc * it * (1 - cct ** 2)
    dit = dc * cct * it * (1 - it)
    dft = dc * c_prev * ft * (1 - ft)
    concat = np.concatenate((a_prev, xt), axis=0)
    dWf = dft @ concat.T; dWi = dit @ concat.T; dWc = dcct @ concat.T; dWo = dot @ concat.T
    dbf = dft.sum(axis=1, keepdims=True); dbi = dit.sum(axis=1, keepdims=True); dbc = dcct.sum(axis=1, keepdims=True); dbo = dot.sum(axis=1, keepdims=True)
    P = parameters
    dcat = P["Wf"].T @ dft + P["Wi"].T @ dit + P["Wc"].T @ dcct + P["Wo"].T @ dot
    da_prev = dcat[:n_a]; dxt = dcat[n_a:]
    dc_prev = dc * ft
    return {"dxt": dxt, "da_prev": da_prev, "dc_prev": dc_prev, "dWf": dWf, "dbf": dbf, "dWi": dWi, "dbi": dbi, "dWc": dWc, "dbc": dbc, "dWo": dWo, "dbo": dbo}
"""

MIN_CHAR_RNN = '''"""
Minimal character-level Vanilla RNN model.
"""
import numpy as np
data = open('input.txt', 'r').read() # should be simple plain text file
chars = list(set(data))
data_size, vocab_size = len(data), len(chars)
print 'data has %d characters, %d unique.' % (data_size, vocab_size)
char_to_ix = { ch:i for i,ch in enumerate(chars) }
ix_to_char = { i:ch for i,ch in enumerate(chars) }
hidden_size = 100
seq_length = 25
learning_rate = 1e-1
Wxh = np.random.randn(hidden_size, vocab_size)*0.01
Whh = np.random.randn(hidden_size, hidden_size)*0.01
Why = np.random.randn(vocab_size, hidden_size)*0.01
bh = np.zeros((hidden_size, 1))
by = np.zeros((vocab_size, 1))

def lossFun(inputs, targets, hprev):
  xs, hs, ys, ps = {}, {}, {}, {}
  hs[-1] = np.copy(hprev)
  loss = 0
  for t in xrange(len(inputs)):
    xs[t] = np.zeros((vocab_size,1))
    xs[t][inputs[t]] = 1
    hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t-1]) + bh)
    ys[t] = np.dot(Why, hs[t]) + by
    ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
    loss += -np.log(ps[t][targets[t],0])
  dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
  dbh, dby = np.zeros_like(bh), np.zeros_like(by)
  dhnext = np.zeros_like(hs[0])
  for t in reversed(xrange(len(inputs))):
    dy = np.copy(ps[t])
    dy[targets[t]] -= 1
    dWhy += np.dot(dy, hs[t].T)
    dby += dy
    dh = np.dot(Why.T, dy) + dhnext
    dhraw = (1 - hs[t] * hs[t]) * dh
    dbh += dhraw
    dWxh += np.dot(dhraw, xs[t].T)
    dWhh += np.dot(dhraw, hs[t-1].T)
    dhnext = np.dot(Whh.T, dhraw)
  for dparam in [dWxh, dWhh, dWhy, dbh, dby]:
    np.clip(dparam, -5, 5, out=dparam)
  return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs)-1]

n, p = 0, 0
mWxh = np.zeros_like(Wxh)
while True:
  if p+seq_length+1 >= len(data) or n == 0:
    hprev = np.zeros((hidden_size,1))
    p = 0
  loss, dWxh, dWhh, dWhy, dbh, dby, hprev = lossFun(data, data, hprev)
  if n % 100 == 0: print 'iter %d, loss: %f' % (n, loss)
'''

LSTM_LOSS = """
import numpy as np

text = open("novel.txt").read()
letters = sorted(set(text))
vocab_size, hidden_size, seq_length = len(letters), 100, 25
sigma = lambda a: 1 / (1 + np.exp(-a))
Wf, Wi, Wcc, Wo = [np.random.randn(hidden_size, hidden_size + vocab_size) * 0.01 for _ in range(4)]
bf, bi, bcc, bo = [np.zeros((hidden_size, 1)) for _ in range(4)]
Wy, by = np.random.randn(vocab_size, hidden_size) * 0.01, np.zeros((vocab_size, 1))


def lossFun(inputs, targets, hprev, cprev):
    xs, zs, hs, cs, fs, gi, go, ccs, ps = {}, {}, {-1: hprev.copy()}, {-1: cprev.copy()}, {}, {}, {}, {}, {}
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        zs[t] = np.vstack((hs[t - 1], xs[t]))
        fs[t], gi[t], go[t] = sigma(Wf @ zs[t] + bf), sigma(Wi @ zs[t] + bi), sigma(Wo @ zs[t] + bo)
        ccs[t] = np.tanh(Wcc @ zs[t] + bcc)
        cs[t] = fs[t] * cs[t - 1] + gi[t] * ccs[t]
        hs[t] = go[t] * np.tanh(cs[t])
        e = np.exp(Wy @ hs[t] + by)
        ps[t] = e / e.sum()
        loss += -np.log(ps[t][targets[t], 0])
    dWf, dWi, dWcc, dWo, dWy = [np.zeros_like(W) for W in (Wf, Wi, Wcc, Wo, Wy)]
    dbf, dbi, dbcc, dbo, dby = [np.zeros_like(b) for b in (bf, bi, bcc, bo, by)]
    dhnext, dcnext = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(inputs))):
        dy = ps[t].copy()
        dy[targets[t]] -= 1
        dWy += dy @ hs[t].T
        dby += dy
        dh = Wy.T @ dy + dhnext
        tc = np.tanh(cs[t])
        do = dh * tc * go[t] * (1 - go[t])
        dc = dcnext + dh * go[t] * (1 - tc * tc)
        df = dc * cs[t - 1] * fs[t] * (1 - fs[t])
        di = dc * ccs[t] * gi[t] * (1 - gi[t])
        dcc = dc * gi[t] * (1 - ccs[t] ** 2)
        dWf += df @ zs[t].T
        dbf += df
        dWi += di @ zs[t].T
        dbi += di
        dWcc += dcc @ zs[t].T
        dbcc += dcc
        dWo += do @ zs[t].T
        dbo += do
        dz = Wf.T @ df + Wi.T @ di + Wcc.T @ dcc + Wo.T @ do
        dhnext = dz[:hidden_size]
        dcnext = fs[t] * dc
    return loss, dWf, dWi, dWcc, dWo, dbf, dbi, dbcc, dbo, dWy, dby, hs[len(inputs) - 1], cs[len(inputs) - 1]


smooth_loss = -np.log(1.0 / vocab_size) * seq_length
while smooth_loss > 1:
    smooth_loss = 0.999 * smooth_loss + 0.001 * lossFun([0], [1], np.zeros((hidden_size, 1)), None)[0]
"""

CLASSES = """from common.np import *
from common.layers import *
from common.functions import sigmoid

class RNN:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.cache = None
    def forward(self, x, h_prev):
        Wx, Wh, b = self.params
        h_next = np.tanh(np.dot(h_prev, Wh) + np.dot(x, Wx) + b)
        self.cache = (x, h_prev, h_next)
        return h_next
    def backward(self, dh_next):
        Wx, Wh, b = self.params
        x, h_prev, h_next = self.cache
        dt = dh_next * (1 - h_next ** 2)
        self.grads[0][...] = x.T @ dt
        self.grads[1][...] = h_prev.T @ dt
        self.grads[2][...] = dt.sum(axis=0)
        return dt @ Wx.T, dt @ Wh.T

class TimeRNN:
    def __init__(self, Wx, Wh, b, stateful=False):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.layers = None
        self.h, self.dh = None, None
        self.stateful = stateful
    def forward(self, xs):
        Wx, Wh, b = self.params
        N, T, D = xs.shape
        D, H = Wx.shape
        self.layers = []
        hs = np.empty((N, T, H), dtype='f')
        if not self.stateful or self.h is None:
            self.h = np.zeros((N, H), dtype='f')
        for t in range(T):
            layer = RNN(*self.params)
            self.h = layer.forward(xs[:, t, :], self.h)
            hs[:, t, :] = self.h
            self.layers.append(layer)
        return hs
    def backward(self, dhs):
        Wx, Wh, b = self.params
        N, T, H = dhs.shape
        D, H = Wx.shape
        dxs = np.empty((N, T, D), dtype='f')
        dh = 0
        grads = [0, 0, 0]
        for t in reversed(range(T)):
            layer = self.layers[t]
            dx, dh = layer.backward(dhs[:, t, :] + dh)
            dxs[:, t, :] = dx
            for i, grad in enumerate(layer.grads):
                grads[i] += grad
        for i, grad in enumerate(grads):
            self.grads[i][...] = grad
        self.dh = dh
        return dxs
    def set_state(self, h):
        self.h = h

class LSTM:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.cache = None
    def forward(self, x, h_prev, c_prev):
        Wx, Wh, b = self.params
        N, H = h_prev.shape
        A = np.dot(x, Wx) + np.dot(h_prev, Wh) + b
        f = A[:, :H]; g = A[:, H:2*H]; i = A[:, 2*H:3*H]; o = A[:, 3*H:]
        f = sigmoid(f); g = np.tanh(g); i = sigmoid(i); o = sigmoid(o)
        c_next = f * c_prev + g * i
        h_next = o * np.tanh(c_next)
        self.cache = (x, h_prev, c_prev, i, f, g, o, c_next)
        return h_next, c_next
    def backward(self, dh_next, dc_next):
        Wx, Wh, b = self.params
        x, h_prev, c_prev, i, f, g, o, c_next = self.cache
        tanh_c_next = np.tanh(c_next)
        ds = dc_next + (dh_next * o) * (1 - tanh_c_next ** 2)
        dc_prev = ds * f
        di = ds * g * i * (1 - i); df = ds * c_prev * f * (1 - f); do = dh_next * tanh_c_next * o * (1 - o); dg = ds * i * (1 - g ** 2)
        dA = np.hstack((df, dg, di, do))
        self.grads[0][...] = np.dot(x.T, dA)
        self.grads[1][...] = np.dot(h_prev.T, dA)
        self.grads[2][...] = dA.sum(axis=0)
        return np.dot(dA, Wx.T), np.dot(dA, Wh.T), dc_prev
"""

NETWORK = """import numpy as np
from numpy.random import randn

class Network:
    def __init__(self, input_size, output_size, hidden_size=64):
        self.Whh = randn(hidden_size, hidden_size) / 1000
        self.Wxh = randn(hidden_size, input_size) / 1000
        self.Why = randn(output_size, hidden_size) / 1000
        self.bh = np.zeros((hidden_size, 1))
        self.by = np.zeros((output_size, 1))

    def forward(self, inputs):
        h = np.zeros((self.Whh.shape[0], 1))
        self.last_inputs = inputs
        self.last_hs = {0: h}
        for i, x in enumerate(inputs):
            h = np.tanh(self.Wxh @ x + self.Whh @ h + self.bh)
            self.last_hs[i + 1] = h
        y = self.Why @ h + self.by
        return y, h

    def backprop(self, d_y, learn_rate=2e-2):
        n = len(self.last_inputs)
        d_Why = d_y @ self.last_hs[n].T
        d_by = d_y
        d_Whh = np.zeros(self.Whh.shape); d_Wxh = np.zeros(self.Wxh.shape); d_bh = np.zeros(self.bh.shape)
        d_h = self.Why.T @ d_y
        for t in reversed(range(n)):
            temp = (1 - self.last_hs[t + 1] ** 2) * d_h
            d_bh += temp
            d_Whh += temp @ self.last_hs[t].T
            d_Wxh += temp @ self.last_inputs[t].T
            d_h = self.Whh.T @ temp
        for d in [d_Wxh, d_Whh, d_Why, d_bh, d_by]:
            np.clip(d, -1, 1, out=d)
        self.Whh -= learn_rate * d_Whh
        self.Wxh -= learn_rate * d_Wxh
        self.Why -= learn_rate * d_Why
        self.bh -= learn_rate * d_bh
        self.by -= learn_rate * d_by
"""
