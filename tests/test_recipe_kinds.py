"""Each kind of recipe: one pass over a text, the memory tasks, and agreement, on small texts and sizes."""

import math

import agreement_recipe
import memory_recipe
import numpy as np
import pytest
from gradient_proofs import prove
from recipe_results import Measured

import numpylm as nlm
from numpylm.data import grammar
from numpylm.data.grammar import agreement
from numpylm.stack import CELLS


def test_two_values_are_marked_one_in_each_half_and_their_sum_is_asked():
    T, N = 11, 400
    x, sums = memory_recipe.adding_batch(np.random.default_rng(0), T, N)
    assert x.shape == (T, N, 2) and sums.shape == (N, 1) and x.dtype == sums.dtype == np.float32
    values, marks = x[..., 0], x[..., 1]
    assert (marks[:5].sum(axis=0) == 1).all() and (marks[5:].sum(axis=0) == 1).all() and set(marks.ravel()) == {0, 1}
    assert (marks.sum(axis=1) > 0).all(), "every place of a half is marked sometimes"
    assert values.min() >= 0 and values.max() < 1 and values.mean() == pytest.approx(0.5, abs=0.02)
    for n in range(N):
        assert sums[n, 0] == pytest.approx(values[marks[:, n] == 1, n].sum(), rel=1e-6)


def test_one_is_the_best_constant_answer_and_costs_a_sixth():
    _, sums = memory_recipe.adding_batch(np.random.default_rng(1), 2, 200_000, np.float64)
    errors = [((sums - answer) ** 2).mean() for answer in (0.9, 1, 1.1)]
    assert errors[1] == pytest.approx(memory_recipe.ADDING_BASELINE, rel=0.01)
    assert min(errors[0], errors[2]) > memory_recipe.ADDING_BASELINE + 0.005


@pytest.mark.parametrize("T", [1, 2, 7])
def test_the_symbols_come_back_after_the_delimiter(T):
    inputs, targets = memory_recipe.copy_batch(np.random.default_rng(2), T, 300)
    assert inputs.shape == targets.shape == (T + 20, 300)
    assert np.array_equal(inputs[:10], targets[-10:]) and set(inputs[:10].ravel()) == set(range(8))
    assert (inputs[10:-11] == memory_recipe.BLANK).all() and len(inputs[10:-11]) == T - 1
    assert (inputs[-11] == memory_recipe.DELIMITER).all() and (inputs[-10:] == memory_recipe.BLANK).all()
    assert (targets[:-10] == memory_recipe.BLANK).all()
    assert max(inputs.max(), targets.max()) < memory_recipe.COPY_VOCABULARY == 10


def test_blanks_and_then_any_symbol_cost_the_baseline():
    T = 30
    _, targets = memory_recipe.copy_batch(np.random.default_rng(3), T, 4)
    y = np.zeros((T + 20, 4, memory_recipe.COPY_VOCABULARY))  # who knows when, and not what
    y[:-10, :, memory_recipe.BLANK] = 1
    y[-10:, :, : memory_recipe.NUM_SYMBOLS] = 1 / 8
    nats = -np.log(np.take_along_axis(y, targets[..., None], -1))
    assert nats.mean() == pytest.approx(memory_recipe.copy_baseline(T), rel=1e-14)
    assert memory_recipe.copy_baseline(T) == pytest.approx(10 * math.log(8) / 50)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_gradients_of_the_adding_problem(cell):
    adder = memory_recipe.Adder(CELLS[cell](), 3, np.random.default_rng(0), np.float64)
    x, target = memory_recipe.adding_batch(np.random.default_rng(1), 5, 4, np.float64)

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


def test_agreement_counts_the_verbs_of_every_distance_and_those_that_are_misled(monkeypatch):
    """The king near the cats sleeps: 4 words back, and misled. The model that always prefers the singular is right of
    every singular verb."""
    lines = ["a dog sings .\n"] * agreement_recipe.CONTEXT + [
        "the king near the cats sleeps .\n",
        "many dogs that a queen likes smile near many wolves .\n",  # queen likes; dogs … smile, with queen between
        "the cats sleep .\n",
    ]
    vocabulary = nlm.build_vocabulary(grammar.generate_text(3000, 0), "word")
    model = nlm.LSTMLM(len(vocabulary), 5, 8, seed=1)
    b_y = model.parameters()["b_y"]
    for singular, _ in agreement.VERBS:
        b_y[vocabulary.tokens.index(singular)] = 100
    for sentences in (1, 2, 1000):
        monkeypatch.setattr(agreement_recipe, "SENTENCES", sentences)
        rows = agreement_recipe.by_distance(model, vocabulary, lines)
        assert [tuple(row.values()) for row in rows] == [(1, 1, 2, 1, 0, 0), (3, 4, 1, 1, 1, 1), (5, 5, 1, 0, 1, 0)]
