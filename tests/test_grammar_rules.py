"""Reading rules: what is refused, exact sampling thresholds, and the LL(1) table against reachability in a graph."""

import re
from fractions import Fraction
from itertools import combinations

import pytest
from grammar_examples import TOYS
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm.data.grammar import rules as grammar_rules
from numpylm.data.grammar.english import ENGLISH
from numpylm.data.grammar.rules import EOS, parse_rules

CHAIN = ["A -> 1 B | 1 a", "B -> 1 C | 1 b", "C -> 1 D | 1 c", "D -> 1 E | 1 d", "E -> 1 | 1 e"]
CHAINS = [parse_rules("\n".join(["S -> 1 A . | 1 s", *order])) for order in (CHAIN, CHAIN[::-1])]

# What is read and what is refused


def test_comments_continued_lines_and_empty_alternatives_are_read():
    grammar = parse_rules("# toys\nS -> 1 a S  # again\n   | 2\n   | 1 T\n\nT -> 1 b")
    assert grammar.start == "S" and list(grammar.rules) == ["S", "T"]
    assert grammar.rules["S"] == [(("a", "S"), 0.25), ((), 0.5), (("T",), 0.25)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one rule"),
        ("S 1 a", "line 1: expected 'Name -> ...'"),
        ("| 1 a", "line 1: expected 'Name -> ...'"),
        ("s -> 1 a", "upper-case name"),
        ("S T -> 1 a", "upper-case name"),
        ("S -> 1 a\nS -> 1 b", "line 2: expected a new"),
        ("S -> a", "positive integer weight, got 'a'"),
        ("S -> 0 a", "positive integer weight, got '0'"),
        ("S -> 1 a | 0.5 b", "positive integer weight, got '0.5'"),
        ("S -> 1 a | | 1 b", "positive integer weight, got ''"),
        ("S ->", "positive integer weight, got ''"),
        ("S -> 1 Noun", "S: expected words and defined nonterminals, got 'Noun'"),
        ("S -> 1 a <eos>", "got '<eos>'"),
    ],
)
def test_malformed_rules_are_refused(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "S -> 1 a b | 1 a c",
        "S -> 1 A | 1 B\nA -> 1 x\nB -> 1 x",
        "S -> 1 A a\nA -> 1 a | 1",
        "S -> 1 A B\nA -> 1 | 1 x\nB -> 1 | 1 x",
        "S -> 1 S a | 1 b",
        "S -> 1 | 1 A\nA -> 1 | 1 x",
        "S -> 1 S S | 1 a | 1",
    ],
)
def test_grammars_that_are_not_ll1_are_refused(text):
    with pytest.raises(ValueError, match="not LL"):
        parse_rules(text)


# Sampling thresholds


@pytest.mark.parametrize("grammar", [ENGLISH, *TOYS])
def test_probabilities_and_thresholds_are_complete(grammar):
    for name, rules in grammar.rules.items():
        assert sum(rule.probability for rule in rules) == pytest.approx(1, abs=1e-15)
        thresholds, alternatives = grammar.choices[name]
        assert thresholds[-1] == 1.0 and thresholds == sorted(set(thresholds))
        assert [rule.symbols for rule in rules] == [symbols[::-1] for symbols in alternatives]


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20), st.data())
@settings(deadline=None, max_examples=50)
def test_sampling_compares_exactly(weights, data):
    """For k / 2**53, a value of `random()`, the threshold decides as integers do, even right beside it."""
    index = data.draw(st.integers(0, len(weights) - 1))
    share = Fraction(sum(weights[: index + 1]), sum(weights))
    threshold = grammar_rules._sampling_thresholds(weights)[index]
    for k in range(int(share * 2**53) - 2, int(share * 2**53) + 3):
        assert (k / 2**53 < threshold) == (Fraction(k, 2**53) < share)


# The LL(1) table


def nullable_names(grammar):
    """The nonterminals that can be empty."""
    nullable = set()
    while (
        more := {
            name for name, rules in grammar.rules.items() if any(nullable.issuperset(rule.symbols) for rule in rules)
        }
        - nullable
    ):
        nullable |= more
    return nullable


def visible(symbols, nullable):
    """The symbols that can stand first once nullable ones before them have vanished."""
    for symbol in symbols:
        yield symbol
        if symbol not in nullable:
            return


def graph(grammar, nullable):
    """Edges from each nonterminal A to what can begin it, and from (A, "after") to what can follow it."""
    edges = {(grammar.start, "after"): {EOS}}
    for name, rules in grammar.rules.items():
        for symbols, _ in rules:
            edges.setdefault(name, set()).update(visible(symbols, nullable))
            for i, symbol in enumerate(symbols):
                after = edges.setdefault((symbol, "after"), set())
                after.update(visible([*symbols[i + 1 :], (name, "after")], nullable))
    return edges


def reachable_words(starts, edges, grammar):
    reached, frontier = set(starts), list(starts)
    while frontier:
        new = edges.get(frontier.pop(), set()) - reached
        reached |= new
        frontier.extend(new)
    return {word for word in reached if isinstance(word, str) and word not in grammar.rules}


@pytest.mark.parametrize("grammar", [ENGLISH, *CHAINS, *TOYS])
def test_the_table_is_reachability_and_no_word_fits_two_alternatives(grammar):
    nullable = nullable_names(grammar)
    edges = graph(grammar, nullable)
    for name, rules in grammar.rules.items():
        starts = [list(visible([*rule.symbols, (name, "after")], nullable)) for rule in rules]
        predicted = [reachable_words(symbols, edges, grammar) for symbols in starts]
        assert all(predicted), name
        assert all(one.isdisjoint(other) for one, other in combinations(predicted, 2)), name
        table = grammar.predictions[name]
        assert [{word for word in table if table[word] is rule} for rule in rules] == predicted
