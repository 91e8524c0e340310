"""The input's share of every time step at once: xW = x W_x + b, one product for the whole sequence.

    x (T, N, D)   W_x (D, ·)   b (·,)   xW (T, N, ·)        · is H, 3H or 4H: the cell's pre-activations

Where x comes straight from the embedding, x_t = E[token_t], the product need not be made for every place of a token:

    x_t W_x + b = E[token_t] W_x + b = (E W_x + b)[token_t]                                  the folded table

A small vocabulary has fewer tokens than a window has places, V < T N, and its table fewer rows than x. The gradient
folds alike: first the sum of da over the places of each token, then the products, which give dE in place of dx.
"""

from typing import NamedTuple

import numpy as np

from numpylm.affine import affine_backward, affine_forward, rows
from numpylm.embedding import embedding_backward, embedding_forward

MANY_PLACES = 6  # of a token, from which on one sum over them is quicker than an addition for each (measured)


class Embedded(NamedTuple):
    """x = E[tokens] that is not looked up yet: tokens (T, N) integers and E (V, D)."""

    tokens: np.ndarray
    E: np.ndarray

    def __len__(self):
        return len(self.tokens)


def projection_forward(x, W_x, b):
    """xW (T, N, ·) for x (T, N, D), or for x = Embedded(tokens, E) by way of the folded table."""
    if isinstance(x, Embedded):
        table = affine_forward(x.E, W_x, b)  # (V, ·)
        return embedding_forward(x.tokens, table)
    return affine_forward(x, W_x, b)


def projection_backward(da, x, W_x):
    """AffineGradients(dx, dW_x, db) from da (T, N, ·), the gradient of xW; for an Embedded x, dx is dE (V, D)."""
    if isinstance(x, Embedded):
        many = x.tokens.size > MANY_PLACES * len(x.E)
        dtable = sum_by_token(rows(da), x.tokens, len(x.E)) if many else embedding_backward(da, x.tokens, len(x.E))
        return affine_backward(dtable, x.E, W_x)
    return affine_backward(da, x, W_x)


def sum_by_token(da_rows, tokens, vocab_size):
    """Row v of the result (V, ·) is the sum of da_rows (T N, ·) over the places of token v: what embedding_backward
    computes, in a third to a half of its time where each token has a dozen places or more."""
    order = np.argsort(tokens, axis=None, kind="stable")  # a token's places side by side
    ends = np.cumsum(np.bincount(tokens.ravel(), minlength=vocab_size))
    places = np.split(order, ends[:-1])  # of token 0, of token 1, …
    return np.stack([da_rows[places_of_v].sum(axis=0) for places_of_v in places])
