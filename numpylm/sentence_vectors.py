"""A sentence as one vector: the sum of its words' vectors, with weights that say where a word stands, and of its age's.

    m    = Σ_j l_j ⊙ E[word_j] + T[age]                j = 1 … J, the sentence's own words                  (40)
    l_jd = (1 - j/J) - (d/D) (1 - 2 j/J)               d = 1 … D: position encoding                         (41)

    words (…, J) integers, -1 after a sentence's end   E (V, D)   T (S, D)   m (…, D)

Without position encoding every l_jd is 1: a bag of words, in which "the cat sees the dog" is "the dog sees the cat".
The weight is a sum of two products, l_jd = a_j + b_j (d/D) with a_j = 1 - j/J and b_j = 2 j/J - 1. So the words and
the tables come apart. A sentence's bag (2 V + S,) says how often, weighted by a and then by b, it has each word of the
vocabulary, and how old it is. One product gives all vectors:

    m    = bag [E; (d/D) ⊙ E; T]                       bag (…, 2 V), or (…, 2 V + S) with ages              (42)

Source: Sukhbaatar, Szlam, Weston and Fergus, End-To-End Memory Networks (2015), section 4.1.
"""

import numpy as np

from numpylm.affine import rows


def bags_of(words, vocab_size, dtype, position_encoding=True):
    """The bags (…, 2 V) of sentences words (…, J), without their ages; of a sentence of -1 alone all is zero."""
    real = words >= 0
    j, J = np.arange(1, words.shape[-1] + 1), np.maximum(real.sum(axis=-1, keepdims=True), 1)
    weights = (1 - j / J, 2 * j / J - 1) if position_encoding else (np.ones(words.shape), np.zeros(words.shape))
    sentence = np.arange(words[..., 0].size).reshape(*words.shape[:-1], 1)
    place = [2 * vocab_size * sentence + half + words for half in (0, vocab_size)]  # in all bags laid end to end
    bags = np.zeros(2 * vocab_size * sentence.size, dtype)
    np.add.at(bags, np.array(place)[:, real], np.array(weights)[:, real])
    return bags.reshape(*words.shape[:-1], 2 * vocab_size)


def sentence_vectors_forward(bags, E, T=None):
    """m (…, D) of the sentences whose bags are given; T is the table of their ages, where the bags have them."""
    ages = [] if T is None else [T]
    return bags @ np.concatenate((E, dimension_share(E) * E, *ages))  # (42)


def sentence_vectors_backward(dm, bags, E):
    """dE (V, D) and dT (S, D) from dm (…, D)."""
    V = len(E)
    dtables = rows(bags).T @ rows(dm)  # (42)
    return dtables[:V] + dimension_share(E) * dtables[V : 2 * V], dtables[2 * V :]


def dimension_share(E):
    """d/D for d = 1 … D, in the table's precision."""
    D = E.shape[1]
    return (np.arange(1, D + 1) / D).astype(E.real.dtype)
