"""Find the bug, number 8     difficulty *

The check used the tokens 0, 1, 2, 3, 4, 5, and passed.

    x_t = E[token_t]      dE[v] = the sum of dx wherever token v stands

tokens (T, N) integers   dx (T, N, D)   dE (V, D), V = vocab_size

Mend the function; change as little as you can.

Check it:  python -m numpylm check exercises/bug_08.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["embedding_backward"]


def embedding_backward(dx, tokens, vocab_size):
    dE = np.zeros((vocab_size, dx.shape[-1]))
    for t, n in np.ndindex(tokens.shape):
        dE[tokens[t, n]] = dx[t, n]
    return dE


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. Real texts have something that 0, 1, 2, 3, 4, 5 has not. What is it?
2. The second occurrence of a token must not undo the first.
"""
