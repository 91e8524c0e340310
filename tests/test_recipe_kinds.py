"""Each kind of recipe: one pass over a text, the memory tasks, and agreement, on small texts and sizes."""

import agreement_recipe
import memory_recipe
import numpy as np
import pytest
from gradient_proofs import prove
from recipe_results import Measured

import numpylm as nlm
from numpylm.data import grammar, tasks
from numpylm.model import CELLS


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_gradients_of_the_adding_problem(cell):
    adder = memory_recipe.Adder(CELLS[cell](), 3, np.random.default_rng(0), np.float64)
    x, target = tasks.adding_batch(np.random.default_rng(1), 5, 4, np.float64)

    def loss(**parameters):
        adder._parameters = parameters
        return adder.loss_and_gradients(x, target)[0]

    prove(loss, adder.parameters(), adder.loss_and_gradients(x, target)[1])


@pytest.mark.parametrize("task", ["adding", "copy"])
def test_a_memory_recipe_learns_keeps_its_seeds_and_refuses_others(task, tmp_path, monkeypatch):
    monkeypatch.setattr(memory_recipe, "ROW_STEPS", 10)
    options = {
        "task": task, "model": "lstm", "cell": {"forget_bias": 2.0}, "num_steps": 4, "batch_size": 5, "hidden_dim": 6,
        "steps": 60, "learning_rate": 0.02,
    }  # fmt: skip
    rows, fields = memory_recipe.learn(options, None, tmp_path)
    assert [row["step"] for row in rows] == [10, 20, 30, 40, 50, 60]
    for k in range(3):
        assert fields["seeds"][k] == rows[-1][f"seed_{k}"] < rows[0][f"seed_{k}"]
    assert fields["test"] == pytest.approx(sum(fields["seeds"]) / 3) and len(set(fields["seeds"])) == 3
    tokens = {"adding": 4, "copy": 24}[task] * 5 * 60 * 3
    assert fields["tokens_per_second"] == pytest.approx(tokens / fields["seconds"], rel=0.2)
    written = (tmp_path / "seed-1.json").stat().st_mtime_ns
    assert memory_recipe.learn(options, None, tmp_path) == Measured(rows, fields)
    assert (tmp_path / "seed-1.json").stat().st_mtime_ns == written
    with pytest.raises(ValueError, match=r"seed-0\.json was made with other options"):
        memory_recipe.learn({**options, "steps": 70}, None, tmp_path)


def test_pairs_know_distance_and_whether_the_last_noun_misleads():
    text = "the king near the cats sleeps .\nmany dogs that a queen likes smile near many wolves .\n"
    assert agreement_recipe.find_pairs(text).tolist() == [
        [1 + 5, 4, False],  # king … sleeps, with cats between
        [1 + 8 + 5, 1, True],  # queen likes
        [1 + 8 + 6, 5, False],  # dogs … smile, with queen between
    ]


@pytest.mark.parametrize("streams", [1, 3])
def test_a_verb_is_right_where_it_is_likelier_than_its_other_number(monkeypatch, streams):
    monkeypatch.setattr(agreement_recipe, "STREAMS", streams)
    text = grammar.generate_text(150, 3)
    vocabulary = nlm.build_vocabulary(grammar.generate_text(3000, 0), "word")
    model = nlm.LSTMLM(len(vocabulary), 5, 8, seed=1)
    right = agreement_recipe.chosen_rightly(model, vocabulary, text)
    words = ["<eos>", *text.replace("\n", " <eos> ").split()]
    tokens = np.array([vocabulary.tokens.index(word) for word in words])
    length = (len(tokens) - 1) // streams
    assert len(right) == streams * length + 1
    other = dict(agreement_recipe.VERBS) | {plural: singular for singular, plural in agreement_recipe.VERBS}
    found = []
    for place in agreement_recipe.find_pairs(text)[:, 0]:
        if place < len(right):
            start = (place - 1) // length * length  # of its stream
            logits = model.forward(tokens[start:place, None]).logits[-1, 0]
            rival = vocabulary.tokens.index(other[words[place]])
            assert right[place] == (logits[tokens[place]] > logits[rival]), words[place]
            found.append(right[place])
    assert len(found) > 10 and 0 < sum(found) < len(found)
