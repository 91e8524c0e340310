"""A solution of exercise 3: the embedding, and tokens that occur twice."""

import numpy as np


def embedding_forward(tokens, E):
    return E[tokens]


def embedding_backward(dx, tokens, vocab_size):
    dE = np.zeros((vocab_size, dx.shape[-1]), dtype=dx.dtype)
    np.add.at(dE, tokens, dx)
    return dE
