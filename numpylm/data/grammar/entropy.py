"""The exact entropy of a probabilistic grammar's text, and so the loss that no model can beat.

    n = e + n M             n[A]: expected uses of A in a sentence;  e: 1 for the start symbol, 0 for the others;
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


def expected_uses(grammar=ENGLISH):
    """Nonterminal -> how often it is used in a sentence, on average: the solution of n = e + n M.

    Raises ValueError if sentences are infinitely long on average (an eigenvalue of M is 1 or more).
    """
    index = {name: i for i, name in enumerate(grammar.rules)}
    M = np.zeros((len(index), len(index)))
    for name, rules in grammar.rules.items():
        for rule in rules:
            for symbol in rule.symbols:
                if symbol in index:
                    M[index[name], index[symbol]] += rule.probability
    if np.abs(np.linalg.eigvals(M)).max() > 1 - 1e-9:
        raise ValueError("expected a grammar of finite sentences: these are infinitely long on average")
    identity = np.eye(len(index))
    n = np.linalg.solve((identity - M).T, identity[index[grammar.start]])
    return dict(zip(index, n.tolist(), strict=True))


def expected_word_counts(grammar=ENGLISH):
    """Word, `<eos>` included -> how often it occurs in a sentence, on average."""
    uses = expected_uses(grammar)
    counts = {EOS: 1.0}
    for name, rules in grammar.rules.items():
        for rule in rules:
            for word in rule.symbols:
                if word not in grammar.rules:
                    counts[word] = counts.get(word, 0.0) + uses[name] * rule.probability
    return counts


def expected_words(grammar=ENGLISH):
    """Mean number of words of a sentence, `<eos>` included."""
    return sum(expected_word_counts(grammar).values())


def expected_characters(grammar=ENGLISH):
    """Mean number of characters of a line; a space follows each word, or the newline if it is the last."""
    counts = expected_word_counts(grammar)
    return sum((len(word) + 1) * count for word, count in counts.items() if word != EOS)


def sentence_entropy(grammar=ENGLISH):
    """Entropy of a sentence in nats: the mean of -log p(sentence)."""
    uses = expected_uses(grammar)
    rules = [(name, rule.probability) for name, rules in grammar.rules.items() for rule in rules]
    return sum(-uses[name] * p * math.log(p) for name, p in rules)


def entropy_per_word(grammar=ENGLISH):
    """Entropy rate of the text in nats per word, `<eos>` included: no model's mean loss is below it."""
    return sentence_entropy(grammar) / expected_words(grammar)


def entropy_per_character(grammar=ENGLISH):
    """Entropy rate of the text in nats per character, spaces and newlines included."""
    return sentence_entropy(grammar) / expected_characters(grammar)
