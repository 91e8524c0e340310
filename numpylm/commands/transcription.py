"""Runs of the acoustic model: what they read, and how such a run is begun and reported."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from numpylm import require
from numpylm.choices import OWN, again, choice
from numpylm.commands.kind import Kind, digest
from numpylm.commands.model_choices import ModelChoices
from numpylm.data.features import HIGHEST, NUM_BANDS, Sound, log_mel_features, read_wav, stack_frames
from numpylm.data.speech.recordings import PARTS, read_recordings, split_recordings
from numpylm.data.speech.sentences import spoken_sentences
from numpylm.data.text import build_vocabulary
from numpylm.language_task import UNITS
from numpylm.transcription import AcousticModel, AcousticSizes, check_sizes
from numpylm.transcription_task import SpeechSettings, Utterance, encoded, transcription_task

SEEDS = {"train": 0, "valid": 1, "test": 2}  # of the built-in parts
DITHER = 10 ** (-40 / 20)  # 40 dB below a sound
SHARES = {"train": 1, "valid": 0.1, "test": 0.2}  # their sizes, beside the training part's


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


@dataclass(frozen=True)
class SpeechData:
    """The recordings to train on, their labels and features."""

    train: str | None = choice(
        None, "a folder of .wav files with transcripts.tsv: in each line a file, a tab and what is said",
        metavar="FOLDER", shown="the built-in synthetic speech", place=True,
    )  # fmt: skip
    level: str = choice("word", "labels are words or characters", choices=tuple(UNITS))
    num_utterances: int = choice(800, "training utterances of the built-in speech", metavar="K")
    num_bands: int = choice(NUM_BANDS, "mel bands of a frame of 10 ms", metavar="B")
    cepstra: int = choice(13, "cepstral coefficients that replace the bands of a frame; 0: the bands", metavar="C")
    highest: int = choice(HIGHEST, "where the bands end, in Hz; sounds are best of twice this rate", metavar="HZ")
    stack: int = choice(3, "frames that the model reads at once", metavar="K")

    def __post_init__(self):
        require.one_of("level", self.level, tuple(UNITS))
        require.positive_integers(self, "num_utterances", "num_bands", "highest", "stack")
        if require.count("cepstra", self.cepstra) > self.num_bands:
            raise ValueError(f"cepstra must be at most the {self.num_bands} bands; got {self.cepstra}")


class Speech(NamedTuple):
    """What a run reads: the Vocabulary of labels, and Utterances by part ("train", "valid", "test")."""

    name: str
    fingerprint: str
    vocabulary: object
    utterances: dict


def run_name(config):
    """transcribe-synthetic, transcribe-digits, …"""
    return f"transcribe-{Path(config.data.train or 'synthetic').name}"


def open_data(config, vocabulary=None):
    """The Speech that the choices name; a vocabulary given is used in place of a new one."""
    choices = config.data
    if choices.train is None:
        print(f"speaking {choices.num_utterances:,} sentences to train on …", file=sys.stderr)
    parts = {part: utterances_of(part, config) for part in PARTS}
    if vocabulary is None:
        text = "".join(utterance.text + "\n" for part in PARTS for utterance in parts[part])
        vocabulary = build_vocabulary(text, choices.level)
    encoded(vocabulary, parts["test"])  # refuses one that is too short for its transcript, as training does
    name = "synthetic speech" if choices.train is None else Path(choices.train).name
    read = (one for part in sorted(parts) for one in parts[part])
    fingerprint = digest(one.text.encode("utf-8", "surrogatepass") + b"\n" + one.features.tobytes() for one in read)
    return Speech(name, fingerprint, vocabulary, parts)


def utterances_of(part, config):
    """The Utterances of "train", "valid" or "test"; each built-in sentence has a voice of its own."""
    choices = config.data
    if choices.train is not None:
        recordings = split_recordings(read_recordings(choices.train), config.settings.seed)[part]
        return [read_utterance(one.path, one.text, choices) for one in recordings]
    count = max(1, round(SHARES[part] * choices.num_utterances))
    named = zip(*spoken_sentences(count, SEEDS[part]), strict=True)
    return [Utterance(f"{part} {k}", features_of(sound, choices), text) for k, (text, sound) in enumerate(named)]


def read_utterance(path, text, choices):
    """The Utterance of a .wav file, with soft noise: exact zeros are like no silence of a room. Raises SoundError."""
    samples, rate = read_wav(path)
    noise = np.random.default_rng(0).standard_normal(len(samples))
    sound = Sound(samples + DITHER * samples.std() * noise, rate)
    return Utterance(str(path), features_of(sound, choices), text)


def features_of(sound, choices):
    """What the model reads of a Sound: (T, B) in float32, choices.stack frames side by side."""
    features = log_mel_features(sound, choices.num_bands, choices.highest, choices.cepstra)
    return stack_frames(features, choices.stack).astype(np.float32)


def constructor_arguments(choices):
    """The arguments of AcousticModel that the choices name. The numbers of labels and features are missing."""
    sizes = {name: getattr(choices, name) for name in ("hidden_dim", "num_layers", "dropout")}
    return sizes | {"cell": choices.model, "bidirectional": not choices.one_direction}


def make_model(config, data):
    """An untrained AcousticModel."""
    sizes = len(data.vocabulary) - 1, data.utterances["train"][0].features.shape[1]
    return AcousticModel(*sizes, seed=config.settings.seed, **constructor_arguments(config.model))


def make_task(config, data):
    """The Task of the run's utterances."""
    train, valid, _ = data.utterances.values()
    return transcription_task(train, valid, data.vocabulary, config.settings, UNITS[config.data.level])


def describe(run):
    """What is about to be trained on what."""
    counts = ", ".join(f"{len(utterances):,} {part}" for part, utterances in run.data.utterances.items())
    frames = np.mean([len(utterance.features) for utterance in run.data.utterances["train"]])
    yield "speech", f"{run.data.name}: {counts} utterances, of {frames:.0f} frames on average"
    if run.config.data.train is None:
        yield "", "A small formant synthesiser speaks: no human voice is in it"
    V, B, H, L, cell, both, _ = run.model.sizes
    yield "labels", f"{V - 1} {run.task.unit}s, and CTC's blank"
    reads = "in both directions" if both else "from left to right"
    layers = f"{L} layer{'s' * (L > 1)}"
    yield "model", f"{cell.upper()} {reads}; B = {B}, H = {H}, {layers}; N = {run.config.settings.batch_size}"


KIND = Kind(
    "speech", "transcribe", SpeechSettings, SpeechModel, SpeechData,
    run_name, open_data, make_model, make_task, describe, "numpylm.commands.transcription_report",
)  # fmt: skip
