"""Exercise 14: beam search     difficulty **

    log p(Y) = Σ_t log y_t[Y_t]                        the end token included
    score(Y) = log p(Y) / ((5 + |Y|) / 6)^α            α = length_penalty      (24)

The model is a table: log_y[t, u] (V,) are the log-probabilities of the next token after t tokens, if the last
of these is u (at t = 0, u is start). log_y is (T, V, V), and no hypothesis has more than T tokens.

Begin with one empty hypothesis. At each step continue every hypothesis with every token, and keep the `width`
continuations with the highest log p. A continuation that ends with `end` is complete and leaves the beam; at
the last step all others are complete too. Stop when `width` hypotheses are complete, or when none is left.
|Y| counts the tokens of Y, its end included.

beam_search returns (tokens, score) of the complete hypothesis with the highest score: tokens is an integer
array without the end, score a number.

Check it:  python -m numpylm check exercises/14_beam_search.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["beam_search"]


def beam_search(log_y, start, end, width, length_penalty):
    """Returns (tokens, score)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. A hypothesis is a pair (log p, list of tokens). The beam is a list of at most `width` of them.
2. All continuations are one list; sort it by log p, the largest first, and cut it after `width`.
3. Cut first, and take out the complete ones afterwards: those that end also take a place among the best.
4. log p chooses within the beam; the score of (24) only chooses among the complete ones.
"""
