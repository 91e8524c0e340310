"""The eighteen wrong gradients that were found in published teaching code, as a student may write them.

Each is one change in the code below, which is right, and which is written in no one's style but its own: loops over
time, a cache of its own, gradients that are added up. `check` must find it in the function named, and explain it.
"""

import re

import pytest
from student_files import check_here

CODE = """
import numpy as np

def sig(a):
    return 1 / (1 + np.exp(-a))

# ---- RNN

def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    h_t = np.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)
    return h_t, (x_t, h_prev, h_t, W_xh, W_hh)

def rnn_step_backward(dh_t, cache):
    x_t, h_prev, h_t, W_xh, W_hh = cache
    dh_t = dh_t  # rnn: change in place
    da_t = dh_t * (1 - h_t**2)
    return da_t @ W_xh.T, da_t @ W_hh.T, x_t.T @ da_t, h_prev.T @ da_t, da_t.sum(axis=0)

def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h, caches = [h_0], []
    for x_t in x:
        h_t, cache = rnn_step(x_t, h[-1], W_xh, W_hh, b_h)
        h.append(h_t)
        caches.append(cache)
    return np.stack(h[1:]), (x, np.stack(h), W_xh, W_hh)

def rnn_backward(dh, cache):
    x, h, W_xh, W_hh = cache
    dx, dW_xh, dW_hh, db_h = np.zeros_like(x), np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))
    dh_next = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        da_t = (dh[t] + dh_next) * (1 - h[t + 1] ** 2)
        dx[t] = da_t @ W_xh.T
        dh_next = da_t @ W_hh.T
        dW_xh += x[t].T @ da_t
        dW_hh += h[t].T @ da_t
        db_h += da_t.sum(axis=0)
    return dx, dh_next, dW_xh, dW_hh, db_h

# ---- RNN with ReLU

def rnn_relu_step(x_t, h_prev, W_xh, W_hh, b_h):
    h_t = np.maximum(x_t @ W_xh + h_prev @ W_hh + b_h, 0)
    return h_t, (x_t, h_prev, h_t, W_xh, W_hh)

def rnn_relu_step_backward(dh_t, cache):
    x_t, h_prev, h_t, W_xh, W_hh = cache
    da_t = dh_t * (h_t > 0)
    return da_t @ W_xh.T, da_t @ W_hh.T, x_t.T @ da_t, h_prev.T @ da_t, da_t.sum(axis=0)

# ---- LSTM

def lstm_step(x_t, h_prev, c_prev, W_x, W_h, b):
    a_i, a_f, a_o, a_c = np.split(x_t @ W_x + h_prev @ W_h + b, 4, axis=1)
    i, f, o, g = sig(a_i), sig(a_f), sig(a_o), np.tanh(a_c)
    c_t = f * c_prev + i * g
    tanh_c = np.tanh(c_t)
    return o * tanh_c, c_t, (x_t, h_prev, c_prev, i, f, o, g, tanh_c, W_x, W_h)

def lstm_step_backward(dh_t, dc_next, cache):
    x_t, h_prev, c_prev, i, f, o, g, tanh_c, W_x, W_h = cache
    do = dh_t * tanh_c
    dc = dc_next + dh_t * o * (1 - tanh_c**2)
    di, df, dg = dc * g, dc * c_prev, dc * i
    da = np.concatenate((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)), axis=1)
    dc_prev = dc * f
    dh_prev = da @ W_h.T
    return da @ W_x.T, dh_prev, dc_prev, x_t.T @ da, h_prev.T @ da, da.sum(axis=0)

def lstm_forward(x, h_0, c_0, W_x, W_h, b):
    h_t, c_t, h, caches = h_0, c_0, [], []
    for x_t in x:
        h_t, c_t, cache = lstm_step(x_t, h_t, c_t, W_x, W_h, b)
        h.append(h_t)
        caches.append(cache)
    return np.stack(h), caches

def lstm_backward(dh, cache):
    dx, dW_x, dW_h, db = [], 0, 0, 0
    dh_next = dc_next = np.zeros_like(dh[0])
    for t in reversed(range(len(dh))):
        dx_t, dh_next, dc_next, dW_x_t, dW_h_t, db_t = lstm_step_backward(dh[t] + dh_next, dc_next, cache[t])
        dx.insert(0, dx_t)
        dW_x, dW_h, db = dW_x + dW_x_t, dW_h + dW_h_t, db + db_t
    return np.stack(dx), dh_next, dc_next, dW_x, dW_h, db

# ---- the rest

def affine_backward(dy, x, W):
    rows, dy_rows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    return dy @ W.T, rows.T @ dy_rows, dy_rows.sum(axis=0)

def tanh_backward(dy, y):
    da = dy
    return da * (1 - y * y)

def embedding_backward(dx, tokens, vocab_size):
    dE = np.zeros((vocab_size, dx.shape[-1]))
    np.add.at(dE, tokens, dx)
    return dE

def cross_entropy_forward(logits, targets):
    z = logits - logits.max(axis=-1, keepdims=True)
    z = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(z, targets[..., None], -1).mean(), (np.exp(z), targets)

def cross_entropy_backward(cache):
    y, targets = cache
    dlogits = y.copy()
    np.put_along_axis(dlogits, targets[..., None], np.take_along_axis(y, targets[..., None], -1) - 1, -1)
    return dlogits / targets.size
"""
RNN_LAST = "    return dx, dh_next, dW_xh, dW_hh, db_h"
CLIPPED = """    gradients = [dx, dh_next, dW_xh, dW_hh, db_h]
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return tuple(g * min(1, 1 / norm) for g in gradients)"""
FLOAT32 = "np.zeros_like(x), np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(len(W_hh))"

