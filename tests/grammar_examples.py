"""What the grammar's tests share: toy grammars, sampled sentences, and the enumeration of all sentences."""

import math
import random
from collections import Counter
from functools import cache

import numpy as np

from numpylm.data.grammar import sample_sentence
from numpylm.data.grammar.rules import parse_rules

COIN = parse_rules("S -> 1 heads | 1 tails")
GEOMETRIC = parse_rules("S -> 1 a S | 1")
BRACKETS = parse_rules("S -> 1 ( S ) S | 15")
AGREEMENT = parse_rules(
    """
    S -> 2 Noun_sg Place Verb_sg | 1 Noun_pl Place Verb_pl
    Place -> 3 | 1 near Thing Place
    Thing -> 1 Noun_sg | 1 Noun_pl
    Noun_sg -> 1 dog
    Noun_pl -> 1 dogs
    Verb_sg -> 3 runs | 1 sits
    Verb_pl -> 1 run
    """
)
TOYS = [COIN, GEOMETRIC, BRACKETS, AGREEMENT]


@cache
def sampled_sentences(count=10_000, seed=5):
    """Sentences of ENGLISH, drawn once for all tests."""
    rng = random.Random(seed)
    return [tuple(sample_sentence(rng)) for _ in range(count)]


def all_sentences(grammar, least_probability=1e-9):
    """Every sentence of at least this probability, found by rewriting the leftmost symbol in every way."""
    found = Counter()
    open_strings = [(1.0, (), (grammar.start,))]
    while open_strings:
        probability, words, symbols = open_strings.pop()
        if probability < least_probability:
            continue
        if not symbols:
            found[words] += probability
        elif symbols[0] not in grammar.rules:
            open_strings.append((probability, (*words, symbols[0]), symbols[1:]))
        else:
            for rule in grammar.rules[symbols[0]]:
                open_strings.append((probability * rule.probability, words, rule.symbols + symbols[1:]))
    return found


def assert_mean_within(samples, expected, standard_errors=4.0):
    samples = np.asarray(samples, dtype=float)
    error = samples.std() / math.sqrt(len(samples))
    assert abs(samples.mean() - expected) < standard_errors * error, (samples.mean(), expected, error)
