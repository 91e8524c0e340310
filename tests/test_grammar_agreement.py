"""Subjects and their verbs, in sentences by hand."""

import pytest

from numpylm.data.grammar.agreement import agreement_pairs


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


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="word 3"):
        agreement_pairs(["the", "king", "sleep", "."])
    with pytest.raises(TypeError, match="single string"):
        agreement_pairs("the king sleeps .")
