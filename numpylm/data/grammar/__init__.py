"""Drawing sentences from a probabilistic grammar, judging sentences, predicting their next word; the exact entropy.

    log p(sentence)      = sum of log p(rule) over the rules of its derivation
    p(word | the prefix) = sum over the ways to rewrite the topmost open symbol until a word stands first
    H(sentence)          = sum over A of n[A] H(A), with H(A) = - sum of p log p over the rules of A, in nats
    n                    = e + n M: n[A] is the expected number of the symbol A, a word or a nonterminal, in a
                           derivation, e is 1 for the start symbol and 0 for the others, and M[A, B] is the expected
                           number of B's in one rewriting of A

A sentence is a list of words, without `<eos>`. A stack holds the symbols still open, the next one on top. To draw a
sentence, take the top symbol, again and again: a nonterminal becomes one of its alternatives, a word is the next word.
To parse one, do the same, with the alternative that the next word tells: as the grammar is LL(1) there is only one.

    rules.py       reads the rules of a grammar and makes sure that it is LL(1)
    english.py     ENGLISH, the grammar of the built-in corpus, and its numbers
    agreement.py   which noun each verb agrees with

A sentence has only one derivation, so its entropy is that of the rules. H(sentence) / (expected words) is the mean loss
per word that no model can beat on endless text, and its exponential the lowest perplexity; a word is also the end of a
sentence, `<eos>`. The same per character, with spaces and newlines.

Sources: P. M. Lewis and R. E. Stearns, Syntax-directed transduction (1968), for LL(1) parsing; T. L. Booth and R. A.
Thompson, Applying probability measures to abstract languages (1973), for n and M; S. Soule, Entropies of probabilistic
grammars (1974), for H.
"""

import math
from bisect import bisect_right
from random import Random

import numpy as np

from numpylm.data.grammar.english import ENGLISH
from numpylm.data.grammar.rules import EOS


def sample_sentence(rng, grammar=ENGLISH):
    """Draw the words of one sentence, without `<eos>`; one call of `rng.random()` for each rule used."""
    random, choices = rng.random, grammar.choices
    words = []
    stack = [grammar.start]
    while stack:
        symbol = stack.pop()
        if symbol in choices:
            thresholds, alternatives = choices[symbol]
            stack.extend(alternatives[bisect_right(thresholds, random())])
        else:
            words.append(symbol)
    return words


def generate_text(num_words, seed, grammar=ENGLISH):
    """Sentences, one a line, until there are `num_words` words or more, each line's end counted as a word.

    Only `random.Random(seed).random()` is used, whose stream Python guarantees never to change.
    Raises ValueError if `num_words` is not positive or `seed` is negative (Python ignores a seed's sign).
    """
    if num_words < 1 or seed < 0:
        raise ValueError(f"expected num_words >= 1 and seed >= 0, got {num_words} and {seed}")
    rng = Random(seed)
    lines = []
    words_so_far = 0
    while words_so_far < num_words:
        words = sample_sentence(rng, grammar)
        lines.append(" ".join(words) + "\n")
        words_so_far += len(words) + 1
    return "".join(lines)


def log_probability(words, grammar=ENGLISH):
    """log p(sentence) in nats; -inf if it is not grammatical. `words` is a whole sentence without `<eos>`."""
    try:
        steps, _ = derivation(words, grammar)
    except ValueError:
        return -math.inf
    return sum(math.log(rule.probability) for _, rule in steps if rule)


def is_grammatical(words, grammar=ENGLISH):
    """Whether the grammar can produce this whole sentence (without `<eos>`)."""
    return log_probability(words, grammar) > -math.inf


def next_word_distribution(prefix_words, grammar=ENGLISH):
    """Word -> the exact p(next word | the words of the sentence so far); `<eos>` is the end of the sentence.

    Raises ValueError if no sentence begins with this prefix, or if the prefix has already ended with `<eos>`.
    """
    _, stack = derivation(prefix_words, grammar, complete=False)
    if not stack:
        raise ValueError(f"expected the words of one unfinished sentence, got a prefix that ends with {EOS}")
    possible = {}
    pending = [(1.0, stack)]  # expand the top of the stack in every way until it is a word; LL(1): one way for each
    while pending:
        probability, (*below, symbol) = pending.pop()
        if symbol not in grammar.rules:
            possible[symbol] = probability
        for rule in grammar.rules.get(symbol, []):
            pending.append((probability * rule.probability, [*below, *reversed(rule.symbols)]))
    return possible


def derivation(words, grammar=ENGLISH, complete=True):
    """The leftmost derivation as steps (nonterminal, Rule) or (word, None), and the stack of symbols still open.

    If not `complete`, `words` is a prefix: a symbol is rewritten only when the next word is known, so the stack, top
    last, is all that the rest depends on. Raises ValueError at the first word that cannot stand where it does, and
    TypeError for a string.
    """
    if isinstance(words, str):
        raise TypeError("expected a list of words, got a single string: split it first")
    steps, stack = [], [EOS, grammar.start]
    for position, word in enumerate([*words, EOS] if complete else words):
        while stack and (rule := grammar.predictions.get(stack[-1], {}).get(word)):
            steps.append((stack.pop(), rule))
            stack.extend(reversed(rule.symbols))
        if stack[-1:] != [word] or word in grammar.rules:
            raise ValueError(f"word {position + 1}: {word!r} cannot stand here in a sentence of the grammar")
        steps.append((stack.pop(), None))
    return steps, stack


# Entropy


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
