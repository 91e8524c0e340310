"""Exercise 13: one step of attention, and its backward     difficulty ***

    e_tj     = s_t · h_j                               dot-product score       (17)
    alpha_tj = exp(e_tj) / Σ_k exp(e_tk)               j, k over real words    (19)
    ctx_t    = Σ_j alpha_tj h_j                        the context vector      (20)

s_t, ctx_t (N, H)   h (T, N, H): the source's T states   alpha_t (N, T)
mask (T, N) is True at real words and False at padding. Each sentence has at least one real word.

attention_step returns (ctx_t, alpha_t, cache). attention_step_backward returns (ds_t, dh), or a dict with
these names; a dict may hold dalpha_t (N, T) and de_t (N, T) too, and each is checked.

Check it:  python -m numpylm check exercises/13_attention.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["attention_step", "attention_step_backward"]


def attention_step(s_t, h, mask):
    """Returns (ctx_t, alpha_t, cache)."""
    raise NotImplementedError


def attention_step_backward(dctx_t, cache):
    """Returns (ds_t, dh)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. Padding gets the score -np.inf: exp(-inf) is 0. Subtract each row's largest score before exp.
2. np.einsum("nh,jnh->nj", s_t, h) are all scores of (17). Every other sum has the same form.
3. The softmax's backward: de_tj = alpha_tj (dalpha_tj - Σ_k alpha_tk dalpha_tk).
4. h is used in (20) and in (17): dh_j is alpha_tj dctx_t + de_tj s_t.
"""
