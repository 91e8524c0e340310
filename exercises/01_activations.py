"""Exercise 1: activation functions and their derivatives     difficulty *

    σ(a)    = 1 / (1 + e^-a)        da = ds ⊙ s ⊙ (1 - s)       s = σ(a)
    tanh(a)                         da = dy ⊙ (1 - y²)          y = tanh(a)
    relu(a) = max(a, 0)             da = dy where y > 0         y = relu(a)

a, s, y and their gradients are arrays of one shape, here (N, V). Each derivative uses the OUTPUT, which the
forward pass has kept. `ds` is the gradient of the loss with respect to s. No function may change its
arguments.

Check it:  python -m numpylm check exercises/01_activations.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["sigmoid", "sigmoid_backward", "tanh_backward", "relu", "relu_backward"]


def sigmoid(a):
    """Returns s = σ(a), of a's shape; also for entries of ±1000."""
    raise NotImplementedError


def sigmoid_backward(ds, s):
    """Returns da, from ds and the output s."""
    raise NotImplementedError


def tanh_backward(dy, y):
    """Returns da, from dy and the output y = tanh(a)."""
    raise NotImplementedError


def relu(a):
    """Returns y = max(a, 0), entry by entry."""
    raise NotImplementedError


def relu_backward(dy, y):
    """Returns da, from dy and the output y = relu(a)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. The chain rule for one entry: da = dy times the derivative of y with respect to a.
2. np.exp, np.tanh and np.maximum work on every entry of an array at once.
3. s is σ(a) already: do not apply σ to it again.
4. y > 0 is an array of booleans; multiplied with dy it counts as 1 and 0.
"""
