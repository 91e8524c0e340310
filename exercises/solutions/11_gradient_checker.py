"""A solution of exercise 11: the gradient checker itself."""

import numpy as np


def central_difference(f, x):
    epsilon = 1e-5
    gradient = np.empty(x.shape)
    for k in np.ndindex(x.shape):
        entry = x[k]
        x[k] = entry + epsilon
        above = f()
        x[k] = entry - epsilon
        below = f()
        x[k] = entry
        gradient[k] = (above - below) / (2 * epsilon)
    return gradient


def complex_step(f, x):
    epsilon = 1e-30
    gradient = np.empty(x.shape)
    for k in np.ndindex(x.shape):
        entry = x[k]
        x[k] = entry + 1j * epsilon
        gradient[k] = f().imag / epsilon
        x[k] = entry
    return gradient
