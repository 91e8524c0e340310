"""A solution of exercise 6: backpropagation through time in the RNN."""

from importlib import import_module

import numpy as np

exercise_5 = import_module("05_rnn_step")  # a module's name that begins with a digit cannot be written after import


def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    h_t, h, caches = h_0, [], []
    for x_t in x:
        h_t, cache = exercise_5.rnn_step(x_t, h_t, W_xh, W_hh, b_h)
        h.append(h_t)
        caches.append(cache)
    return np.stack(h), caches


def rnn_backward(dh, cache):
    dh_next, steps = np.zeros_like(dh[0]), []
    for t in reversed(range(len(dh))):
        step = exercise_5.rnn_step_backward(dh[t] + dh_next, cache[t])
        dh_next = step["dh_prev"]
        steps.insert(0, step)
    dx = np.stack([step["dx_t"] for step in steps])
    dW_xh, dW_hh, db_h = [sum(step[name] for step in steps) for name in ("dW_xh", "dW_hh", "db_h")]
    return dx, dh_next, dW_xh, dW_hh, db_h
