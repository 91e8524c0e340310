"""Measures by brute force and on known problems, labels of sentences by hand, and reading step by step."""

import numpy as np
import pytest
from probing_examples import MODELS, VOCABULARY, V, random_model

import numpylm as nlm
from numpylm.probing.measures import area_under_curve, control_labels, fit_probe, strength
from numpylm.probing.reading import Unit, hold, output_h, read, unit_names, units_of
from numpylm.probing.sentences import draw_sentences, knows_grammar, label_sentences
from numpylm.probing.units import measure_units, properties, words_since

NESTED = '" the king that the dogs near a cat see sleeps , " says the queen .'


# Measures


def test_the_area_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(1)
    values, labels = rng.integers(0, 6, (60, 3)).astype(float), rng.random(60) < 0.3  # many ties
    for column, found in zip(values.T, area_under_curve(values, labels), strict=True):
        pairs = column[labels][:, None] - column[~labels]
        assert found == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean(), rel=1e-12)
    assert area_under_curve(labels[:, None] + 0.0, labels) == [1.0]
    assert strength(np.array([0.2, 0.7])) == pytest.approx([0.8, 0.7])
    with pytest.raises(ValueError, match="True and False among them; got 0 True of 60"):
        area_under_curve(values, np.zeros(60, bool))


def test_the_probe_solves_its_equations_and_a_known_problem():
    rng = np.random.default_rng(2)
    states, w = rng.standard_normal((400, 6)) * 3 + 1, rng.standard_normal(6)
    states[:, 4] = 2.0  # a unit that never changes
    w[4] = 0
    labels = states @ w > np.median(states @ w)
    probe = fit_probe(states[:300], labels[:300], penalty=2.0)
    s, y = (states[:300] - probe.mean) / probe.scale, np.where(labels[:300], 1.0, -1.0)
    np.testing.assert_allclose(s.T @ (s @ probe.w - (y - y.mean())) + 2 * probe.w, 0, atol=1e-9)
    direction = probe.w / probe.scale
    assert direction @ w / np.linalg.norm(direction) / np.linalg.norm(w) > 0.98
    assert area_under_curve(probe.score(states[300:])[:, None], labels[300:]) > 0.99


def test_a_control_task_is_learned_from_what_tells_the_word_and_from_nothing_else():
    rng = np.random.default_rng(3)
    types = rng.integers(0, 20, 3000)
    labels = control_labels(types, 0.3, rng)
    assert len({(k, label) for k, label in zip(types, labels, strict=True)}) == 20, "one label for each type"
    assert len(set(types[labels])) == 6
    for states, low, high in ((np.eye(20)[types], 0.999, 1), (rng.standard_normal((3000, 20)), 0.45, 0.55)):
        score = fit_probe(states[:2000], labels[:2000]).score(states[2000:])
        assert low <= area_under_curve(score[:, None], labels[2000:])[0] <= high


# Sentences


def test_labels_by_hand():
    words = NESTED.split()
    short = ["the", "dogs", "sing", "."]
    found = label_sentences(VOCABULARY, [short, words], np.array([1]))
    assert found.lengths.tolist() == [len(words) + 1, len(short) + 1], "the longer one comes first"
    king, plural, none = [0] * 3, [1] * 4, [-1] * 3
    assert found.number[:, 0].tolist() == [*none, *king, *plural, 0, *[-1] * 7]
    assert found.depth[1:, 0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 1, 0, 0, 0, 0, 0, 0, 0]
    assert found.depth[:, 1].tolist() == [-1, 0, 0, 0, 0, *[-1] * 13]
    assert found.quoted[1:14, 0].tolist() == [True] * 12 + [False]
    tokens = VOCABULARY.tokens
    assert [tokens[k] for k in found.verbs.token] == ["sleeps", "see", "sing"]
    assert [tokens[k] for k in found.verbs.other] == ["sleep", "sees", "sings"]
    assert found.verbs.distance.tolist() == [8, 4, 1] and found.verbs.misled.tolist() == [False, True, False]
    nearest = found.tokens[found.verbs.nearest, found.verbs.sentence]
    assert [tokens[k] for k in nearest] == ["cat", "cat", "dogs"]
    known = properties(found)["number"].known
    assert known[:, 0].tolist() == [k in (4, 5, 7, 8, 9, 10) for k in range(len(known))]
    assert words_since(found)[known[:, 0], 0].tolist() == [1, 2, 1, 2, 3, 7]


