"""Subjects and their verbs: sentences by hand, and exact distances against sampled ones."""

import numpy as np
import pytest
from grammar_examples import AGREEMENT, COIN, assert_mean_within, sampled_sentences

from numpylm.data.grammar.agreement import agreement_distances, agreement_pairs
from numpylm.data.grammar.entropy import expected_uses


def test_agreement_pairs_by_hand():
    def pairs(sentence):
        words = sentence.split()
        return [(words[noun], words[verb]) for noun, verb in agreement_pairs(words)]

    assert pairs("the king sees a dog .") == [("king", "sees")]
    assert pairs("the king that the cats see sleeps .") == [("cats", "see"), ("king", "sleeps")]
    assert pairs("the king that sees many cats that sleep is small .") == [
        ("king", "sees"),
        ("cats", "sleep"),
        ("king", "is"),
    ]
    assert pairs('" the kings ( friends of the dog ) sing , " says the queen .') == [("kings", "sing")]
    assert agreement_pairs(["the", "small", "king", "near", "the", "dogs", "sings", "."]) == [(2, 6)]


def test_agreement_distances_of_a_toy_by_hand():
    """Each place, one more with probability 1/4, puts two words between the noun and its verb."""
    distances = agreement_distances(9, AGREEMENT)
    assert distances[1::2] == pytest.approx([0.75 * 0.25**places for places in range(5)])
    assert (distances[0::2] == 0).all()


def test_agreement_distances_equal_sampled_means():
    sentences, exact = sampled_sentences()[:5000], agreement_distances(20)
    uses = expected_uses()
    verbs = sum(uses[name] for name in uses if name.startswith("Verb"))
    counts = np.zeros((len(sentences), len(exact)))
    for row, words in zip(counts, sentences, strict=True):
        for noun, verb in agreement_pairs(words):
            row[min(verb - noun, len(exact) - 1)] += 1
    assert_mean_within(counts.sum(axis=1), verbs)
    for distance in range(1, 20):
        assert_mean_within(counts[:, distance], verbs * exact[distance])
    assert_mean_within(counts[:, 20:].sum(axis=1), verbs * (1 - exact[:20].sum()))


def test_agreement_distances_do_not_depend_on_where_they_are_cut():
    long = agreement_distances(30)
    np.testing.assert_allclose(agreement_distances(10), long[:11], rtol=1e-12, atol=0)
    assert long.sum() == pytest.approx(1, abs=1e-3)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="word 3"):
        agreement_pairs(["the", "king", "sleep", "."])
    with pytest.raises(TypeError, match="single string"):
        agreement_pairs("the king sleeps .")
    with pytest.raises(ValueError, match="max_distance >= 1"):
        agreement_distances(0)
    with pytest.raises(ValueError, match="Verb"):
        agreement_distances(5, COIN)
