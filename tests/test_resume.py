"""Stopping a run, or killing it, changes nothing: it goes on bit for bit. Also for another kind of model."""

import json
from importlib import import_module
from typing import NamedTuple

import numpy as np
import pytest
from run_examples import (
    NUM_BATCHES,
    assert_same_state,
    resume_until_done,
    start,
    state_of,
    train,
    write_corpus,
)

from numpylm.answer_task import AnswerSettings
from numpylm.checkpoint import save_checkpoint
from numpylm.commands import metrics
from numpylm.commands import run as runs
from numpylm.commands.answering import AnswerData, AnswerModel
from numpylm.commands.console import blas_threads
from numpylm.commands.kind import KINDS, Kind, Report
from numpylm.commands.language import CorpusChoices
from numpylm.commands.model_choices import ModelChoices
from numpylm.commands.run import resume_run
from numpylm.commands.run_config import RunConfig
from numpylm.commands.run_report import finish
from numpylm.commands.transcription import SpeechModel
from numpylm.commands.transcription_data import SpeechData
from numpylm.commands.translation import TranslationData, TranslationModel
from numpylm.data.batches import pad_sequences
from numpylm.data.metrics import read_metrics
from numpylm.model import LSTMLM, LossOutput
from numpylm.optimizers import OPTIMIZERS
from numpylm.training import Settings, Task, Validation, shuffled
from numpylm.transcription_task import SpeechSettings
from numpylm.translation_task import TranslationSettings


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(autouse=True)
def one_thread():
    with blas_threads(1):
        yield


@pytest.fixture(scope="module")
def uninterrupted(corpus, tmp_path_factory):
    """The final state of runs that are never stopped, each made once."""
    states = {}

    def state(**choices):
        key = repr(choices)
        if key not in states:
            run = start(tmp_path_factory.mktemp("whole") / "run", corpus, **choices)
            assert train(run)
            states[key] = state_of(run.folder)
        return states[key]

    return state


DROPOUT = {"options": {"dropout": 0.3}}
SOME_STOPS = (5, NUM_BATCHES, 6)


@pytest.mark.parametrize(
    ("choices", "stops"),
    [
        *((DROPOUT, (stop,)) for stop in (1, NUM_BATCHES, NUM_BATCHES + 1, NUM_BATCHES + 2, 32)),
        (DROPOUT, (3, 1, 9, 1, 1, 2, 5)),
        *(
            ({"optimizer": optimizer, "schedule": schedule, "decay_from": 0}, SOME_STOPS)
            for optimizer, schedule in zip(
                OPTIMIZERS, ("constant", "decay", "plateau", "decay", "plateau"), strict=True
            )
        ),
        (
            {"options": {"model": "rnn", "nonlinearity": "relu", "dropout": 0.2, "dropout_kind": "variational"}},
            SOME_STOPS,
        ),
        ({"options": {"model": "gru", "dropout": 0.2}}, SOME_STOPS),
        ({"options": {"num_layers": 2, "embedding_dim": 6, "tie_weights": True, "dropout": 0.1}}, SOME_STOPS),
    ],
    ids=str,
)
def test_a_stopped_run_goes_on_bit_for_bit(corpus, tmp_path, monkeypatch, uninterrupted, choices, stops):
    start(tmp_path / "run", corpus, **choices)
    resume_until_done(monkeypatch, tmp_path / "run", stops)
    assert_same_state(tmp_path / "run", uninterrupted(**choices))


class Killed(BaseException):
    """Stands for a kill -9: nothing of the package catches it."""


def kill_at(monkeypatch, number):
    """Makes the process die before the write of that number (a checkpoint or a row); later ones never happen."""
    count = iter(range(1, 1000))

    def dying(write):
        def wrapped(*arguments, **options):
            if next(count) >= number:
                raise Killed
            return write(*arguments, **options)

        return wrapped

    monkeypatch.setattr(runs, "save_checkpoint", dying(save_checkpoint))
    monkeypatch.setattr(metrics.MetricsFile, "_write", dying(metrics.MetricsFile._write))


@pytest.mark.parametrize(
    ("save_seconds", "kills"),
    [(-1, (2, 3, 30, 31, 32, 33, 34, 35, 67)), (60, (2, 16, 17, 18, 19, 35, 36))],
    ids=["saved at each step", "saved at each epoch"],
)
def test_a_run_killed_before_any_write_goes_on_bit_for_bit(
    corpus, tmp_path, monkeypatch, uninterrupted, save_seconds, kills
):
    for number in kills:
        folder = tmp_path / str(number)
        start(folder, corpus, **DROPOUT)
        with monkeypatch.context() as patch:
            patch.setattr(runs, "SAVE_SECONDS", save_seconds)
            kill_at(patch, number)
            with pytest.raises(Killed):
                train(resume_run(folder))
        assert train(resume_run(folder))
        assert_same_state(folder, uninterrupted(**DROPOUT))


def test_a_finished_run_is_not_changed_by_resuming_it_and_goes_on_with_more_epochs(
    corpus, tmp_path, monkeypatch, uninterrupted
):
    folder = tmp_path / "run"
    assert train(start(folder, corpus, schedule="constant"))
    with monkeypatch.context() as patch:
        patch.setattr(runs, "ProgressBar", None)  # there is nothing to show
        assert train(resume_run(folder))
    assert_same_state(folder, uninterrupted(schedule="constant"))
    assert train(resume_run(folder, epochs=3))
    assert_same_state(folder, uninterrupted(schedule="constant", epochs=3))
    assert json.loads((folder / "config.json").read_text())["settings"]["epochs"] == 3


