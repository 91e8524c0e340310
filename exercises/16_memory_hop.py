"""Exercise 16: one hop of a memory network, and its backward     difficulty ***

A question u looks at a story's sentences once. m_i is what is compared, and v_i is what is read.

    e_ki    = u_k · m_i                             the score of sentence i            (43)
    p_ki    = exp(e_ki) / Σ_i exp(e_ki)             over the story's own sentences     (44)
    r_k     = Σ_i p_ki v_i                          what the hop has read              (45)
    u_{k+1} = u_k + r_k                             the question, with what was read   (46)

u, r, u_next (N, D)   m, v (I, N, D): the I sentences of N stories   e, p (N, I)
mask (I, N) is True at a story's own sentences and False at padding. Each story has at least one sentence.

hop_forward returns (u_next, p, cache). hop_backward returns (du, dm, dv), or a dict with these names; a dict may hold
dr (N, D), dp (N, I) and de (N, I) too, and each is checked.

Check it:  python -m numpylm check exercises/16_memory_hop.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["hop_forward", "hop_backward"]


def hop_forward(u, m, v, mask):
    """Returns (u_next, p, cache)."""
    raise NotImplementedError


def hop_backward(du_next, cache):
    """Returns (du, dm, dv)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. This is attention (exercise 13) with two vectors for each sentence: m in the scores, v in the sum.
2. Padding gets the score -np.inf: exp(-inf) is 0. Subtract each row's largest score before exp.
3. np.einsum("nd,ind->ni", u, m) are all scores of (43). Every other sum has the same form.
4. The softmax's backward: de_i = p_i (dp_i - Σ_j p_j dp_j).
5. u has two uses, in (46) and in (43): du is du_next + Σ_i de_i m_i.
"""
