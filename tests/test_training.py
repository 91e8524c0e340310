import math

import numpy as np
import pytest

import numpylm as nlm
from numpylm.data.batches import cut_streams, num_windows
from numpylm.training import (
    EpochReport,
    Progress,
    Settings,
    StepReport,
    TrainingDiverged,
    learning_rate_at,
    make_optimizer,
    restart,
    share_done,
    train_step,
    training,
)

TOKENS = np.tile(np.arange(6), 40)  # 0 1 2 3 4 5 0 1 …: learnable to certainty
SMALL = {"batch_size": 4, "num_steps": 7, "learning_rate": 0.02}


def fresh(model=None, **changes):
    """What training needs, for the little stream."""
    settings = Settings(**{**SMALL, **changes})
    model = model or nlm.LSTMLM(6, 4, 8, seed=1)
    streams = cut_streams(TOKENS, settings.batch_size)
    return model, make_optimizer(settings), streams, TOKENS[:50], settings, Progress(np.random.default_rng(0))


# Printed by the loop in the test below; computed in float64, so that they hold on every machine.
GOLDEN_LOSSES = {
    "rnn": [
        1.9569019804,
        1.6954097672,
        1.5065901161,
        1.3639373240,
        1.2447640605,
        1.1286050082,
        1.0420426277,
        1.0158976945,
        0.9277555169,
        0.8816302850,
    ],
    "lstm": [
        1.6513379796,
        1.5263793316,
        1.4325443609,
        1.3145212099,
        1.2488222214,
        1.1421851984,
        1.0906192249,
        1.1426487409,
        1.0169349584,
        1.1119177814,
    ],
    "gru": [
        1.4846953009,
        1.3731756908,
        1.2751107720,
        1.1839612790,
        1.1354299066,
        1.0261480589,
        0.9722047614,
        0.9287617404,
        0.8824884523,
        0.8394943062,
    ],
}


@pytest.mark.parametrize(("kind", "Model"), [("rnn", nlm.RNNLM), ("lstm", nlm.LSTMLM), ("gru", nlm.GRULM)])
def test_golden_ten_steps(kind, Model):
    """Losses of ten steps of Adam with carried state, from parameters that no random generator drew."""
    model = Model(5, 3, 4, dtype=np.float64)
    for k, array in enumerate(model.parameters().values()):
        array[...] = 0.5 * np.sin(np.arange(array.size) * 1.7 + k).reshape(array.shape)
    tokens = (np.arange(64) ** 2 % 5).reshape(4, 16).T  # (16, 4)
    optimizer, state, losses = nlm.Adam(0.05), None, []
    for step in range(10):
        window = slice(step % 5 * 3, step % 5 * 3 + 3)
        targets = tokens[1:][window]
        loss, _, state = train_step(model, optimizer, tokens[window], targets, state, max_norm=0.5)
        losses.append(loss)
    np.testing.assert_allclose(losses, GOLDEN_LOSSES[kind], rtol=1e-9)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adagrad", "rmsprop", "adam"])
def test_every_optimizer_learns_the_cycle(optimizer):
    rates = {"sgd": 1.0, "momentum": 0.2, "adagrad": 0.2, "rmsprop": 0.02, "adam": 0.02}
    problem = fresh(epochs=12, optimizer=optimizer, learning_rate=rates[optimizer], schedule="constant")
    reports = list(training(*problem))
    losses = [report.valid_loss for report in reports if isinstance(report, EpochReport)]
    assert losses[-1] < 0.35 < 1.0 < reports[0].loss


def test_reports_and_progress():
    problem = fresh(epochs=2)
    progress, streams = problem[-1], problem[2]
    num = num_windows(streams, 7)
    reports = list(training(*problem))
    kinds = [type(report) for report in reports]
    assert kinds == ([StepReport] * num + [EpochReport]) * 2
    assert (progress.epoch, progress.window, progress.step, progress.carried) == (2, 0, 2 * num, None)
    assert progress.tokens == 2 * streams.targets.size
    assert len(progress.valid_losses) == 2
    assert progress.seconds >= progress.step_seconds > 0


