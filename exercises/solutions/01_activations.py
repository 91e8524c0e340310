"""A solution of exercise 1: activation functions and their derivatives."""

import numpy as np


def sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))


def sigmoid_backward(ds, s):
    return ds * s * (1 - s)


def tanh_backward(dy, y):
    return dy * (1 - y**2)


def relu(a):
    return np.maximum(a, 0)


def relu_backward(dy, y):
    return dy * (y > 0)
