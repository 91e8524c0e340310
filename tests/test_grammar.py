"""Drawing, judging and predicting against a chart parser, enumeration, and a replay of the random numbers."""

import hashlib
import math
import random
from collections import Counter
from functools import cache

import pytest
from grammar_examples import BRACKETS, TOYS, all_sentences, assert_mean_within, sampled_sentences
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm.data import grammar as g
from numpylm.data.grammar.rules import parse_rules

VOCABULARY = sorted(g.expected_word_counts())


def inside(words, grammar, weight):
    """Sum over all derivations of the product of weight(rule): a chart parser that knows nothing of LL(1)."""

    @cache
    def ends(symbol, start):
        if symbol not in grammar.rules:
            return {start + 1: 1} if words[start : start + 1] == (symbol,) else {}
        total = Counter()
        for rule in grammar.rules[symbol]:
            reached = {start: weight(rule)}
            for part in rule.symbols:
                step = Counter()
                for middle, so_far in reached.items():
                    for end, more in ends(part, middle).items():
                        step[end] += so_far * more
                reached = step
            total.update(reached)
        return total

    return ends(grammar.start, 0).get(len(words), 0)


# Rules


def test_comments_continued_lines_and_empty_alternatives_are_read():
    grammar = parse_rules("# toys\nS -> 1 a S  # again\n   | 2\n   | 1 T\n\nT -> 1 b")
    assert grammar.start == "S" and list(grammar.rules) == ["S", "T"]
    assert grammar.rules["S"] == [(("a", "S"), 0.25), ((), 0.5), (("T",), 0.25)]


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


# Drawing


def test_text_is_pinned():
    """The stream of `random()` is guaranteed, and one division is rounded alike everywhere: the text is the same."""
    text = g.generate_text(12_000, seed=1)
    assert text.count("\n") == 1032
    digest = "ea80dc762adb74d17b4d72b13f73a7487d4c3c4b4ffa37fd3f985b5735fb2767"
    assert hashlib.sha256(text.encode()).hexdigest() == digest


def test_text_is_whole_lines_up_to_the_number_of_words_and_depends_on_the_seed_alone():
    before = random.getstate()
    for num_words in (1, 50, 1000):
        lines = g.generate_text(num_words, seed=4).splitlines(keepends=True)
        assert all(line.endswith(" .\n") and g.is_grammatical(line.split()) for line in lines)
        lengths = [len(line.split()) + 1 for line in lines]
        assert sum(lengths) >= num_words > sum(lengths[:-1])
    assert g.generate_text(5000, 1).startswith(g.generate_text(500, 1)) and random.getstate() == before
    assert g.generate_text(500, 1) != g.generate_text(500, 2)


# Judging


@pytest.mark.parametrize("grammar", TOYS)
def test_probabilities_equal_those_of_enumerated_sentences(grammar):
    for words, p in all_sentences(grammar).most_common(200):
        assert g.log_probability(words, grammar) == pytest.approx(math.log(p), abs=1e-9)


def test_sampled_sentences_have_one_derivation():
    for words in sampled_sentences()[:100]:
        assert inside(words, g.ENGLISH, lambda rule: 1) == 1
        probability = inside(words, g.ENGLISH, lambda rule: rule.probability)
        assert math.log(probability) == pytest.approx(g.log_probability(words))


@given(st.integers(0, 2000), st.data())
@settings(deadline=None, max_examples=80)
def test_parser_agrees_with_a_chart_parser_on_damaged_sentences(index, data):
    words = list(sampled_sentences()[index])
    for _ in range(data.draw(st.integers(1, 2))):
        position = data.draw(st.integers(0, len(words)))
        removed = data.draw(st.integers(0, 2))
        words[position : position + removed] = data.draw(st.lists(st.sampled_from(VOCABULARY), max_size=2))
    grammatical = inside(tuple(words), g.ENGLISH, lambda rule: 1) > 0
    assert g.is_grammatical(words) == (g.log_probability(words) > -math.inf) == grammatical


# Predicting


@pytest.mark.parametrize("grammar", [g.ENGLISH, *TOYS])
def test_next_word_distributions_sum_to_one_and_multiply_to_the_sentence(grammar):
    rng = random.Random(7)
    for _ in range(40):
        words = g.sample_sentence(rng, grammar)
        log_product = 0.0
        for position, word in enumerate([*words, g.EOS]):
            distribution = g.next_word_distribution(words[:position], grammar)
            assert sum(distribution.values()) == pytest.approx(1)
            log_product += math.log(distribution[word])
        assert log_product == pytest.approx(g.log_probability(words, grammar))


# Entropy: against hand calculations, sums over all sentences, and means of sampled sentences


def test_brackets_by_hand():
    """Expected uses n = 1 + n (1/16) 2 = 8/7, each with the entropy of a choice between 1/16 and 15/16."""
    choice = math.log(16) / 16 + math.log(16 / 15) * 15 / 16
    assert g.expected_counts(BRACKETS) == pytest.approx({"S": 8 / 7, "(": 1 / 14, ")": 1 / 14, g.EOS: 1})
    assert g.sentence_entropy(BRACKETS) == pytest.approx(8 / 7 * choice)
    assert g.expected_word_counts(BRACKETS) == pytest.approx({"(": 1 / 14, ")": 1 / 14, g.EOS: 1})


@pytest.mark.parametrize("grammar", TOYS)
def test_measures_equal_sums_over_all_sentences(grammar):
    sentences = all_sentences(grammar)
    assert sum(sentences.values()) == pytest.approx(1, abs=1e-5)
    entropy = -sum(p * math.log(p) for p in sentences.values())
    assert g.sentence_entropy(grammar) == pytest.approx(entropy, rel=1e-4)
    length = sum(p * (len(words) + 1) for words, p in sentences.items())
    assert g.expected_words(grammar) == pytest.approx(length, rel=1e-4)


def test_english_measures_equal_sampled_means():
    sentences = sampled_sentences()
    assert_mean_within([-g.log_probability(words) for words in sentences], g.sentence_entropy())
    assert_mean_within([len(words) + 1 for words in sentences], g.expected_words())
    assert_mean_within([len(" ".join(words)) + 1 for words in sentences], g.expected_characters())


def test_each_word_is_as_frequent_as_expected():
    sentences = sampled_sentences()
    counts = Counter(word for words in sentences for word in (*words, g.EOS))
    expected = g.expected_word_counts()
    assert counts.keys() == expected.keys()
    for word, mean in expected.items():
        assert counts[word] / len(sentences) == pytest.approx(mean, rel=6 / math.sqrt(counts[word]))


@pytest.mark.parametrize("text", ["S -> 1 ( S ) S | 1", "S -> 2 ( S ) S | 1"])
def test_grammars_of_infinite_mean_length_are_refused(text):
    with pytest.raises(ValueError, match="infinitely long"):
        g.sentence_entropy(parse_rules(text))


# Bad input


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (g.next_word_distribution, (["the", "king", "sleep"],), "word 3: 'sleep'"),
        (g.next_word_distribution, (["the", "king", "sleeps", ".", "<eos>"],), "unfinished sentence"),
        (g.generate_text, (0, 1), "num_words >= 1"),
        (g.generate_text, (10, -1), "seed >= 0"),
    ],
)
def test_impossible_prefixes_sizes_and_seeds_are_refused(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)


@pytest.mark.parametrize("function", [g.log_probability, g.is_grammatical, g.next_word_distribution])
def test_a_string_instead_of_words_is_refused(function):
    with pytest.raises(TypeError, match="single string"):
        function("the king sleeps .")