def test_drawn_sentences_are_all_different():
    fitting, testing = draw_sentences(VOCABULARY, 200)
    columns = [tuple(column) for each in (fitting, testing) for column in np.pad(each.tokens, ((0, 40), (0, 0)))[:40].T]
    assert len(set(columns)) == len(columns) == 400
    assert (np.diff(fitting.lengths) <= 0).all() and (np.diff(fitting.verbs.row) <= 0).all()
    assert knows_grammar(VOCABULARY) and not knows_grammar(nlm.build_vocabulary("the king", "word"))


# Reading


@pytest.mark.parametrize("cell", MODELS)
def test_reading_step_by_step_is_the_forward_pass(cell):
    model, (sentences, _) = random_model(cell, num_layers=2), draw_sentences(VOCABULARY, 20)
    states = read(model, sentences)
    for n in (0, 7, 19):
        tokens = np.concatenate([sentences.context, sentences.tokens[: sentences.lengths[n], n]])
        out = model.forward(tokens[:, None])
        start = len(sentences.context)
        np.testing.assert_allclose(output_h(model, states)[: sentences.lengths[n], n], out.trace.h[start:, 0])
        whole = np.concatenate([field[0] for layer in out.state for field in layer])
        np.testing.assert_allclose(states[sentences.lengths[n] - 1, n], whole)
    assert not states[sentences.lengths[-1] :, -1].any()
    assert unit_names(model)[:2] == ["0.h0", "0.h1"] and len(unit_names(model)) == states.shape[-1]


def test_a_held_unit_is_what_the_next_layer_and_the_next_step_read():
    model, (sentences, _) = random_model("lstm", num_layers=2), draw_sentences(VOCABULARY, 5)
    shape = sentences.tokens.shape
    free = read(model, sentences)
    nothing = {unit: np.full(shape, np.nan) for unit in units_of(model)}
    np.testing.assert_array_equal(read(model, sentences, hold(nothing)), free)
    late = np.where(np.arange(shape[0])[:, None] == 3, 0.25, np.full(shape, np.nan))
    held = read(model, sentences, hold({Unit(0, "h", 2): late}))
    np.testing.assert_array_equal(held[:3], free[:3])
    changed = [unit_names(model)[k] for k in np.flatnonzero(held[3, 0] != free[3, 0])]
    assert "0.h2" in changed and "1.h0" in changed and "0.h1" not in changed and (held[3, :, 2] == 0.25).all()
    assert not (held[3] == 0.25)[:, 3:].any(), "the same unit of the next layer is not held"
    assert (held[4, 0] != free[4, 0]).all()


def test_states_that_overflow_are_refused():
    model = nlm.RNNLM(V, 5, 7, nonlinearity="relu")
    model.parameters()["b_h"][...] = np.inf
    with pytest.raises(ValueError, match="not finite"), np.errstate(all="ignore"):
        read(model, draw_sentences(VOCABULARY, 5)[0])


# All properties


def test_every_property_is_measured_with_its_controls():
    fitting, testing = draw_sentences(VOCABULARY, 150)
    found = measure_units(nlm.LSTMLM(V, 8, 12), fitting, testing, np.random.default_rng(0))
    assert list(found) == ["number", "far", "nested", "quoted"]
    for told in found.values():
        assert told["areas"].keys() == set(unit_names(nlm.LSTMLM(V, 8, 12))) and told["unit"] in told["areas"]
        assert 0.35 < told["shuffled"] < 0.65, "a chosen unit with shuffled labels tells nothing of new sentences"
        assert 0.4 < told["untrained_auc"] != told["auc"] and told["untrained_probe"] != told["probe"]
        assert told["probe"] > 0.5 < told["control"]
    assert len(found["number"]["probe_by_distance"]) == 4 and found["far"]["probe_by_distance"] is None
