"""Activation functions, each with its derivative written in terms of its output.

    σ(a)       = 1 / (1 + e^-a)                        σ'    = s (1 - s)            s = σ(a)
    tanh(a)                                            tanh' = 1 - y²               y = tanh(a)
    relu(a)    = max(a, 0)                             relu' = 1 where y > 0        y = relu(a)
    softmax(a) = e^a / Σ_v e^a_v                       see softmax_backward
    log_softmax(a) = a - log Σ_v e^a_v                 see log_softmax_backward

The forward pass keeps the outputs, so a derivative from the output needs no second exponential.
Every function takes an array of any shape and keeps its dtype, complex too (the complex-step gradient check
of Squire and Trapp, 1998, needs this); softmax and log_softmax work along the last axis, the vocabulary.
For inputs of ±1000 all results are finite, without a warning.

Source: Goodfellow, Bengio and Courville, Deep Learning (2016), sections 3.10, 4.1 and 6.3.
"""

import numpy as np


def sigmoid(a):
    """σ(a), through the identity σ(a) = (1 + tanh(a/2)) / 2: unlike e^-a, tanh cannot overflow.

    The disadvantage: in float64, σ is a multiple of 2^-54, and it is 0 for a below about -38.
    """
    return 0.5 * (1 + np.tanh(0.5 * a))


def sigmoid_backward(ds, s):
    """da from ds, given the output s = σ(a): da = ds s (1 - s)."""
    return ds * s * (1 - s)


def tanh(a):
    """The hyperbolic tangent."""
    return np.tanh(a)


def tanh_backward(dy, y):
    """da from dy, given the output y = tanh(a): da = dy (1 - y²)."""
    return dy * (1 - y * y)


def relu(a):
    """max(a, 0). NumPy orders complex numbers by their real part, so that the complex step passes through."""
    return np.maximum(a, 0)


def relu_backward(dy, y):
    """da from dy, given the output y = relu(a): dy where y > 0, else 0, also at a = 0."""
    return dy * (y > 0)


def softmax(a):
    """Probabilities along the last axis. We first subtract the largest entry, m: softmax(a) = softmax(a - m)."""
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(dy, y):
    """da from dy, given the output y = softmax(a): da_v = y_v (dy_v - Σ_u y_u dy_u).

    The sum holds the Jacobian's off-diagonal terms: ∂y_u/∂a_v = y_u (1[u = v] - y_v).
    """
    return y * (dy - (y * dy).sum(axis=-1, keepdims=True))


def log_softmax(a):
    """log softmax(a) along the last axis, without computing a probability, which could round to zero."""
    shifted = a - a.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_softmax_backward(dz, z):
    """da from dz, given the output z = log_softmax(a): da_v = dz_v - softmax(a)_v Σ_u dz_u."""
    return dz - np.exp(z) * dz.sum(axis=-1, keepdims=True)
