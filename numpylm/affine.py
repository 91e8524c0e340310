"""Affine map: the projection of hidden states to the vocabulary, and of inputs to pre-activations.

    y = x W + b

    x (..., A)   W (A, B)   b (B,)   y (..., B)

The leading axes, usually (T, N), are examples. We join them into one axis, so that a whole sequence is one matrix
product. In equations (2) and (9), x is h and W is W_hy; in (1), W is W_xh; in (3) to (6) and (10) to (12), W_x.
"""

from typing import NamedTuple

import numpy as np


class AffineGradients(NamedTuple):
    """dx (..., A), dW (A, B) and db (B,): the loss's gradients, in the shapes of x, W and b."""

    dx: np.ndarray
    dW: np.ndarray
    db: np.ndarray


def affine_forward(x, W, b):
    """y = x W + b: x (..., A), W (A, B), b (B,) give y (..., B)."""
    y = rows(x) @ W
    y += b
    return y.reshape(*x.shape[:-1], W.shape[1])


def affine_backward(dy, x, W):
    """Gradients of y = x W + b from dy (..., B), as AffineGradients.

    All rows of x use the same W and b, so their gradients are sums over all rows: for W this is the product xᵀ dy.
    """
    dy_rows = rows(dy)
    db = dy_rows.sum(axis=0)
    dW = rows(x).T @ dy_rows
    dx = (dy_rows @ W.T).reshape(x.shape)
    return AffineGradients(dx, dW, db)


def rows(x):
    """x (..., A) seen as a matrix (·, A), one example a row."""
    return x.reshape(-1, x.shape[-1])
