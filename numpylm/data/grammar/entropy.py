"""The exact entropy of a probabilistic grammar's text, and so the loss that no model can beat.

    n = e + n M             n[A]: expected number of the symbol A, a word or a nonterminal, in a sentence's derivation;
                            e: 1 for the start symbol, 0 for the others;
                            M[A, B]: expected number of B's in one rewriting of A
    H(sentence) = sum over A of n[A] H(A),  with H(A) = - sum of p log p over the rules of A, in nats

A sentence has only one derivation (`numpylm.data.grammar.rules`), so this holds. H(sentence) /
(expected words) is the mean loss per word that no model can beat on endless text, and its exponential the lowest
perplexity; a word is also the end of a sentence, `<eos>`. The same per character, with spaces and newlines.

Sources: T. L. Booth and R. A. Thompson, Applying probability measures to abstract languages (1973), for n and M;
S. Soule, Entropies of probabilistic grammars (1974), for H.
"""

import math

import numpy as np

from numpylm.data.grammar.english import ENGLISH
from numpylm.data.grammar.rules import EOS


def expected_counts(grammar=ENGLISH):
    """Symbol, a word, a nonterminal or `<eos>` -> how often it occurs in a derivation, on average: n = e + n M.

    Raises ValueError if sentences are infinitely long on average (an eigenvalue of M is 1 or more).
    """
    parts = [(name, part, rule.probability) for name, rule in rules_of(grammar) for part in rule.symbols]
    symbols = dict.fromkeys([*grammar.rules, *(part for _, part, _ in parts)])
    index = {symbol: i for i, symbol in enumerate(symbols)}
    M = np.zeros((len(index), len(index)))
    for name, part, probability in parts:
        M[index[name], index[part]] += probability
    if np.abs(np.linalg.eigvals(M)).max() > 1 - 1e-9:
        raise ValueError("expected a grammar of finite sentences: these are infinitely long on average")
    identity = np.eye(len(index))
    n = np.linalg.solve((identity - M).T, identity[index[grammar.start]])
    return dict(zip(index, n.tolist(), strict=True)) | {EOS: 1.0}


def rules_of(grammar):
    """Pairs (nonterminal, Rule)."""
    return [(name, rule) for name, rules in grammar.rules.items() for rule in rules]


def expected_word_counts(grammar=ENGLISH):
    """Word, `<eos>` included -> how often it occurs in a sentence, on average."""
    return {symbol: n for symbol, n in expected_counts(grammar).items() if symbol not in grammar.rules}


def expected_words(grammar=ENGLISH):
    """Mean number of words of a sentence, `<eos>` included."""
    return sum(expected_word_counts(grammar).values())


def expected_characters(grammar=ENGLISH):
    """Mean number of characters of a line; a space follows each word, or the newline if it is the last."""
    return sum((len(word) + 1) * n for word, n in expected_word_counts(grammar).items() if word != EOS)


def sentence_entropy(grammar=ENGLISH):
    """Entropy of a sentence in nats: the mean of -log p(sentence)."""
    n = expected_counts(grammar)
    return sum(-n[name] * rule.probability * math.log(rule.probability) for name, rule in rules_of(grammar))


def entropy_per_word(grammar=ENGLISH):
    """Entropy rate of the text in nats per word, `<eos>` included: no model's mean loss is below it."""
    return sentence_entropy(grammar) / expected_words(grammar)


def entropy_per_character(grammar=ENGLISH):
    """Entropy rate of the text in nats per character, spaces and newlines included."""
    return sentence_entropy(grammar) / expected_characters(grammar)
