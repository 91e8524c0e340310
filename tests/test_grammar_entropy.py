"""Exact measures against hand calculations, sums over all sentences, and means of sampled sentences."""

import math
from collections import Counter

import pytest
from grammar_examples import BRACKETS, TOYS, all_sentences, assert_mean_within, sampled_sentences

from numpylm.data import grammar as g
from numpylm.data.grammar.rules import EOS, parse_rules


def test_brackets_by_hand():
    """Expected uses n = 1 + n (1/16) 2 = 8/7, each with the entropy of a choice between 1/16 and 15/16."""
    choice = math.log(16) / 16 + math.log(16 / 15) * 15 / 16
    assert g.expected_counts(BRACKETS) == pytest.approx({"S": 8 / 7, "(": 1 / 14, ")": 1 / 14, EOS: 1})
    assert g.sentence_entropy(BRACKETS) == pytest.approx(8 / 7 * choice)
    assert g.expected_word_counts(BRACKETS) == pytest.approx({"(": 1 / 14, ")": 1 / 14, EOS: 1})


@pytest.mark.parametrize("grammar", TOYS)
def test_measures_equal_sums_over_all_sentences(grammar):
    sentences = all_sentences(grammar)
    assert sum(sentences.values()) == pytest.approx(1, abs=1e-5)
    entropy = -sum(p * math.log(p) for p in sentences.values())
    assert g.sentence_entropy(grammar) == pytest.approx(entropy, rel=1e-4)
    length = sum(p * (len(words) + 1) for words, p in sentences.items())
    assert g.expected_words(grammar) == pytest.approx(length, rel=1e-4)


def test_english_measures_equal_sampled_means():
    sentences = sampled_sentences()
    assert_mean_within([-g.log_probability(words) for words in sentences], g.sentence_entropy())
    assert_mean_within([len(words) + 1 for words in sentences], g.expected_words())
    assert_mean_within([len(" ".join(words)) + 1 for words in sentences], g.expected_characters())


def test_each_word_is_as_frequent_as_expected():
    sentences = sampled_sentences()
    counts = Counter(word for words in sentences for word in (*words, EOS))
    expected = g.expected_word_counts()
    assert counts.keys() == expected.keys()
    for word, mean in expected.items():
        assert counts[word] / len(sentences) == pytest.approx(mean, rel=6 / math.sqrt(counts[word]))


@pytest.mark.parametrize("text", ["S -> 1 ( S ) S | 1", "S -> 2 ( S ) S | 1"])
def test_grammars_of_infinite_mean_length_are_refused(text):
    with pytest.raises(ValueError, match="infinitely long"):
        g.sentence_entropy(parse_rules(text))
