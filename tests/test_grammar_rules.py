"""Reading rules: what is refused, exact sampling thresholds, and the LL(1) table against reachability in a graph."""

import re

import pytest

from numpylm.data.grammar.rules import parse_rules

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


# The LL(1) table
