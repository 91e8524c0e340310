"""What a model has learned: measures by brute force and on known problems, and models whose one unit is known to carry
the number, so that every measurement has one right result."""

import numpy as np
import pytest

import numpylm as nlm
from numpylm.data.grammar import generate_text
from numpylm.probing.ablation import agreement, change, means_by_number, measure_ablation, shares
from numpylm.probing.attribution import beginnings, difference, gradient_times_input, leave_one_out, measure_attribution
from numpylm.probing.measures import area_under_curve, control_labels, fit_probe, strength
from numpylm.probing.reading import Unit, hold, output_h, read, unit_names, units_of
from numpylm.probing.sentences import draw_sentences, knows_grammar, label_sentences
from numpylm.probing.units import measure_units, properties, words_since

VOCABULARY = nlm.build_vocabulary(generate_text(20_000, 0), "word")
ID = {token: k for k, token in enumerate(VOCABULARY.tokens)}
V = len(VOCABULARY)
MODELS = {"rnn": nlm.RNNLM, "lstm": nlm.LSTMLM, "gru": nlm.GRULM}


def random_model(cell, num_layers=1, seed=0, vocab_size=V):
    """Weights and biases of order one, float64."""
    model = MODELS[cell](vocab_size, 5, 7, num_layers, dtype=np.float64)
    rng = np.random.default_rng(seed)
    for array in model.parameters().values():
        array[...] = 0.7 * rng.standard_normal(array.shape)
    return model


# Measures


def test_the_area_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(1)
    values, labels = rng.integers(0, 6, (60, 3)).astype(float), rng.random(60) < 0.3  # many ties
    for column, found in zip(values.T, area_under_curve(values, labels), strict=True):
        pairs = column[labels][:, None] - column[~labels]
        assert found == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean(), rel=1e-12)
    assert area_under_curve(labels[:, None] + 0.0, labels) == [1.0]
    assert strength(np.array([0.2, 0.7])) == pytest.approx([0.8, 0.7])
    with pytest.raises(ValueError, match="members of both classes"):
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
    words = [
        '"',
        "the",
        "king",
        "that",
        "the",
        "dogs",
        "near",
        "a",
        "cat",
        "see",
        "sleeps",
        ",",
        '"',
        "says",
        "the",
        "queen",
        ".",
    ]
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


# One unit that carries the number, by hand

PAIRS = [("the king near the {} {} .", "sleeps"), ("the kings near the {} {} .", "sleep")]
NOUNS = ["cat", "cats", "dog", "dogs", "child", "children", "mouse", "mice"]
SENTENCES = [text.format(noun, verb).split() for noun in NOUNS for text, verb in PAIRS]
SENTENCES += [["the", "king", "sleeps", "."], ["the", "kings", "sleep", "."]]


def carrier(cell):
    """A model whose unit 2 remembers whether king or kings came last, and alone tells the verb's number. The other
    units see every word. Without unit 2 it prefers the singular."""
    model = random_model(cell)
    p, layer = model.parameters(), model.layer_parameters(0)
    p["E"][:, :2] = 0
    p["E"][ID["king"], :2], p["E"][ID["kings"], :2] = (1, -1), (1, 1)
    for name in ("W_xh", "W_hh", "b_h") if cell == "rnn" else ("W_xi", "W_hi", "b_i", "W_xf", "W_hf", "b_f", "W_xo",
                                                               "W_ho", "b_o", "W_xc", "W_hc", "b_c"):  # fmt: skip
        getattr(layer, name)[..., 2] = 0
    for name, value in {"W_xh": 5, "W_xc": 5}.items():
        if hasattr(layer, name):
            getattr(layer, name)[1, 2] = value
    if cell == "rnn":
        layer.W_hh[2, 2] = 3
    else:
        layer.b_f[2] = layer.b_o[2] = 30
        layer.W_xi[0, 2], layer.b_i[2] = 60, -30
    p["W_hy"][...], p["b_y"][...] = 0, 0
    p["W_hy"][2, ID["sleep"]], p["b_y"][ID["sleeps"]] = 3, 0.1
    return model


@pytest.fixture(params=["rnn", "lstm"])
def carried(request):
    return carrier(request.param), label_sentences(VOCABULARY, SENTENCES, np.array([1]))


def test_without_the_carrier_agreement_is_chance_and_without_another_unit_as_before(carried):
    model, sentences = carried
    means = means_by_number(model, sentences)
    assert sentences.verbs.misled.sum() == 8
    for index in range(7):
        for kind in ["off", "swap"] + ["cut"] * (model.cell.name == "lstm"):
            edit = change(model, sentences, kind, [Unit(0, "h", index)], means)
            found = shares(sentences, agreement(model, sentences, edit))
            # Where the forget gate's path is cut, h still shows what the last word brought.
            near, far = {"off": (0.5, 0.5), "cut": (1, 0.5), "swap": (0, 0)}[kind] if index == 2 else (1, 1)
            assert found["by_distance"] == [near, far, None, None] and found["misled"] == far, (kind, index)


