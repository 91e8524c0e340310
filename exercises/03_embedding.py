"""Exercise 3: the embedding, and tokens that occur twice     difficulty *

    x_t = E[token_t]
    dE[v] = the SUM of dx_t[n] over all places (t, n) where token v stands

tokens (T, N) integers   E (V, D)   x and dx (T, N, D)   dE (V, D)

Check it:  python -m numpylm check exercises/03_embedding.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["embedding_forward", "embedding_backward"]


def embedding_forward(tokens, E):
    """Returns x (T, N, D)."""
    raise NotImplementedError


def embedding_backward(dx, tokens, vocab_size):
    """Returns dE (V, D); V = vocab_size."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. NumPy's indexing with an array of integers does the whole forward pass at once.
2. A token occurs twice in tokens: what should its row hold? And the row of a token that never occurs?
3. dE[tokens] += dx adds only once for a token that occurs twice. np.add.at does not have this fault.
"""
