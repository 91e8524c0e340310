"""A solution of exercise 9: backpropagation through time in the LSTM."""

from importlib import import_module

import numpy as np

exercise_8 = import_module("08_lstm_step")  # a module's name that begins with a digit cannot be written after import


def lstm_forward(x, h_0, c_0, W_x, W_h, b):
    h_t, c_t, h, c, caches = h_0, c_0, [], [], []
    for x_t in x:
        h_t, c_t, cache = exercise_8.lstm_step(x_t, h_t, c_t, W_x, W_h, b)
        h.append(h_t)
        c.append(c_t)
        caches.append(cache)
    return np.stack(h), np.stack(c), caches


def lstm_backward(dh, cache):
    dh_next, dc_next, dx, steps = np.zeros_like(dh[0]), np.zeros_like(dh[0]), [], []
    for t in reversed(range(len(dh))):
        dx_t, dh_next, dc_next, *weights = exercise_8.lstm_step_backward(dh[t] + dh_next, dc_next, cache[t])
        dx.insert(0, dx_t)
        steps.append(weights)
    dW_x, dW_h, db = [sum(over_time) for over_time in zip(*steps, strict=True)]
    return np.stack(dx), dh_next, dc_next, dW_x, dW_h, db