def test_the_carrier_is_the_costliest_unit_and_no_random_one(carried):
    model, sentences = carried
    name = f"{model.cell.State._fields[-1]}2"
    areas = {each: 0.1 if each == name else 0.8 for each in unit_names(model)}  # 0.1 tells more than 0.8
    found, *others = [
        measure_ablation(model, sentences, sentences, areas, np.random.default_rng(seed)) for seed in range(3)
    ]
    assert found["single"] == {each: 0.5 * (each == name) for each in found["single"]}
    one = found["changes"]["off"][1]
    assert one["units"] == [name] and one["strongest"]["all"] == 0.5
    random = [draw["all"] for each in (found, *others) for draw in each["changes"]["off"][1]["random"]]
    assert random == [1.0] * 15, "a random unit is never the strongest"
    assert found["as_trained"]["misled"] == 1


def test_the_word_that_both_methods_find_is_the_subject(carried):
    model, _ = carried
    sentences = label_sentences(VOCABULARY, SENTENCES[:-2], np.array([1]))
    found = measure_attribution(model, sentences)
    assert found["gradient x input"] == found["leave one out"] == dict.fromkeys(found["by chance"], 1.0)
    assert found["nearest noun"]["all"] == 0 and found["by chance"]["all"] == pytest.approx(1 / 5)
    assert found["by chance"]["nouns"] == pytest.approx(1 / 2)
    scores = leave_one_out(model, *beginnings(sentences))
    h = 1 if model.cell.name == "rnn" else np.tanh(1)
    assert np.abs(np.delete(scores, 2, axis=0)).max() < 0.01 and (np.abs(scores[2] - 3 * h) < 0.02).all()


# Attribution


@pytest.mark.parametrize("cell", MODELS)
def test_gradient_times_input_is_the_slope_of_the_difference(cell):
    """The last row of E holds the embedding of word s of one sentence, a little longer or shorter."""
    model = random_model(cell, num_layers=2, vocab_size=V + 1)
    sentences, verbs = beginnings(draw_sentences(VOCABULARY, 12)[0])
    E, tokens = model.parameters()["E"], sentences.tokens
    scores = gradient_times_input(model, sentences, verbs)
    for m in range(0, len(verbs.row), 4):
        one = type(verbs)(*[field[[m]] for field in verbs])
        for s in range(verbs.row[m] + 1):
            moved = tokens[:, [m]].copy()
            moved[s] = V
            ends = []
            for factor in (1 + 1e-5, 1 - 1e-5):
                E[V] = factor * E[tokens[s, m]]
                column = sentences._replace(tokens=moved, lengths=sentences.lengths[[m]])
                ends.append(difference(model, column, one)[0])
            assert scores[s, m] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-8)
    after = np.arange(len(tokens))[:, None] > verbs.row
    assert after.any() and not scores[after].any()


def test_leaving_out_is_the_difference_of_two_forward_passes():
    model = random_model("gru")
    sentences, verbs = beginnings(draw_sentences(VOCABULARY, 30)[0])
    scores, whole = leave_one_out(model, sentences, verbs), difference(model, sentences, verbs)
    for m, s in ((0, 1), (0, int(verbs.row[0])), (len(verbs.row) - 1, 1)):
        tokens = sentences.tokens[: verbs.row[m] + 1, m]

        def d(*parts, m=m):
            logits = model.forward(np.concatenate([sentences.context, *parts])[:, None]).logits[-1, 0]
            return logits[verbs.token[m]] - logits[verbs.other[m]]

        assert whole[m] == pytest.approx(d(tokens))
        assert scores[s, m] == pytest.approx(d(tokens) - d(tokens[:s], tokens[s + 1 :]), rel=1e-9)


def test_a_large_set_of_verbs_is_thinned_evenly(monkeypatch):
    monkeypatch.setattr("numpylm.probing.attribution.MOST_VERBS", 10)
    whole, _ = draw_sentences(VOCABULARY, 30)
    sentences, verbs = beginnings(whole)
    assert 5 < len(verbs.row) <= 10 and verbs.row[0] == whole.verbs.row[0]
    assert sentences.tokens.shape[1] == sentences.is_noun.shape[1] == len(verbs.row)


# All properties


def test_every_property_is_measured_with_its_controls():
    fitting, testing = draw_sentences(VOCABULARY, 150)
    found = measure_units(nlm.LSTMLM(V, 8, 12), fitting, testing, np.random.default_rng(0))
    assert list(found) == ["number", "far", "nested", "quoted"]
    for told in found.values():
        assert told["areas"].keys() == set(unit_names(nlm.LSTMLM(V, 8, 12))) and told["unit"] in told["areas"]
        assert 0.35 < told["shuffled"] < 0.65, "a chosen unit with shuffled labels tells nothing of new sentences"
        assert 0.4 < told["untrained_auc"] < 1 and told["probe"] > 0.5 < told["control"]
    assert len(found["number"]["probe_by_distance"]) == 4 and found["far"]["probe_by_distance"] is None
