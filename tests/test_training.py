"""The training loop with a language model's Task: what it computes, reports, carries on, and when it stops."""

import math

import numpy as np
import pytest
from gradient_proofs import assert_same
from models import random_model

import numpylm as nlm
from numpylm.data.batches import cut_streams, shuffled
from numpylm.kinds.language_task import LanguageSettings, language_task, restart
from numpylm.training import (
    LEARNING_RATES,
    EpochReport,
    Progress,
    Settings,
    StepReport,
    TrainingDiverged,
    Validation,
    learning_rate_at,
    make_optimizer,
    share_done,
    train_step,
    training,
)

TOKENS = np.tile(np.arange(6), 40)  # 0 1 2 3 4 5 0 1 …: learnable to certainty
SMALL = {"batch_size": 4, "num_steps": 7, "learning_rate": 0.02}


def fresh(model=None, line_end=None, **changes):
    """The arguments of training, for the little stream."""
    settings = LanguageSettings(**{**SMALL, **changes})
    task = language_task(TOKENS, TOKENS[:50], settings, line_end)
    model = model or nlm.LSTMLM(6, 4, 8, seed=1)
    return task, model, make_optimizer(settings), settings, Progress(np.random.default_rng(0))


def steps_of(reports):
    return [report for report in reports if isinstance(report, StepReport)]


def mean_loss(steps):
    return sum(step.loss * step.num_tokens for step in steps) / sum(step.num_tokens for step in steps)


def test_a_step_is_the_gradients_clipped_and_the_optimizers_update():
    model, other = (random_model("gru", 5, 3, 4, dropout=0.3) for _ in range(2))
    optimizer, others, state = nlm.Adam(0.05), nlm.Adam(0.05), None
    tokens = np.random.default_rng(1).integers(0, 5, (10, 2))
    for start, max_norm in ((0, None), (3, 0.1), (6, 0.1)):
        window = tokens[start : start + 3], tokens[start + 1 : start + 4]
        rng, same_rng = np.random.default_rng(2), np.random.default_rng(2)
        out = other.loss_and_gradients(*window, state, rng=rng if max_norm else None)
        clipped, expected_norm = nlm.clip_by_global_norm(out.gradients, max_norm or math.inf)
        others.step(other.parameters(), clipped)
        options = {"state": state, "max_norm": max_norm, "rng": same_rng} if max_norm else {}
        loss, norm, state = train_step(model, optimizer, *window, **options)
        assert loss == out.loss and norm == expected_norm > 0.1
        assert_same([state, model.parameters()], [out.state, other.parameters()])


