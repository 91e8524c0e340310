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

from functools import cache
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
    weighted, rules, choices = {}, {}, {}  # weighted: name -> its alternatives, each a weight and symbols
    for line in text.splitlines():
        head, arrow, body = map(str.strip, line.partition("#")[0].rpartition("->"))
        if arrow:
            name = head
            weighted[name] = []
        for alternative in body.removeprefix("|").split("|") if body else ():
            weight, *symbols = alternative.split()
            weighted[name].append((int(weight), tuple(symbols)))
    for name, alternatives in weighted.items():
        weights = [weight for weight, _ in alternatives]
        rules[name] = [Rule(symbols, weight / sum(weights)) for weight, symbols in alternatives]
        cumulative = [weight / sum(weights) for weight in accumulate(weights)]  # rounded in the same way everywhere
        choices[name] = (cumulative, [symbols[::-1] for _, symbols in alternatives])
    start = next(iter(rules))
    try:
        return Grammar(start, rules, choices, _ll1_table(rules, start))
    except RecursionError:
        raise ValueError("not LL(1): a nonterminal can begin with itself") from None


def _ll1_table(rules, start):
    """For each nonterminal and next word, the only rule that can apply; ValueError where there are two."""

    @cache
    def first(symbols):
        """FIRST: the words that can begin a string of symbols, and "" if the whole string can be empty."""
        if not symbols:
            return {""}
        words = {symbols[0]}
        if symbols[0] in rules:
            words = set().union(*(first(rule.symbols) for rule in rules[symbols[0]]))
        return words - {""} | first(symbols[1:]) if "" in words else words

    follow = _follow_sets(rules, start, first)
    table = {name: {} for name in rules}
    for name, alternatives in rules.items():
        for rule in alternatives:
            words = first(rule.symbols)
            if "" in words:
                words = words - {""} | follow[name]
            if clash := words & table[name].keys():
                raise ValueError(f"not LL(1): two alternatives of {name} fit the next word {min(clash)!r}")
            table[name].update(dict.fromkeys(words, rule))
    return table


def _follow_sets(rules, start, first):
    """FOLLOW: the words, or `<eos>`, that can come directly after each nonterminal."""
    follow = {name: set() for name in rules} | {start: {EOS}}
    places = [
        (name, symbol, first(rule.symbols[i + 1 :]))
        for name, alternatives in rules.items()
        for rule in alternatives
        for i, symbol in enumerate(rule.symbols)
        if symbol in rules
    ]
    for _ in rules:  # a chain of rules that repeats no nonterminal is no longer than this
        for name, symbol, next_words in places:
            follow[symbol] |= next_words - {""} | (follow[name] if "" in next_words else set())
    return follow