MISTAKES = {  # the list's number, what is changed: (function, right, wrong, what must be said)
    "1": ("rnn_step_backward", "* (1 - h_t**2)\n    return da_t @ W_xh.T, da_t @ W_hh.T, x_t.T",
          "* (1 - h_t**2)\n    return da_t @ W_xh.T, da_t @ W_hh, x_t.T", "multiplied by the transpose"),
    "2": ("lstm_backward", "(dh[t] + dh_next, dc_next, cache[t])", "(dh[t], 0 * dh[t], cache[t])",
          "restart from zero at each step"),
    "3": ("lstm_step_backward", "    dc_prev = dc * f\n    dh_prev = da @ W_h.T",
          "    dh_prev = da @ W_h.T\n    dc_prev = (dc_next + dh_prev * o * (1 - tanh_c**2)) * f",
          "dh_t was overwritten by dh_prev before dc_prev was computed"),
    "4, of c_t": ("lstm_step_backward", "dh_t * o * (1 - tanh_c**2)", "dh_t * o * (1 - np.tanh(tanh_c) ** 2)",
                  "tanh was applied a second time"),
    "4, of c̃_t": ("lstm_step_backward", "dg * (1 - g**2)", "dg * (1 - np.tanh(g) ** 2)",
                  "tanh was applied a second time"),
    "5, in one gate": ("lstm_step_backward", "df * f * (1 - f)", "df * sig(f) * (1 - sig(f))",
                       "σ was applied a second time, to f_t"),
    "5, in all three": ("lstm_step_backward", "di * i * (1 - i), df * f * (1 - f), do * o * (1 - o)",
                        "di * sig(i) * (1 - sig(i)), df * sig(f) * (1 - sig(f)), do * sig(o) * (1 - sig(o))",
                        "the activation was applied a second time"),
    "6, h_t": ("rnn_backward", "dW_hh += h[t].T", "dW_hh += h[t + 1].T", "off by one in time"),
    "6, wrapping": ("rnn_backward", "dW_hh += h[t].T", "dW_hh += h[1:][t - 1].T", "wraps round at t = 0"),
    "6, c_t": ("lstm_step_backward", "dc * c_prev, dc * i", "dc * (f * c_prev + i * g), dc * i", "off by one in time"),
    "7": ("rnn_backward", "dW_hh += h[t].T", "dW_hh = h[t].T", "the sum over time is overwritten at each step"),
    "8": ("rnn_backward", RNN_LAST, CLIPPED, "clipp"),
    "9": ("cross_entropy_backward", "dlogits = y.copy()", "dlogits = y", "changes its argument cache"),
    "10, the whole": ("tanh_backward", "    da = dy\n", "    da = dy\n    da *= 1\n    da += 1e-9\n",
                      "changes its argument dy in place"),
    "10, in a step": ("rnn_step_backward", "dh_t = dh_t  # rnn: change in place", "dh_t *= 1 - h_t**2",
                      "changes its argument dh_t in place"),
    "11": ("rnn_backward", FLOAT32, FLOAT32.replace("np.zeros_like(W_hh)", "np.zeros(W_hh.shape, np.float32)"),
           "float32"),
    "12, not summed": ("affine_backward", "dy_rows.sum(axis=0)", "dy_rows", "db is of shape (12, 7)"),
    "12, broadcast": ("affine_backward", "dy_rows.sum(axis=0)", "dy_rows.sum() + np.zeros(dy.shape[-1])",
                      "the same all along axis 0"),
    "13, N for T·N": ("cross_entropy_backward", "/ targets.size", "/ targets.shape[1]", "it is divided by N only"),
    "13, T for T·N": ("cross_entropy_backward", "/ targets.size", "/ targets.shape[0]", "it is divided by T only"),
    "14, diagonal": ("cross_entropy_backward", "dlogits = y.copy()", "dlogits = np.zeros_like(y)", "off-diagonal"),
    "14, by y": ("cross_entropy_backward", "    dlogits = y.copy()\n    np.put_along_axis(dlogits, targets[..., None], "
                 "np.take_along_axis(y, targets[..., None], -1) - 1, -1)",
                 "    dlogits = np.zeros_like(y)\n    np.put_along_axis(dlogits, targets[..., None], "
                 "-1 / np.take_along_axis(y, targets[..., None], -1), -1)", "not to the logits"),
    "15": ("lstm_step_backward", "dc_prev = dc * f", "dc_prev = dc_next * f", "only dc_next goes on to c_{t-1}"),
    "16": ("lstm_step_backward", "dc_prev = dc * f", "dc_prev = dc", "the forget path is missing: f_t is left out"),
    "17, the wrong side": ("rnn_relu_step_backward", "(h_t > 0)", "(h_t <= 0)", "wrong side"),
    "17, of h_prev": ("rnn_relu_step_backward", "(h_t > 0)", "(h_prev > 0)", "at h_{t-1}, but it is h_t"),
    "18": ("embedding_backward", "np.add.at(dE, tokens, dx)", "dE[tokens] += dx", "is assigned, not added"),
}  # fmt: skip


def findings(tmp_path, source):
    """Name -> what is found."""
    path = tmp_path / "mine.py"
    path.write_text(source, encoding="utf-8")
    return check_here(path).findings


def test_the_code_is_right_as_it_stands(tmp_path):
    found = findings(tmp_path, CODE)
    assert len(found) == 15 and {finding["status"] for finding in found.values()} == {"ok"}, found


@pytest.mark.parametrize("number", MISTAKES)
def test_it_is_caught_and_explained(number, tmp_path):
    function, right, wrong, words = MISTAKES[number]
    assert CODE.count(right) == 1
    finding = findings(tmp_path, CODE.replace(right, wrong))[function]
    assert finding["status"] == "wrong"
    said = " ".join(finding["sentences"] + finding.get("diagnosis", []))
    assert words in said, said


def test_the_list_is_whole():
    assert {int(re.match(r"\d+", number).group()) for number in MISTAKES} == set(range(1, 19))
