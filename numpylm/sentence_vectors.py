"""A sentence as one vector: the sum of its words' vectors, with weights that say where a word stands.

    m    = Σ_j l_j ⊙ E[word_j]                         j = 1 … J, the sentence's own words                  (40)
    l_jd = (1 - j/J) - (d/D) (1 - 2 j/J)               d = 1 … D: position encoding                         (41)

    words (…, J) integers, -1 after a sentence's end   E (V, D)   m (…, D)

Without position encoding every l_jd is 1: a bag of words, in which "the cat sees the dog" is "the dog sees the cat".
The weight is a sum of two products, l_jd = a_j + b_j (d/D) with a_j = 1 - j/J and b_j = 2 j/J - 1. So the words' part
and the table's part come apart: with how often (weighted by a or b) each word of the vocabulary stands in a sentence,

    m = bag_a E + (d/D) ⊙ (bag_b E)                    bag_a, bag_b (…, V)                                  (42)

is two matrix products for all sentences at once, and the gradient of E two more.

Source: Sukhbaatar, Szlam, Weston and Fergus, End-To-End Memory Networks (2015), section 4.1.
"""

from typing import NamedTuple

import numpy as np

from numpylm.affine import rows


class Bags(NamedTuple):
    """a and b, each (…, V): Σ_j a_j onehot(word_j) and Σ_j b_j onehot(word_j) of every sentence."""

    a: np.ndarray
    b: np.ndarray


def bags_of(words, vocab_size, dtype, position_encoding=True):
    """The Bags of sentences words (…, J); a sentence of -1 alone has bags of zeros."""
    real = words >= 0
    j, J = np.arange(1, words.shape[-1] + 1), np.maximum(real.sum(axis=-1, keepdims=True), 1)
    a = 1 - j / J if position_encoding else np.ones(words.shape)
    b = 2 * j / J - 1 if position_encoding else np.zeros(words.shape)
    sentence = np.arange(words[..., 0].size).reshape(*words.shape[:-1], 1)
    place = (sentence * vocab_size + words)[real]  # of each word, in all bags laid end to end
    shape = (*words.shape[:-1], vocab_size)

    def bag(weights):
        flat = np.bincount(place, np.broadcast_to(weights, words.shape)[real], minlength=sentence.size * vocab_size)
        return flat.reshape(shape).astype(dtype)

    return Bags(bag(a), bag(b))


def sentence_vectors_forward(bags, E):
    """m (…, D) of the sentences whose Bags are given."""
    by_position = bags.b @ E
    return bags.a @ E + dimension_share(E) * by_position  # (42)


def sentence_vectors_backward(dm, bags, E):
    """dE (V, D) from dm (…, D)."""
    dby_position = dimension_share(E) * dm  # (42)
    return rows(bags.a).T @ rows(dm) + rows(bags.b).T @ rows(dby_position)  # (42)


def dimension_share(E):
    """d/D for d = 1 … D, in the table's precision."""
    D = E.shape[1]
    return (np.arange(1, D + 1) / D).astype(E.real.dtype)
