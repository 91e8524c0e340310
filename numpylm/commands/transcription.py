"""Runs of the acoustic model: how such a run is begun and reported."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from numpylm.choices import OWN, again, choice
from numpylm.commands.kind import Kind
from numpylm.commands.model_choices import ModelChoices
from numpylm.commands.transcription_data import UNITS, SpeechData, open_data
from numpylm.transcription import AcousticModel, AcousticSizes, check_sizes
from numpylm.transcription_task import SpeechSettings, transcription_task


@dataclass(frozen=True)
class SpeechModel:
    """The choices of an acoustic model. Raises ValueError for one out of range."""

    model: str = again(ModelChoices, "model", "gru")
    one_direction: bool = choice(False, "the model reads from left to right only", group=OWN)
    hidden_dim: int = again(ModelChoices, "hidden_dim", 96)
    num_layers: int = again(ModelChoices, "num_layers", 1)
    dropout: float = again(ModelChoices, "dropout", 0.2)

    def __post_init__(self):
        check_sizes(AcousticSizes(1, 1, **constructor_arguments(self)))


def run_name(config):
    """transcribe-synthetic, transcribe-digits, …"""
    return f"transcribe-{Path(config.data.train or 'synthetic').name}"


def constructor_arguments(choices):
    """The arguments of AcousticModel that the choices name. The numbers of labels and features are missing."""
    names = ("hidden_dim", "num_layers", "dropout")
    own = {"cell": choices.model, "bidirectional": not choices.one_direction}
    return {name: getattr(choices, name) for name in names} | own


def make_model(config, data):
    """An untrained AcousticModel."""
    sizes = len(data.vocabulary) - 1, config.data.num_bands * config.data.stack
    return AcousticModel(*sizes, seed=config.settings.seed, **constructor_arguments(config.model))


def make_task(config, data):
    """The Task of the run's utterances."""
    train, valid = data.utterances["train"], data.utterances["valid"]
    return transcription_task(train, valid, data.vocabulary, config.settings, UNITS[config.data.level])


def describe(run):
    """What is about to be trained on what."""
    counts = ", ".join(f"{len(utterances):,} {part}" for part, utterances in run.data.utterances.items())
    frames = np.mean([len(utterance.features) for utterance in run.data.utterances["train"]])
    yield "speech", f"{run.data.name}: {counts} utterances, of {frames:.0f} frames on average"
    if run.config.data.train is None:
        yield "", "A small formant synthesiser speaks: no human voice is in it"
    sizes, level = run.model.sizes, UNITS[run.config.data.level]
    yield "labels", f"{sizes.num_labels - 1} {level}s, and CTC's blank"
    reads = "in both directions" if sizes.bidirectional else "from left to right"
    yield (
        "model",
        f"{sizes.cell.upper()} {reads}; B = {sizes.num_features}, H = {sizes.hidden_dim}, "
        f"{sizes.num_layers} layer{'s' * (sizes.num_layers > 1)}; N = {run.config.settings.batch_size}",
    )


KIND = Kind(
    "speech", "transcribe", SpeechSettings, SpeechModel, SpeechData,
    run_name, open_data, make_model, make_task, describe, "numpylm.commands.transcription_report",
)  # fmt: skip
