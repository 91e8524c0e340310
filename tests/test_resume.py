"""Stopping a run of any kind, or killing it, changes nothing: it goes on bit for bit."""

import json
from dataclasses import replace
from importlib import import_module

import pytest
from run_examples import NUM_BATCHES, Killed, assert_same_state, kill_at, resume_until_done, start, state_of, train

from numpylm.commands import run as runs
from numpylm.commands.answer import AnswerData, AnswerModel
from numpylm.commands.run import resume_run
from numpylm.commands.run_folder import RunConfig
from numpylm.commands.transcribe import SpeechData, SpeechModel
from numpylm.commands.translate import TranslationData, TranslationModel
from numpylm.data.metrics import read_metrics
from numpylm.kinds.answer_task import AnswerSettings
from numpylm.kinds.transcription_task import SpeechSettings
from numpylm.kinds.translation_task import TranslationSettings
from numpylm.optimizers import OPTIMIZERS


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
        (DROPOUT, (1, NUM_BATCHES, 15)),  # after the first step, the first of an epoch, and the last
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


@pytest.mark.parametrize(
    ("save_seconds", "kills"),
    [(-1, (2, 31, 33, 34, 67)), (60, (2, 17, 18, 36))],
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


STORY = "1 Mia walks into the {0}.\n2 Where is Mia?\t{0}\t1\n"
OTHER_KINDS = {
    "translation": ("translate", TranslationModel(embedding_dim=6, hidden_dim=8, dropout=0.3),
                    TranslationSettings(batch_size=32, epochs=2), TranslationData(train="{folder}/pairs.tsv")),
    "speech": ("transcribe", SpeechModel(hidden_dim=8, dropout=0.3), SpeechSettings(batch_size=4, epochs=2),
               SpeechData(num_utterances=12)),
    "answers": ("answer", AnswerModel(embedding_dim=6), AnswerSettings(batch_size=16, epochs=2, linear_epochs=1),
                AnswerData(train="{folder}/stories.txt")),
    "a reader": ("answer", AnswerModel("lstm", 6, 8, dropout=0.3), AnswerSettings(batch_size=16, epochs=2),
                 AnswerData(train="{folder}/stories.txt")),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_a_stopped_run_of_every_kind_goes_on_bit_for_bit(tmp_path, monkeypatch, name):
    (tmp_path / "pairs.tsv").write_text("".join(f"a b {k}\t{k} X\n" for k in range(120)))
    (tmp_path / "stories.txt").write_text("".join(STORY.format(place) for place in ("cellar", "garden") * 40))
    module, *choices = OTHER_KINDS[name]
    kind = import_module(f"numpylm.commands.{module}").KIND
    model, settings, data = choices
    if name != "speech":
        data = replace(data, train=data.train.format(folder=tmp_path))
    config = RunConfig(kind.name, model, settings, data)
    assert train(runs.start_run(tmp_path / "whole", kind, config))
    runs.start_run(tmp_path / "parts", kind, config)
    resume_until_done(monkeypatch, tmp_path / "parts", (1, 3, 2))
    assert_same_state(tmp_path / "parts", state_of(tmp_path / "whole"))
