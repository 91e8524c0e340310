"""Decoding against every label sequence written out, and error rates against known pairs."""

import itertools
import math

import numpy as np
import pytest
from models import randomized
from test_ctc import spelled

from numpylm import GRULM
from numpylm.activations import log_softmax
from numpylm.ctc_decoding import LEAST, Hypothesis, LanguageScore, beam_search, best_path, ranked
from numpylm.data.text import Vocabulary
from numpylm.evaluation import surprisals
from numpylm.kinds.transcription_task import (
    BEAM,
    Errors,
    count_errors,
    listen,
    log_probabilities,
    oracle,
    total_errors,
    with_labels,
)
from numpylm.transcription import AcousticModel

rng = np.random.default_rng(0)
T, V = 4, 2
EVERYTHING = 10_000


def all_sequences(log_y):
    """{labels: log p} of every label sequence that some path spells."""
    found = {}
    for path in itertools.product(range(log_y.shape[1]), repeat=len(log_y)):
        p = math.exp(sum(log_y[t, k] for t, k in enumerate(path)))
        found[tuple(spelled(path))] = found.get(tuple(spelled(path)), 0) + p
    return {labels: math.log(p) for labels, p in found.items()}


def test_the_best_path_merges_repeats_and_leaves_blanks_out():
    log_y = np.log(np.eye(4)[[0, 1, 1, 0, 1, 2, 2, 3, 0]] + 1e-9)
    assert best_path(log_y) == [1, 1, 2, 3]
    assert best_path(log_y[:1]) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_finds_every_sequence_and_its_probability(seed):
    log_y = log_softmax(4 * np.random.default_rng(seed).standard_normal((T, V + 1)))
    expected = all_sequences(log_y)
    found = {one.labels: one.log_p_ctc for one in beam_search(log_y, EVERYTHING)}
    assert found.keys() == expected.keys()
    np.testing.assert_allclose([found[labels] for labels in expected], list(expected.values()), atol=1e-12)
    assert len(beam_search(log_y, 3)) == 3 and beam_search(log_y, 4, least=0.0)[0].labels == ()


@pytest.mark.parametrize(("alpha", "beta"), [(0.7, 0.0), (1.3, 0.9)])
def test_with_a_language_model_it_equals_exhaustive_search(alpha, beta):
    model = randomized(GRULM(4, 3, 5, dtype=np.float64), rng, scale=1)  # label 1 is token 2, and label 2 is token 3
    score = LanguageScore(model, token_of=lambda label: label + 1, start=1)
    log_y = log_softmax(4 * rng.standard_normal((T, V + 1)))
    found = beam_search(log_y, EVERYTHING, score, alpha, beta)
    expected = {}
    for labels, log_p in all_sequences(log_y).items():
        tokens = np.array([1, *[label + 1 for label in labels], 1])
        log_p_lm = -surprisals(model, tokens).sum()
        expected[labels] = log_p + alpha * log_p_lm + beta * len(labels)
    best = max(expected, key=expected.get)
    assert found[0].labels == best and found[0].score(alpha, beta) == pytest.approx(expected[best], abs=1e-12)
    scores = [one.score(alpha, beta) for one in found]
    assert scores == sorted(scores, reverse=True)
    assert ranked(found)[0].log_p_ctc == max(one.log_p_ctc for one in found)


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        ("kitten", "sitting", (2, 0, 1)),
        ("abc", "abc", (0, 0, 0)),
        ("abc", "", (0, 3, 0)),
        ("", "ab", (0, 0, 2)),
        ("abcd", "acd", (0, 1, 0)),
        ("abcde", "xbcdey", (1, 0, 1)),
    ],
)
def test_errors_of_known_pairs(said, heard, expected):
    errors = count_errors(said, heard)
    assert errors[:3] == expected
    assert errors.total == sum(expected) and errors.num_labels == len(said)


def test_errors_add_up():
    errors = total_errors([["a", "b"], ["c"]], [["a", "x"], ["c"]])
    assert errors == Errors(1, 0, 0, 3)
    assert errors.rate == 1 / 3
    assert math.isnan(total_errors([], []).rate)


def test_the_oracle_is_the_best_of_a_list():
    candidates = [Hypothesis(tuple(labels), 0.0) for labels in ("xbc", "abd", "abc")]
    assert oracle("abc", candidates) == tuple("abc")
    assert oracle("abd", candidates[::2]) == tuple("abc")


def test_every_way_to_decode_is_the_search_that_its_name_says():
    vocabulary = Vocabulary("word", ("<unk>", "<eos>", "low", "high"))
    model = randomized(AcousticModel(3, 2, 4, dtype=np.float64), rng, scale=2)
    language, weights = LanguageScore(GRULM(4, 3, 5, seed=1), int, start=1), (2.0, 1.0)
    spoken = [("", rng.standard_normal((8, 2)), text) for text in ("low high", "high", "low low")]
    spoken = with_labels(vocabulary, spoken)
    heard = listen(model, vocabulary, spoken, language, *weights)
    assert heard.said == [(2, 3), (3,), (2, 2)]
    for n, log_y in enumerate(log_probabilities(model, vocabulary, one.features) for one in spoken):
        alone = beam_search(log_y, BEAM, language, least=LEAST)
        both = beam_search(log_y, BEAM, language, *weights, LEAST)
        again = ranked(alone, *weights)
        expected = (
            tuple(best_path(log_y)),
            alone[0].labels,
            again[0].labels,
            both[0].labels,
            oracle(heard.said[n], both),
        )
        assert alone[0].labels == beam_search(log_y, BEAM)[0].labels
        assert tuple(way[n] for way in heard.by_name.values()) == expected
        assert heard.lists[n] == alone + both