def test_a_run_that_minutes_ended_is_not_validated_again(corpus, tmp_path):
    folder = tmp_path / "run"
    run = start(folder, corpus, epochs=None, minutes=1e-9)
    assert train(run) and run.progress.step == 1 and (folder / "best.npz").exists()
    before = state_of(folder)
    assert train(resume_run(folder))
    assert_same_state(folder, before)
    assert train(resume_run(folder, epochs=1))
    steps = [row["step"] for row in read_metrics(folder / "metrics.csv")]
    assert steps == [1, *range(1, NUM_BATCHES + 1)], "a row for the first step, and one for its validation"


OTHER_KINDS = {
    "translation": ("translation", TranslationModel(embedding_dim=6, hidden_dim=8, dropout=0.3),
                    TranslationSettings(batch_size=64, epochs=2), TranslationData(num_pairs=300)),
    "speech": ("transcription", SpeechModel(hidden_dim=8, dropout=0.3), SpeechSettings(batch_size=16, epochs=2),
               SpeechData(num_utterances=60)),
    "answers": ("answering", AnswerModel(embedding_dim=6), AnswerSettings(epochs=2, linear_epochs=1),
                AnswerData(num_questions=200)),
    "answers of a reader": ("answering", AnswerModel("lstm", 6, 8, dropout=0.3), AnswerSettings(epochs=2),
                            AnswerData(num_questions=200)),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_a_stopped_run_of_every_kind_goes_on_bit_for_bit(tmp_path, monkeypatch, name):
    module, *choices = OTHER_KINDS[name]
    kind = import_module(f"numpylm.commands.{module}").KIND
    config = RunConfig(kind.name, *choices)
    assert train(runs.start_run(tmp_path / "whole", kind, config))
    runs.start_run(tmp_path / "parts", kind, config)
    resume_until_done(monkeypatch, tmp_path / "parts", (1, 3, 2))
    assert_same_state(tmp_path / "parts", state_of(tmp_path / "whole"))


# Another kind of model: sequences are copied, in padded batches that are shuffled in every epoch, without a state


class CopyData(NamedTuple):
    """Sequences a b c 0 a b c: the model is asked for what comes after the 0."""

    sequences: list
    name: str = "copies"
    fingerprint: str = "made in the test"
    vocabulary: None = None


class CopyBatch(NamedTuple):
    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray


def copy_batch(sequences):
    """A padded batch whose targets before the 0 are -1."""
    inputs, targets, mask = pad_sequences(sequences)
    asked = np.cumsum(inputs == 0, axis=0) * mask > 0
    return CopyBatch(inputs, np.where(asked, targets, -1), mask)


def copy_data(config, vocabulary=None):
    rng = np.random.default_rng(5)
    words = [rng.integers(1, 6, length) for length in rng.integers(2, 5, 50)]
    return CopyData([np.concatenate([word, [0], word]) for word in words])


def copy_task(config, data):
    N, *parts = config.settings.batch_size, data.sequences[:40], data.sequences[40:]

    def batches(epoch, first):
        order = shuffled(40, config.settings.seed, epoch)
        for k in range(first, 40 // N):
            yield copy_batch([parts[0][n] for n in order[k * N : (k + 1) * N]])

    def loss_and_gradients(model, batch, carried, rng):
        assert carried is None
        out = model.loss_and_gradients(*batch[:2], mask=batch.mask, rng=rng)
        return LossOutput(out.loss, out.gradients, None)

    def validate(model):
        batch = copy_batch(parts[1])
        return Validation(model.loss_and_gradients(*batch[:2], mask=batch.mask).loss, note="ten words")

    return Task(
        "copied token", 40 // N, batches, lambda batch: int((batch.targets >= 0).sum()), loss_and_gradients, validate
    )


def copy_model(config, data):
    return LSTMLM(6, config.model.embedding_dim, config.model.hidden_dim, dropout=0.2)


KIND = Kind(
    "copy", "copy", Settings, ModelChoices, CorpusChoices, None, copy_data, copy_model, copy_task,
    describe=lambda run: [("corpus", "copies")], report=__name__,
)  # fmt: skip


def report(run, model):
    return Report({"share": 1}, "copies", {}, 0.5)


def test_another_kind_of_model_trains_is_killed_and_resumed_bit_for_bit(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(KINDS, "copy", __name__)  # the module that has its KIND
    settings = Settings(batch_size=8, epochs=4, learning_rate=0.02)
    config = RunConfig("copy", ModelChoices(embedding_dim=4, hidden_dim=12), settings, CorpusChoices())
    assert train(runs.start_run(tmp_path / "whole", KIND, config))
    assert "validation perplexity" in capsys.readouterr().out
    for name, kill, step in (("early", 3, 1), ("late", 16, 6)):
        runs.start_run(tmp_path / name, KIND, config)
        with monkeypatch.context() as patch:
            patch.setattr(runs, "SAVE_SECONDS", -1)
            kill_at(patch, kill)
            with pytest.raises(Killed):
                train(resume_run(tmp_path / name))
        assert resume_run(tmp_path / name).progress.step == step
        assert train(resume_run(tmp_path / name))
        assert_same_state(tmp_path / name, state_of(tmp_path / "whole"))
    rows = read_metrics(tmp_path / "whole" / "metrics.csv")
    assert rows[-1]["valid_loss"] < rows[0]["train_loss"] and rows[0]["loss_unit"] == "nats per copied token"
    finish(resume_run(tmp_path / "whole"))
    summary = json.loads((tmp_path / "whole" / "summary.json").read_text())
    assert (summary["task"], summary["share"], summary["steps"]) == ("copy", 1, 20)
