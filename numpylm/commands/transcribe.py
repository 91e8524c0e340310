"""The transcribe command: runs of the acoustic model, what they read, and how one transcribes."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from numpylm.base import require
from numpylm.base.choices import OWN, again, choice
from numpylm.commands.options import sizes_of
from numpylm.commands.run_folder import Kind, ReadData, digest
from numpylm.commands.task_command import add_task_options, check_beam, run_task
from numpylm.commands.train import ModelChoices
from numpylm.data.features import HIGHEST, NUM_BANDS, Sound, log_mel_features, read_wav, stack_frames
from numpylm.data.speech.recordings import read_recordings, split_recordings
from numpylm.data.speech.synthesizer import spoken_sentences
from numpylm.data.text import build_vocabulary
from numpylm.kinds.language_task import UNITS
from numpylm.kinds.transcription_task import SpeechSettings, transcription_task, with_labels
from numpylm.transcription import AcousticModel, AcousticSizes

DESCRIPTION = (
    "Train an acoustic model with CTC, and transcribe with it. Without arguments:\n"
    "built-in synthetic speech, in under four minutes. With RUN: what is said in\n"
    "each .wav file, by a beam search with the run's own language model."
)
USAGE = "python -m numpylm transcribe [RUN [FILE.wav …]] [options]"
BUILT_IN = {"train": (1, 0), "valid": (0.1, 1), "test": (0.2, 2)}  # part -> its size beside training's, and its seed
DITHER = 10 ** (-40 / 20)  # 40 dB below a sound


@dataclass(frozen=True)
class SpeechModel:
    """The choices of an acoustic model. Raises ValueError for one out of range."""

    model: str = again(ModelChoices, "model", "gru")
    one_direction: bool = choice(False, "the model reads from left to right only", group=OWN)
    hidden_dim: int = again(ModelChoices, "hidden_dim", 96)
    num_layers: int = again(ModelChoices, "num_layers", 1)
    dropout: float = again(ModelChoices, "dropout", 0.2)

    def __post_init__(self):
        sizes_of(self, AcousticSizes).check()


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
        require.expect("num_utterances", self.num_utterances, self.num_utterances <= 100_000, "100,000 or fewer")
        require.expect("stack", self.stack, self.stack <= 100, "at most 100 frames, a second")
        require.expect("cepstra", self.cepstra, 0 <= self.cepstra <= self.num_bands, "0, or at most num_bands")


@dataclass(frozen=True)
class TranscribeChoices:
    """How a trained run transcribes."""

    files: tuple = choice((), ".wav files", flag="FILE", nargs="*", shown="")
    beam: int = choice(10, "label sequences that beam search keeps", metavar="K")
    n_best: int = choice(1, "the K best of each file, in lines: file, tab, score, tab, text", metavar="K")
    lm: str | None = choice(None, "a language model's run", metavar="RUN", shown="the run's own")
    alpha: float | None = choice(None, "that model's weight; 0: without it", metavar="A", shown="chosen on validation")
    beta: float | None = choice(None, "pay for each label", metavar="B", shown="chosen on validation")
    rescore: str | None = choice(None, "rank a list again: utterance, tab, score, tab, text", metavar="LIST.tsv")
    said: str | None = choice(None, "choose alpha and beta by what was said: utterance, tab, text", metavar="SAID.tsv")

    def __post_init__(self):
        require.positive_integer("n_best", self.n_best)
        if self.rescore is None:
            check_beam(self)
        for name, value in self.given.items():
            require.finite_number(name, value)
        if bool(self.files) == bool(self.rescore) or (self.said and not self.rescore):
            raise ValueError("name .wav files, or a list: --rescore LIST.tsv, and --said SAID.tsv with it")

    @property
    def given(self):
        """alpha and beta, as far as they were given."""
        return {name: value for name in ("alpha", "beta") if (value := getattr(self, name)) is not None}


def open_data(config, vocabulary=None):
    """The Utterances that the choices name, as ReadData; a vocabulary given is used in place of a new one."""
    choices = config.data
    if choices.train is None:
        print(f"speaking {choices.num_utterances:,} sentences to train on …", file=sys.stderr)
        spoken = {part: speak(part, choices) for part in BUILT_IN}
    else:
        split = split_recordings(read_recordings(choices.train), config.settings.seed)
        spoken = {part: read_spoken(recordings, choices) for part, recordings in split.items()}
    every = [one for part in sorted(spoken) for one in spoken[part]]
    if vocabulary is None:
        vocabulary = build_vocabulary("".join(f"{text}\n" for _, _, text in every), choices.level)
    parts = {part: with_labels(vocabulary, found, f", with --stack {choices.stack},") for part, found in spoken.items()}
    name = "synthetic speech" if choices.train is None else Path(choices.train).name
    fingerprint = digest(piece for _, read, text in every for piece in (f"{text}\n", read.tobytes()))
    return ReadData(name, fingerprint, vocabulary, parts)


def speak(part, choices):
    """(name, features, text) of each sentence in a part of the built-in speech; each has a voice of its own."""
    share, seed = BUILT_IN[part]
    spoken = enumerate(spoken_sentences(max(1, round(share * choices.num_utterances)), seed))
    return [(f"{part} {k}", features_of(sound, choices), text) for k, (text, sound) in spoken]


def read_spoken(recordings, choices):
    """The same of recordings, (file, text, part) each."""
    return [(str(file), read_features(file, choices), text) for file, text, _ in recordings]


def read_features(path, choices):
    """The features of a .wav file with soft noise: exact zeros are like no silence of a room. Raises ValueError."""
    samples, rate = read_wav(path)
    noise = np.random.default_rng(0).standard_normal(len(samples))
    return features_of(Sound(samples + DITHER * samples.std() * noise, rate), choices)


def features_of(sound, choices):
    """What the model reads of a Sound: (T, B) in float32, choices.stack frames side by side."""
    features = log_mel_features(sound, choices.num_bands, choices.highest, choices.cepstra)
    return stack_frames(features, choices.stack).astype(np.float32)


def make_model(config, data):
    """An untrained AcousticModel."""
    V, B = len(data.vocabulary) - 1, data.parts["train"][0].features.shape[1]
    sizes = sizes_of(config.model, AcousticSizes, num_labels=V, num_features=B)
    return AcousticModel(**sizes._asdict(), seed=config.settings.seed)


def make_task(config, data):
    """The Task of the run's utterances."""
    return transcription_task(data.parts["train"], data.parts["valid"], config.settings, UNITS[config.data.level])


KIND = Kind(
    "speech", "transcribe", "utterances", SpeechSettings, SpeechModel, SpeechData,
    lambda config: f"transcribe-{Path(config.data.train or 'synthetic').name}",
    lambda config: f"{config.model.model.upper()} with CTC",
    open_data, make_model, make_task, "numpylm.commands.transcription_report", Use=TranscribeChoices,
)  # fmt: skip
add_options, run = partial(add_task_options, kind=KIND), partial(run_task, kind=KIND)
