"""Find the bug, number 8: mended."""

import numpy as np


def embedding_backward(dx, tokens, vocab_size):
    dE = np.zeros((vocab_size, dx.shape[-1]))
    for t, n in np.ndindex(tokens.shape):
        dE[tokens[t, n]] += dx[t, n]
    return dE
