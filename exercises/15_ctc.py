"""Exercise 15: connectionist temporal classification, and its gradient     difficulty ***

One utterance of T frames. At each frame the model gives the probabilities y_t of a blank, symbol 0, and of V labels.
A path has one symbol for each frame; it spells a label sequence when repeats are merged, and blanks removed.

labels (U,) is what was said. l' (S,) has a blank before, between and after the labels, so that S = 2 U + 1:
l' = blank l_1 blank l_2 … blank. Here we compute with probabilities, not with logarithms: T is small.

    alpha_ts   = y_t[l'_s] Σ_r alpha_{t-1,r}                  r = s, s - 1, and s - 2 if allowed     (31)
    p(l)       = alpha_{T-1,S-1} + alpha_{T-1,S-2}                                                   (32)
    beta_ts    = Σ_r y_{t+1}[l'_r] beta_{t+1,r}               r = s, s + 1, and s + 2 if allowed     (33)
    gamma_ts   = alpha_ts beta_ts / p(l)                                                             (34)
    loss       = -log p(l)
    dlogits_tk = y_t[k] - Σ_{s: l'_s = k} gamma_ts            y_t = softmax(logits_t)                (36)

A path may step over a blank (s - 2 to s) where the two labels beside it differ. t counts from 0.
y (T, V + 1)   labels (U,), 1..V   alpha, beta, gamma (T, S)   dlogits (T, V + 1)

ctc_alpha returns alpha. ctc_dlogits returns dlogits, or a dict that may hold alpha, beta and gamma too, and each is
checked.

Check it:  python -m numpylm check exercises/15_ctc.py

Hints stand at the end of this file.
"""

import numpy as np

EXERCISE = ["ctc_alpha", "ctc_dlogits"]


def ctc_alpha(y, labels):
    """Returns alpha (T, S)."""
    raise NotImplementedError


def ctc_dlogits(y, labels):
    """Returns dlogits (T, V + 1)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. Make l' first: zeros (2 U + 1,), then every second entry from 1 on is a label.
2. At t = 0 a path is at the first blank or at the first label, and nowhere else.
3. The step from s - 2 is allowed where l'_s is no blank, and l'_s differs from l'_{s-2}. Two equal labels
   need the blank between them: without it, the two would be merged.
4. beta begins at t = T - 1: it is 1 at the last label and at the last blank, and 0 elsewhere. Then t goes
   backwards.
5. Each row of gamma has the sum 1: at every frame a path is somewhere. Print the sums to see where you are wrong.
6. If a label occurs twice in l', add up its gammas; add up those of all blanks, too. np.add.at does this.
"""
