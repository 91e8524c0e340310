"""Reading the rules of a probabilistic grammar, and checking that it is LL(1).

A rule `A -> 3 x B | 1 y` says: A becomes "x B" with probability 3/4, "y" with probability 1/4. Symbols with an
upper-case first letter, the nonterminals, are rewritten until only words are left.

LL(1) means: at every choice the next word tells which alternative was taken. An alternative fits these words:

    FIRST     the words that can begin it
    FOLLOW    if it can be empty: the words, or `<eos>`, that can come directly after its nonterminal

and no word may fit two alternatives of one nonterminal. Then each sentence has only one derivation (the grammar is
unambiguous), and a loop with a stack finds it (`numpylm.data.grammar`).

Source: P. M. Lewis and R. E. Stearns, Syntax-directed transduction (1968).
"""

from itertools import accumulate
from typing import NamedTuple

EOS = "<eos>"


class Rule(NamedTuple):
    """One alternative of a nonterminal: its symbols, left to right, and its probability."""

    symbols: tuple[str, ...]
    probability: float


class Grammar(NamedTuple):
    """Rules, and two tables made from them by `parse_rules`.

    start        the symbol that becomes a sentence
    rules        nonterminal -> its alternatives
    choices      for sampling: nonterminal -> (cumulative probabilities, each alternative's reversed symbols)
    predictions  for parsing: nonterminal -> next word -> the only alternative that fits
    """

    start: str
    rules: dict[str, list[Rule]]
    choices: dict[str, tuple[list[float], list[tuple[str, ...]]]]
    predictions: dict[str, dict[str, Rule]]


def parse_rules(text):
    """Read rules `Name -> weight symbol symbol | weight symbol ...`; the first name is the start symbol.

    A line that begins with `|` continues the rule above; `#` begins a comment; an alternative may be empty. Weights
    are positive integers. Raises ValueError for a grammar that is not LL(1).
    """
    weighted = _read_alternatives(text)
    rules, choices = {}, {}
    for name, alternatives in weighted.items():
        weights = [weight for weight, _ in alternatives]
        rules[name] = [Rule(symbols, weight / sum(weights)) for weight, symbols in alternatives]
        choices[name] = (_sampling_thresholds(weights), [symbols[::-1] for _, symbols in alternatives])
    start = next(iter(rules))
    return Grammar(start, rules, choices, _ll1_table(rules, start))


def _read_alternatives(text):
    """name -> its alternatives, each a weight and symbols."""
    weighted = {}
    for line in text.splitlines():
        head, arrow, body = map(str.strip, line.partition("#")[0].rpartition("->"))
        if arrow:
            name = head
            weighted[name] = []
        if body:
            for alternative in body.removeprefix("|").split("|"):
                weight, *symbols = alternative.split()
                weighted[name].append((int(weight), tuple(symbols)))
    return weighted


def _sampling_thresholds(weights):
    """Cumulative probabilities, each rounded up to a multiple of 2**-53, computed in integers.

    `random()` is such a multiple too, so `random() < threshold` compares exactly, on every platform.
    """
    return [-(-cumulative * 2**53 // sum(weights)) / 2**53 for cumulative in accumulate(weights)]


# FIRST, FOLLOW and the table of predictions. A chain of rules that repeats no nonterminal is at most as long as there
# are nonterminals, so as many passes over the rules find all that chains lead to.


def _ll1_table(rules, start):
    """For each nonterminal and next word, the only rule that can apply; ValueError where there are two."""
    first = _first_sets(rules)
    follow = _follow_sets(rules, start, first)
    table = {name: {} for name in rules}
    for name, alternatives in rules.items():
        for rule in alternatives:
            words = _first_of(rule.symbols, first)
            if "" in words:
                words = words - {""} | follow[name]
            if clash := words & table[name].keys():
                raise ValueError(f"not LL(1): two alternatives of {name} fit the next word {min(clash)!r}")
            table[name].update(dict.fromkeys(words, rule))
    return table


def _first_sets(rules):
    """FIRST: the words that can begin each nonterminal, and "" if it can be empty."""
    first = {name: set() for name in rules}
    for _ in rules:
        for name, alternatives in rules.items():
            first[name].update(*(_first_of(symbols, first) for symbols, _ in alternatives))
    return first


def _follow_sets(rules, start, first):
    """FOLLOW: the words, or `<eos>`, that can come directly after each nonterminal."""
    follow = {name: set() for name in rules} | {start: {EOS}}
    places = [
        (name, symbol, _first_of(symbols[i + 1 :], first))
        for name, alternatives in rules.items()
        for symbols, _ in alternatives
        for i, symbol in enumerate(symbols)
        if symbol in rules
    ]
    for _ in rules:
        for name, symbol, next_words in places:
            follow[symbol] |= next_words - {""} | (follow[name] if "" in next_words else set())
    return follow


def _first_of(symbols, first):
    """The words that can begin a string of symbols, and "" if the whole string can be empty."""
    words = set()
    for symbol in symbols:
        begins = first.get(symbol, {symbol})
        words |= begins - {""}
        if "" not in begins:
            return words
    return words | {""}
