"""The built-in grammar: the numbers of its docstring, its words, and what it accepts and rejects."""

import math
import re

import numpy as np
import pytest
from grammar_examples import sampled_sentences

from numpylm.data.grammar import english as grammar_english
from numpylm.data.grammar import (
    entropy_per_character,
    entropy_per_word,
    expected_characters,
    expected_word_counts,
    expected_words,
    is_grammatical,
    sentence_entropy,
)
from numpylm.data.grammar.agreement import agreement_pairs, forms

# Numbers


def unigram_perplexity():
    frequencies = np.array(list(expected_word_counts().values())) / expected_words()
    return math.exp(-(frequencies * np.log(frequencies)).sum())


def test_the_numbers_in_the_docstring():
    bits = entropy_per_character() / math.log(2)
    measured = [
        f"{len(expected_word_counts()) - 1} words and <eos>",
        f"{expected_words():.2f} words, {expected_characters():.2f} characters",
        f"{sentence_entropy():.2f} nats on average",
        f"perplexity {math.exp(entropy_per_word()):.3f} per word ({entropy_per_word():.3f} nats)",
        f"{math.exp(entropy_per_character()):.3f} per character ({bits:.3f} bits)",
        f"{unigram_perplexity():.1f} per word",
    ]
    for number in measured:
        assert number in grammar_english.__doc__


def test_the_distances_in_the_docstring():
    distances = [verb - noun for words in sampled_sentences() for noun, verb in agreement_pairs(words)]
    (row,) = re.findall("verbs +([\\d. ]+)\n", grammar_english.__doc__)
    bins = [(1, 2), (2, 3), (3, 5), (5, 10), (10, 20), (20, 999)]
    for share, (least, most) in zip(map(float, row.split()), bins, strict=True):
        counted = 100 * np.mean([least <= distance < most for distance in distances])
        assert counted == pytest.approx(share, abs=4 * math.sqrt(share * (100 - share) / len(distances)))


# Words


PAIRS = forms("Noun", "Relation", "Verb_be", "Verb_intransitive", "Verb_transitive")
OTHER_NUMBER = dict(PAIRS) | {plural: singular for singular, plural in PAIRS}


# Sentences


def test_a_verb_or_its_noun_in_the_other_number_is_rejected():
    for words in sampled_sentences()[:500]:
        for position in {position for pair in agreement_pairs(words) for position in pair}:
            changed = list(words)
            changed[position] = OTHER_NUMBER[words[position]]
            assert not is_grammatical(changed), changed


@pytest.mark.parametrize(
    "sentence",
    [
        "the king near the cats sleep .",
        '" the king is happy .',
        "the king sleeps . <eos>",
        "the unicorn sleeps .",
        "",
        "the Noun_sg sleeps .",
    ],
)
def test_what_the_grammar_cannot_produce_is_ungrammatical(sentence):
    assert not is_grammatical(sentence.split())


# Subjects and their verbs


def test_agreement_pairs_by_hand():
    def pairs(sentence):
        words = sentence.split()
        return [(words[noun], words[verb]) for noun, verb in agreement_pairs(words)]

    assert pairs("the king sees a dog .") == [("king", "sees")]
    assert pairs("the king that the cats see sleeps .") == [("cats", "see"), ("king", "sleeps")]
    expected = [("king", "sees"), ("cats", "sleep"), ("king", "is")]
    assert pairs("the king that sees many cats that sleep is small .") == expected
    assert pairs('" the kings ( friends of the dog ) sing , " says the queen .') == [("kings", "sing")]
    assert agreement_pairs(["the", "small", "king", "near", "the", "dogs", "sings", "."]) == [(2, 6)]
