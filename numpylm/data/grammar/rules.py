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
    return Grammar(start, rules, choices, _ll1_table(rules, start))


def _ll1_table(rules, start):
    """For each nonterminal and next word, the only rule that can apply; ValueError where there are two."""
    begin, follow = _first_and_follow(rules, start)
    table = {name: {} for name in rules}
    for name, alternatives in rules.items():
        for rule in alternatives:
            if not begin(rule.symbols, {EOS}):
                raise ValueError(f"not LL(1): {name} can begin with itself")
            words = begin(rule.symbols, follow[name])
            if clash := words & table[name].keys():
                raise ValueError(f"not LL(1): two alternatives of {name} fit the next word {min(clash)!r}")
            table[name].update(dict.fromkeys(words, rule))
    return table


def _first_and_follow(rules, start):
    """A function (symbols, words that can come after them) -> words that can come first, and FOLLOW of each name."""
    first = {name: set() for name in rules}  # with "" where a name can be empty
    follow = {name: set() for name in rules} | {start: {EOS}}

    def begin(symbols, after):
        words = set()
        for symbol in symbols:
            words |= first.get(symbol, {symbol})
            if "" not in words:
                return words
            words.remove("")
        return words | after

    before, size = None, 0
    while size != before:  # until no set grows any more
        before = size
        for name, alternatives in rules.items():
            for rule in alternatives:
                first[name] |= begin(rule.symbols, {""})
                for i, symbol in enumerate(rule.symbols):
                    if symbol in rules:
                        follow[symbol] |= begin(rule.symbols[i + 1 :], follow[name])
        size = sum(map(len, (*first.values(), *follow.values())))
    return begin, follow
