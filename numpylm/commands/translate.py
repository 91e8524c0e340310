"""The translate command: runs of the encoder-decoder, what they read, and how one translates."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from numpylm.base import require
from numpylm.base.choices import OWN, again, choice
from numpylm.commands.options import sizes_of
from numpylm.commands.run_folder import Kind, ReadData, digest
from numpylm.commands.task_command import add_task_options, check_beam, run_task
from numpylm.commands.train import ModelChoices
from numpylm.data.pairs import grammar_pairs, read_pairs
from numpylm.data.text import build_vocabulary
from numpylm.kinds.language_task import UNITS
from numpylm.kinds.translation_task import TranslationSettings, encode_pairs, translation_task
from numpylm.translation import EncoderDecoder, TranslationSizes

DESCRIPTION = (
    "Train an encoder-decoder with attention, and translate with it. Without\n"
    "arguments: the built-in English into Chinese, in under three minutes. With RUN:\n"
    "translate the lines of TEXT, a file, or - for standard input, or a sentence."
)
MOST_PAIRS = 1_000_000  # of the built-in corpus
USAGE = "python -m numpylm translate [RUN [TEXT …]] [options]"


@dataclass(frozen=True)
class TranslationModel:
    """The choices of an encoder-decoder. Raises ValueError for one out of range."""

    model: str = again(ModelChoices, "model", "gru")
    score: str = choice(
        "dot", "how attention scores a source position; none: no attention", choices=("dot", "additive", "none")
    )
    one_direction: bool = choice(False, "the encoder reads from left to right only", group=OWN)
    embedding_dim: int = again(ModelChoices, "embedding_dim", 64)
    hidden_dim: int = again(ModelChoices, "hidden_dim", 128)
    num_layers: int = again(ModelChoices, "num_layers", 1, help="layers of the encoder, and of the decoder")
    dropout: float = again(ModelChoices, "dropout", 0.0)
    tie_weights: bool = choice(False, "W_sy is the transpose of E_y; without attention D = H", group=OWN)
    uniform_range: float | None = again(ModelChoices, "uniform_range", None)

    def __post_init__(self):
        sizes_of(self, TranslationSizes, attention=self.score).check()
        if self.uniform_range is not None:
            require.positive_number("uniform_range", self.uniform_range)


@dataclass(frozen=True)
class TranslationData:
    """The pairs to train on, and their tokens."""

    train: str | None = choice(
        None, "a file with a tab between a sentence and its translation in each line, or a folder with train, valid "
        "and test pairs", metavar="PATH", shown="the built-in English and Chinese", place=True,
    )  # fmt: skip
    source: str | None = choice(
        None, "the file of the source sentences, one a line; with a folder, the ending of its files, such as de",
        metavar="FILE", place=True,
    )  # fmt: skip
    target: str | None = choice(None, "the same of their translations", metavar="FILE", place=True)
    source_level: str = choice("word", "source tokens are words or characters", choices=tuple(UNITS))
    target_level: str = choice("word", "target tokens are words or characters", choices=tuple(UNITS))
    min_count: int = choice(1, "rarer tokens become <unk>", metavar="K")
    longest: int = choice(100, "leave pairs with more tokens on a side out of training", metavar="T")
    num_pairs: int = choice(40_000, "training pairs of the built-in corpus", metavar="K")

    def __post_init__(self):
        require.positive_integers(self, "min_count", "longest")
        bounded = require.is_integer(self.num_pairs) and 1 <= self.num_pairs <= MOST_PAIRS
        require.expect("num_pairs", self.num_pairs, bounded, f"an integer from 1 to {MOST_PAIRS:,}")


@dataclass(frozen=True)
class TranslateChoices:
    """How a trained run translates."""

    text: tuple = choice(("-",), "a UTF-8 file, - for standard input, or a sentence", flag="TEXT", nargs="*")
    beam: int = choice(5, "hypotheses that beam search keeps; 1 is greedy", metavar="K")
    n_best: int = choice(1, "show the K best translations of each line, with their scores", metavar="K")
    length_penalty: float = choice(1.0, "0 compares log p itself; larger favours longer translations", metavar="A")
    attention: str | None = choice(None, "draw the attention over the first line", metavar="FILE.png")

    def __post_init__(self):
        check_beam(self, self.length_penalty)


def open_data(config, vocabulary=None):
    """The pairs that the choices name, as ReadData; a dict of vocabularies given is used in place of new ones."""
    choices = config.data
    levels = {"source": choices.source_level, "target": choices.target_level}
    if (choices.train, choices.source, choices.target) == (None, None, None):
        name, parts = "the built-in English and Chinese", grammar_pairs(choices.num_pairs, level=choices.target_level)
    else:
        parts = read_pairs(choices.train, choices.source, choices.target)
        name = Path(choices.train or choices.source).name
    if vocabulary is None:
        texts = {side: "".join(f"{getattr(pair, side)}\n" for pair in parts["train"]) for side in levels}
        vocabulary = {side: build_vocabulary(texts[side], levels[side], choices.min_count) for side in levels}
    fingerprint = digest("\t".join(pair) + "\n" for part in sorted(parts) for pair in parts[part])
    cut_source, cut_target = (str.split if level == "word" else list for level in levels.values())
    pairs, longest = parts["train"], choices.longest
    lengths = [max(len(cut_source(pair.source)), len(cut_target(pair.target))) for pair in pairs]
    parts["train"] = [pair for pair, length in zip(pairs, lengths, strict=True) if length <= longest]
    left_out = len(pairs) - len(parts["train"])
    if left_out == len(pairs):
        raise ValueError(f"every training pair is longer than {longest} tokens: give a larger --longest")
    if left_out:
        note = f"note: {left_out:,} of {len(pairs):,} training pairs are longer than {longest} tokens and left out"
        print(note, file=sys.stderr)
    return ReadData(name, fingerprint, vocabulary, parts)


def make_model(config, data):
    """An untrained EncoderDecoder."""
    vocab_sizes = {f"{side}_vocab_size": len(vocabulary) for side, vocabulary in data.vocabulary.items()}
    sizes = sizes_of(config.model, TranslationSizes, attention=config.model.score, **vocab_sizes)
    return EncoderDecoder(**sizes._asdict(), seed=config.settings.seed)


def make_task(config, data):
    """The Task of the run's pairs."""
    train, valid = (encode_pairs(data.vocabulary, data.parts[part]) for part in ("train", "valid"))
    return translation_task(train, valid, config.settings, f"target {UNITS[data.vocabulary['target'].level]}")


KIND = Kind(
    "translation", "translate", "pairs", TranslationSettings, TranslationModel, TranslationData,
    lambda config: f"translate-{Path(config.data.train or config.data.source or 'grammar').name.partition('.')[0]}",
    lambda config: f"{config.model.model.upper()} encoder-decoder",
    open_data, make_model, make_task, "numpylm.commands.translation_report", Use=TranslateChoices,
)  # fmt: skip
add_options, run = partial(add_task_options, kind=KIND), partial(run_task, kind=KIND)
