"""The input's share of all time steps at once: xW = x W_x + b, one product for the whole sequence.

    x (T, N, D)   W_x (D, ·)   b (·,)   xW (T, N, ·)        · is H, 3H or 4H: the cell's pre-activations

If x is the embedding itself, x_t = E[token_t], one product for each token of the vocabulary is enough:

    x_t W_x + b = E[token_t] W_x + b = (E W_x + b)[token_t]                                  the folded table

If the vocabulary has fewer tokens than the window has places, V < T N, the table has fewer rows than x. The backward
pass first sums dxW over the places of each token. Products with these sums then give dE, without dx.
"""

from typing import NamedTuple

import numpy as np

from numpylm.affine import affine_backward, affine_forward, rows
from numpylm.embedding import embedding_backward, embedding_forward

MANY_PLACES = 6  # if a token has more places on average, sum_by_token is faster than embedding_backward (measured)


class Lookup(NamedTuple):
    """It says that x = E[tokens], with tokens (T, N) integers and E (V, D)."""

    tokens: np.ndarray
    E: np.ndarray


class ProjectionGradients(NamedTuple):
    """dx (T, N, D), dW_x (D, ·) and db (·,). With the folded table dE (V, D) stands in place of dx, which is None."""

    dx: np.ndarray | None
    dW_x: np.ndarray
    db: np.ndarray
    dE: np.ndarray | None


def projection_forward(x, W_x, b, lookup=None):
    """xW (T, N, ·) for x (T, N, D). With a Lookup, which says that x = E[tokens], it comes from the folded table."""
    if lookup is None:
        return affine_forward(x, W_x, b)
    table = affine_forward(lookup.E, W_x, b)  # (V, ·)
    return embedding_forward(lookup.tokens, table)


def projection_backward(dxW, x, W_x, lookup=None):
    """ProjectionGradients from dxW (T, N, ·). x and lookup are those of the forward pass."""
    if lookup is None:
        dx, dW_x, db = affine_backward(dxW, x, W_x)
        return ProjectionGradients(dx, dW_x, db, None)
    tokens, E = lookup
    dtable = table_backward(dxW, tokens, len(E))  # (V, ·)
    dE, dW_x, db = affine_backward(dtable, E, W_x)
    return ProjectionGradients(None, dW_x, db, dE)


def table_backward(dxW, tokens, vocab_size):
    """dtable (V, ·): row v is the sum of dxW (T, N, ·) over the places of token v, by the faster of two ways."""
    if tokens.size > MANY_PLACES * vocab_size:
        return sum_by_token(dxW, tokens, vocab_size)
    return embedding_backward(dxW, tokens, vocab_size)


def sum_by_token(dxW, tokens, vocab_size):
    """The same sums as embedding_backward, in a third to a half of its time if each token has a dozen places."""
    dxW_rows = rows(dxW)  # (T N, ·)
    order = np.argsort(tokens, axis=None, kind="stable")  # a token's places side by side
    ends = np.cumsum(np.bincount(tokens.ravel(), minlength=vocab_size))
    places = np.split(order, ends[:-1])  # of token 0, of token 1, …
    return np.stack([dxW_rows[places_of_v].sum(axis=0) for places_of_v in places])