def test_reports_and_progress():
    problem = fresh(epochs=2)
    task, *_, progress = problem
    reports = list(training(*problem))
    num = task.num_batches
    assert [type(report) for report in reports] == ([StepReport] * num + [EpochReport]) * 2
    assert (progress.epoch, progress.batch, progress.step, progress.carried) == (2, 0, 2 * num, None)
    assert progress.tokens == sum(step.num_tokens for step in steps_of(reports)) == 2 * 4 * ((len(TOKENS) - 1) // 4)
    assert progress.valid_losses == [reports[num].valid_loss, reports[-1].valid_loss]
    assert progress.seconds >= progress.step_seconds > 0
    for k, report in enumerate((reports[num], reports[-1])):
        assert report.train_loss == pytest.approx(mean_loss(reports[k * (num + 1) :][:num]))


def test_state_is_carried_within_an_epoch_and_not_over_it():
    problem = fresh(epochs=2, learning_rate=1e-30, restart_probability=0)
    steps = steps_of(training(*problem))
    whole = problem[1].loss_and_gradients(*cut_streams(TOKENS, 4)).loss
    for epoch in (steps[: len(steps) // 2], steps[len(steps) // 2 :]):
        assert mean_loss(epoch) == pytest.approx(whole, rel=1e-5)


def test_a_stop_anywhere_changes_nothing():
    """A generator left after any step, and a new one with the same objects, end where one alone ends."""
    problems = [
        fresh(nlm.GRULM(6, 4, 8, dropout=0.2), line_end=0, epochs=2, optimizer="momentum") for _ in (1, 5, 9, 10, 13, 0)
    ]
    *stopped, alone = problems
    reports = list(training(*alone))
    for stop, problem in zip((1, 5, 9, 10, 13), stopped, strict=True):
        before = [report for _, report in zip(range(stop), training(*problem), strict=False)]
        assert [*before, *training(*problem)] == reports
        assert_same(problem[1].parameters(), alone[1].parameters())


def test_streams_restart_where_lines_end():
    """With probability (almost) 1, every window that begins with a line's end is read from zeros."""
    problem = fresh(line_end=0, epochs=1, learning_rate=1e-30, restart_probability=1 - 1e-12, batch_size=3, num_steps=6)
    task, model, *_ = problem
    state, num_restarts = None, 0
    for (inputs, targets), report in zip(task.batches(0, 0), steps_of(training(*problem)), strict=True):
        num_restarts += (inputs[0] == 0).sum() if state else 0
        out = model.loss_and_gradients(inputs, targets, state and restart(state, inputs[0] == 0))
        assert report.loss == pytest.approx(out.loss, rel=1e-6)
        state = out.state
    assert num_restarts > 1


def test_learning_rates_follow_the_schedule():
    progress, rates = Progress(np.random.default_rng(0)), []
    for progress.epoch in (0, 1):
        for progress.batch in range(4):
            rates.append(learning_rate_at(Settings(schedule="cosine", epochs=2, learning_rate=1.0), progress, 4))
    np.testing.assert_allclose(rates, [(1 + math.cos(math.pi * k / 8)) / 2 for k in range(8)])
    progress.epoch, progress.batch, progress.valid_losses = 6, 0, [3.0, 2.0, 2.5, 1.0, 1.0]
    for schedule, rate in (("decay", 0.25), ("plateau", 0.25), ("constant", 1.0)):
        settings = Settings(schedule=schedule, learning_rate=1.0, decay_from=4)
        assert learning_rate_at(settings, progress, 4) == rate


def test_each_optimizer_has_a_learning_rate_of_its_own():
    assert LEARNING_RATES == {"adam": 0.005, "rmsprop": 0.002, "momentum": 0.1, "adagrad": 0.1, "sgd": 1.0}
    assert Settings().learning_rate == 0.005 and Settings(optimizer="sgd").learning_rate == 1.0


def test_minutes_stop_training_after_a_last_validation_by_the_clock_that_is_given():
    ticks = iter(range(1000))
    problem = fresh(epochs=None, minutes=3.5 / 60)
    reports = list(training(*problem, clock=lambda: next(ticks)))  # a second for each step, and for the validation
    assert [type(report) for report in reports] == [StepReport] * 4 + [EpochReport]
    assert problem[-1].seconds == 5 and problem[-1].step_seconds == 4
    assert share_done(problem[-2], problem[-1], 10) == 1.0
    assert share_done(Settings(epochs=None, minutes=2), Progress(None, seconds=30), 10) == 0.25


@pytest.mark.parametrize("perplexity", [True, False])
@pytest.mark.parametrize(("loss", "diverges"), [(math.nan, True), (math.inf, True), (1e4, None), (700.0, False)])
def test_a_validation_that_means_nothing_ends_training(loss, diverges, perplexity):
    """A loss of 1e4 nats is finite, but its perplexity is not: where that is shown, it counts as diverged."""
    task, *others = fresh(epochs=1)
    task = task._replace(validate=lambda model: Validation(loss), perplexity=perplexity)
    if perplexity if diverges is None else diverges:
        with pytest.raises(TrainingDiverged, match="on the validation data"):
            list(training(task, *others))
    else:
        assert list(training(task, *others))[-1].is_best


def test_divergence_stops_before_the_step_is_applied():
    problem = fresh(optimizer="sgd")
    model = problem[1]
    model.parameters()["W_hy"][0, 0] = np.nan
    before = {name: array.copy() for name, array in model.parameters().items()}
    with pytest.raises(TrainingDiverged, match="step 1: the loss is nan"):
        list(training(*problem))
    assert problem[-1].step == 0
    assert_same(model.parameters(), before)


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_alone():
    orders = [shuffled(9, seed, epoch).tolist() for seed, epoch in ((1, 2), (1, 2), (1, 3), (2, 2))]
    assert orders[0] == orders[1] and len({*map(tuple, orders)}) == 3
    assert sorted(orders[0]) == list(range(9))


WRONG = {
    "batch_size": (0, "2"), "num_steps": (0, 1.5), "learning_rate": (-1.0, float("inf")), "optimizer": ("newton", None),
    "schedule": ("linear",), "epochs": (0, None), "minutes": (float("nan"), 0), "restart_probability": (1.0, -0.1),
    "max_norm": (0, None), "seed": (-1, 0.5), "decay_from": (-1,), "decay_factor": (0,),
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_bad_settings(name, value):
    with pytest.raises(ValueError, match=f"{name} must|give a number of epochs, or of minutes"):
        LanguageSettings(**{name: value})
