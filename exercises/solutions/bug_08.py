"""Find the bug, number 8: mended."""

import numpy as np


def embedding_forward(tokens, E):
    return E[tokens]


def embedding_backward(dx, tokens, vocab_size):
    dE = np.zeros((vocab_size, dx.shape[-1]))
    for t in range(tokens.shape[0]):
        for n in range(tokens.shape[1]):
            dE[tokens[t, n]] += dx[t, n]
    return dE