def test_state_is_carried_within_an_epoch_and_not_over_it():
    model, optimizer, streams, valid, settings, progress = fresh(epochs=2, learning_rate=1e-30, restart_probability=0)
    reports = [
        report
        for report in training(model, optimizer, streams, valid, settings, progress)
        if isinstance(report, StepReport)
    ]
    whole = model.loss_and_gradients(streams.inputs, streams.targets).loss
    for epoch in (reports[: len(reports) // 2], reports[len(reports) // 2 :]):
        mean = sum(report.loss * report.num_tokens for report in epoch) / sum(report.num_tokens for report in epoch)
        assert mean == pytest.approx(whole, rel=1e-5)


def test_a_stop_anywhere_changes_nothing():
    """A generator left after any step, and a new one with the same objects, end where one alone ends."""
    alone = fresh(epochs=2, optimizer="momentum", model=nlm.GRULM(6, 4, 8, dropout=0.2))
    list(training(*alone, line_end=0))
    for stop in (1, 5, 9, 10, 13):
        again = fresh(epochs=2, optimizer="momentum", model=nlm.GRULM(6, 4, 8, dropout=0.2))
        for count, _ in enumerate(training(*again, line_end=0), start=1):
            if count == stop:
                break
        list(training(*again, line_end=0))
        for name, array in alone[0].parameters().items():
            np.testing.assert_array_equal(again[0].parameters()[name], array)
        assert again[-1].valid_losses == alone[-1].valid_losses


def test_restart_forgets_only_the_chosen_streams():
    state = nlm.LSTMLM(5, 3, 4).initial_state(3)
    state = tuple(type(layer)(*[q + 1 for q in layer]) for layer in state)
    (layer,) = restart(state, np.array([True, False, True]))
    for q in layer:
        np.testing.assert_array_equal(q, [[0] * 4, [1] * 4, [0] * 4])
        assert q.dtype == np.float32


def test_streams_restart_where_lines_end():
    """With probability (almost) 1, every window that begins with a line's end is read from zeros."""
    problem = fresh(epochs=1, learning_rate=1e-30, restart_probability=1 - 1e-12, batch_size=3, num_steps=6)
    model, _, streams, *_ = problem
    reports = [report for report in training(*problem, line_end=0) if isinstance(report, StepReport)]
    assert (streams.inputs[::6] == 0).any()
    state = None
    for k, report in enumerate(reports):
        inputs, targets = streams.inputs[6 * k : 6 * k + 6], streams.targets[6 * k : 6 * k + 6]
        state = state and restart(state, inputs[0] == 0)
        out = model.loss_and_gradients(inputs, targets, state)
        assert report.loss == pytest.approx(out.loss, rel=1e-6)
        state = out.state


def test_learning_rates_follow_the_schedule():
    settings = Settings(schedule="cosine", epochs=2, learning_rate=1.0)
    progress = Progress(np.random.default_rng(0))
    rates = []
    for progress.epoch in (0, 1):
        for progress.window in range(4):
            rates.append(learning_rate_at(settings, progress, 4))
    np.testing.assert_allclose(rates, [(1 + math.cos(math.pi * k / 8)) / 2 for k in range(8)])
    progress.epoch, progress.window, progress.valid_losses = 6, 0, [3.0, 2.0, 2.5, 1.0, 1.0]
    assert learning_rate_at(Settings(schedule="decay", learning_rate=1.0, decay_from=4), progress, 4) == 0.25
    assert learning_rate_at(Settings(schedule="plateau", learning_rate=1.0), progress, 4) == 0.25
    assert learning_rate_at(Settings(schedule="constant", learning_rate=1.0), progress, 4) == 1.0


def test_minutes_stop_training_after_a_last_validation():
    problem = fresh(epochs=None, minutes=1e-9)
    progress = problem[-1]
    progress.seconds = 1.0
    reports = list(training(*problem))
    assert [type(report) for report in reports] == [EpochReport]
    assert share_done(problem[-2], progress, 10) == 1.0


def test_divergence_stops_before_the_step_is_applied():
    model, optimizer, streams, valid, settings, progress = fresh(optimizer="sgd")
    model.parameters()["W_hy"][0, 0] = np.nan
    before = {name: array.copy() for name, array in model.parameters().items()}
    with pytest.raises(TrainingDiverged, match="step 1: the loss is nan"):
        list(training(model, optimizer, streams, valid, settings, progress))
    assert progress.step == 0
    for name, array in model.parameters().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a positive integer"),
        ({"learning_rate": -1.0}, "learning_rate must be a finite number above 0"),
        ({"optimizer": "newton"}, "optimizer must be one of sgd, momentum"),
        ({"schedule": "linear"}, "schedule must be one of constant"),
        ({"epochs": None}, "give a number of epochs, or of minutes"),
        ({"epochs": 0}, "epochs must be a positive integer"),
        ({"minutes": float("nan")}, "minutes must be a finite number above 0"),
        ({"restart_probability": 1.0}, "restart_probability"),
    ],
)
def test_bad_settings(changed, message):
    with pytest.raises(ValueError, match=message):
        Settings(**changed)


def test_an_epochs_training_loss_is_the_mean_over_its_steps_also_after_a_stop():
    problem = fresh(epochs=2)
    iterator, steps, means = training(*problem), [], []
    for count, report in enumerate(iterator):
        if isinstance(report, StepReport):
            steps.append((report.loss * report.num_tokens, report.num_tokens))
        else:
            means.append((report.train_loss, sum(nats for nats, _ in steps) / sum(number for _, number in steps)))
            steps = []
        if count == 4:
            iterator.close()
            break
    for report in training(*problem):
        if isinstance(report, StepReport):
            steps.append((report.loss * report.num_tokens, report.num_tokens))
        else:
            means.append((report.train_loss, sum(nats for nats, _ in steps) / sum(number for _, number in steps)))
            steps = []
    assert len(means) == 2
    for given, expected in means:
        assert given == pytest.approx(expected)
