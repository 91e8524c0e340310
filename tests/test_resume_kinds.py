"""Runs of every kind of model, and of a kind made here, go on bit for bit when they were stopped or killed."""

import json
from dataclasses import replace
from importlib import import_module
from typing import NamedTuple

import numpy as np
import pytest
from run_examples import Killed, assert_same_state, kill_at, resume_until_done, state_of, train

from numpylm.answer_task import AnswerSettings
from numpylm.commands import run as runs
from numpylm.commands.answering import AnswerData, AnswerModel
from numpylm.commands.kind import KINDS, Kind, Report
from numpylm.commands.language import CorpusChoices
from numpylm.commands.model_choices import ModelChoices
from numpylm.commands.run import resume_run
from numpylm.commands.run_config import RunConfig
from numpylm.commands.run_report import finish
from numpylm.commands.transcription import SpeechData, SpeechModel
from numpylm.commands.translation import TranslationData, TranslationModel
from numpylm.data.batches import pad_sequences
from numpylm.data.metrics import read_metrics
from numpylm.model import LSTMLM, LossOutput
from numpylm.training import Settings, Task, Validation, shuffled
from numpylm.transcription_task import SpeechSettings
from numpylm.translation_task import TranslationSettings

STORY = "1 Mia walks into the {0}.\n2 Where is Mia?\t{0}\t1\n"
OTHER_KINDS = {
    "translation": ("translation", TranslationModel(embedding_dim=6, hidden_dim=8, dropout=0.3),
                    TranslationSettings(batch_size=32, epochs=2), TranslationData(train="{folder}/pairs.tsv")),
    "speech": ("transcription", SpeechModel(hidden_dim=8, dropout=0.3), SpeechSettings(batch_size=4, epochs=2),
               SpeechData(num_utterances=12)),
    "answers": ("answering", AnswerModel(embedding_dim=6), AnswerSettings(batch_size=16, epochs=2, linear_epochs=1),
                AnswerData(train="{folder}/stories.txt")),
    "a reader": ("answering", AnswerModel("lstm", 6, 8, dropout=0.3), AnswerSettings(batch_size=16, epochs=2),
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
