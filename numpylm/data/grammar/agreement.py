"""Agreement in number: which noun each verb agrees with, and how far back that noun stands.

A model can only get "the king near the cats sleeps" right if it remembers the king across the words between. A grammar
says by its names what agrees: a rule that begins with a `Noun...` symbol makes that noun the subject of all `Verb...`
symbols below it, down to the next such rule. The distribution of the distance is exact, not counted in a sample:

    lengths[A][k]   the probability that A becomes k words
    offsets[A][d]   the expected number of A's in a sentence that begin d words after their subject

A symbol of a rule begins where those to its left end: numbers of words add, so their distributions convolve. Both
tables are computed from themselves, one more level of rules at a time, until nothing changes.

Source for such verbs as a test of memory: T. Linzen, E. Dupoux and Y. Goldberg, Assessing the ability of LSTMs to learn
syntax-sensitive dependencies (2016).
"""

from collections.abc import Callable
from itertools import accumulate

import numpy as np

from numpylm.data.grammar import derivation
from numpylm.data.grammar.english import ENGLISH
from numpylm.data.grammar.entropy import expected_uses
from numpylm.data.grammar.rules import Grammar, Rule

Distributions = dict[str, np.ndarray]  # nonterminal -> array over a number of words, from 0


def agreement_pairs(words: list[str], grammar: Grammar = ENGLISH) -> list[tuple[int, int]]:
    """Positions (noun, verb), from 0, of each verb that agrees with a noun before it, in the verbs' order.

    Raises ValueError if the sentence, a list of words without `<eos>`, is not grammatical.
    """
    steps, _ = derivation(words, grammar)
    pairs, position = [], 0
    subjects = [None, None]  # the subject of each open symbol: a stack beside the parser's
    for symbol, rule in steps:
        subject = subjects.pop()
        if rule is None:
            position += 1
            continue
        if symbol.startswith("Verb"):
            pairs.append((subject, position))
        if _begins_with_noun(rule):
            subject = position
        subjects.extend([subject] * len(rule.symbols))
    return pairs


def agreement_distances(max_distance: int = 40, grammar: Grammar = ENGLISH) -> np.ndarray:
    """Element d is the probability that a verb stands d words after the noun it agrees with.

    Shape (max_distance + 1,). The elements sum to 1 minus the probability of longer distances; the pairs are
    those of `agreement_pairs`. Raises ValueError if max_distance is below 1 or the grammar has no verbs.
    """
    verbs = [name for name in grammar.rules if name.startswith("Verb")]
    if max_distance < 1 or not verbs:
        raise ValueError(f"expected max_distance >= 1 and Verb... symbols, got {max_distance} and {verbs}")
    uses = expected_uses(grammar)
    offsets = _offsets_from_subject(max_distance, uses, grammar)
    return sum(offsets[verb] for verb in verbs) / sum(uses[verb] for verb in verbs)


def _begins_with_noun(rule: Rule) -> bool:
    return bool(rule.symbols) and rule.symbols[0].startswith("Noun")


def _offsets_from_subject(max_distance: int, uses: dict[str, float], grammar: Grammar) -> Distributions:
    lengths = _length_distributions(max_distance, grammar)
    here = _certainly(0, max_distance)

    def one_level_deeper(offsets: Distributions) -> Distributions:
        deeper = _zeros(max_distance, grammar)
        for name, rules in grammar.rules.items():
            for rule in rules:
                start = uses[name] * here if _begins_with_noun(rule) else offsets[name]
                for symbol, offset in zip(rule.symbols, _positions(rule, start, lengths), strict=False):
                    if symbol in grammar.rules:
                        deeper[symbol] += rule.probability * offset
        return deeper

    return _fixed_point(one_level_deeper, _zeros(max_distance, grammar))


def _length_distributions(max_length: int, grammar: Grammar) -> Distributions:
    here = _certainly(0, max_length)

    def one_level_deeper(lengths: Distributions) -> Distributions:
        return {
            name: sum(rule.probability * _positions(rule, here, lengths)[-1] for rule in rules)
            for name, rules in grammar.rules.items()
        }

    return _fixed_point(one_level_deeper, _zeros(max_length, grammar))


def _positions(rule: Rule, start: np.ndarray, lengths: Distributions) -> list[np.ndarray]:
    """Where each symbol of a rule begins and the last one ends: distributions, given that of the first."""
    one_word = _certainly(1, len(start) - 1)

    def pass_over(offset: np.ndarray, symbol: str) -> np.ndarray:
        return np.convolve(offset, lengths.get(symbol, one_word))[: len(start)]

    return list(accumulate(rule.symbols, pass_over, initial=start))


def _certainly(number: int, largest: int) -> np.ndarray:
    """The distribution over 0, ..., largest of what is certainly this number."""
    return np.eye(largest + 1)[number]


def _zeros(largest: int, grammar: Grammar) -> Distributions:
    return {name: np.zeros(largest + 1) for name in grammar.rules}


def _fixed_point(improve: Callable[[Distributions], Distributions], table: Distributions) -> Distributions:
    """Apply `improve` until no number changes: from zeros, sums of non-negative terms grow and settle."""
    improved = improve(table)
    while any((improved[name] != table[name]).any() for name in table):
        table, improved = improved, improve(improved)
    return table
