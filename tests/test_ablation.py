"""Models whose one unit is known to carry the number, so that every change of a unit, and every word's share in the
verb's logits, has one right result; and the two methods of attribution beside finite differences."""

import numpy as np
import pytest
from probing_examples import ID, MODELS, VOCABULARY, V, random_model

from numpylm.probing.ablation import agreement, change, means_by_number, measure_ablation, shares
from numpylm.probing.attribution import beginnings, difference, gradient_times_input, leave_one_out, measure_attribution
from numpylm.probing.reading import Unit, unit_names
from numpylm.probing.sentences import draw_sentences, label_sentences

pytestmark = pytest.mark.usefixtures("short_context")


@pytest.fixture
def short_context(monkeypatch):
    """Few sentences before each one: they are read again for every finite difference."""
    monkeypatch.setattr("numpylm.probing.sentences.CONTEXT", 2)


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
    one = found["changes"]["off"]["1"]
    assert one["units"] == [name] and one["strongest"]["all"] == 0.5
    random = [draw["all"] for each in (found, *others) for draw in each["changes"]["off"]["1"]["random"]]
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


def test_a_large_set_of_verbs_is_thinned_evenly(monkeypatch):
    monkeypatch.setattr("numpylm.probing.attribution.MOST_VERBS", 10)
    whole, _ = draw_sentences(VOCABULARY, 30)
    sentences, verbs = beginnings(whole)
    assert 5 < len(verbs.row) <= 10 and verbs.row[0] == whole.verbs.row[0]
    assert sentences.tokens.shape[1] == sentences.is_noun.shape[1] == len(verbs.row)
