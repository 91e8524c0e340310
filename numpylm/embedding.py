"""Embedding: a table E with one row for each token of the vocabulary.

    x_t = E[token_t]  =  onehot(token_t) E

    E (V, D)   tokens (T, N) integers   x (T, N, D)

Looking up a row gives the product with a one-hot vector, without the multiplications by zero. The gradient of E is
onehotᵀ dx: every occurrence of a token **adds** its dx_t to the token's row.

Source: Bengio, Ducharme, Vincent and Jauvin, A Neural Probabilistic Language Model (2003), section 2.
"""

import numpy as np

from numpylm.affine import rows


def embedding_forward(tokens, E):
    """x = E[tokens]: tokens (T, N) and E (V, D) give x (T, N, D). The caller must check tokens, as model.py does."""
    return E[tokens]


def embedding_backward(dx, tokens, vocab_size):
    """dE (V, D) from dx (T, N, D): row v is the sum of dx over the places where token v stands."""
    dE = np.zeros((vocab_size, dx.shape[-1]), dtype=dx.dtype)
    for v, dx_t in zip(tokens.flat, rows(dx), strict=True):
        dE[v] += dx_t
    return dE
