"""Runs of the encoder-decoder: what they read, and how such a run is begun and reported."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from numpylm import require
from numpylm.choices import OWN, again, choice
from numpylm.commands.kind import Kind, digest
from numpylm.commands.model_choices import ModelChoices
from numpylm.data.grammar.pairs import grammar_pairs
from numpylm.data.pairs import read_pairs
from numpylm.data.text import build_vocabulary
from numpylm.translation import EncoderDecoder
from numpylm.translation_parameters import TranslationSizes, check_sizes
from numpylm.translation_task import TranslationSettings, encode_pairs, translation_task

SIDES = ("source", "target")
LEVELS = {"word": "word", "char": "character"}


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
        check_sizes(TranslationSizes(1, 1, **constructor_arguments(self)))
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
    source_level: str = choice("word", "source tokens are words or characters", choices=tuple(LEVELS))
    target_level: str = choice("word", "target tokens are words or characters", choices=tuple(LEVELS))
    min_count: int = choice(1, "rarer tokens become <unk>", metavar="K")
    longest: int = choice(100, "leave pairs with more tokens on a side out of training", metavar="T")
    num_pairs: int = choice(40_000, "training pairs of the built-in corpus", metavar="K")

    def __post_init__(self):
        require.positive_integers(self, "min_count", "longest", "num_pairs")


class PairData(NamedTuple):
    """What a run reads: Pairs and EncodedPairs by part ("train", "valid", "test", …), and both vocabularies."""

    name: str
    fingerprint: str
    vocabulary: dict  # "source", "target" -> Vocabulary
    pairs: dict
    encoded: dict


def run_name(config):
    """translate-grammar, translate-multi30k, …"""
    return f"translate-{Path(config.data.train or config.data.source or 'grammar').name.partition('.')[0]}"


def open_data(config, vocabulary=None):
    """The PairData that the choices name; a dict of vocabularies given is used in place of new ones."""
    choices = config.data
    if choices.train is None and choices.source is None and choices.target is None:
        name, parts = "the built-in English and Chinese", grammar_pairs(choices.num_pairs, level=choices.target_level)
    else:
        parts = read_pairs(choices.train, choices.source, choices.target)
        name = Path(choices.train or choices.source).name
    vocabulary = vocabulary or {side: vocabulary_of(parts["train"], side, choices) for side in SIDES}
    encoded = {part: encode_pairs(vocabulary, pairs) for part, pairs in parts.items()}
    encoded["train"] = without_long(encoded["train"], choices.longest)
    lines = ("\t".join(pair) + "\n" for part in sorted(parts) for pair in parts[part])
    fingerprint = digest(line.encode("utf-8", "surrogatepass") for line in lines)
    return PairData(name, fingerprint, vocabulary, parts, encoded)


def vocabulary_of(pairs, side, choices):
    """The Vocabulary of one side of the training pairs."""
    text = "".join(getattr(pair, side) + "\n" for pair in pairs)
    return build_vocabulary(text, getattr(choices, f"{side}_level"), choices.min_count)


def without_long(encoded, longest):
    """EncodedPairs without those that have more tokens than longest, ends not counted. ValueError if none is left."""
    pairs = list(zip(encoded.sources, encoded.targets, strict=True))
    kept = [pair for pair in pairs if max(map(len, pair)) <= longest + 1]
    if not kept:
        raise ValueError(f"every training pair is longer than {longest} tokens: give a larger --longest")
    if len(kept) < len(pairs):
        left_out = f"{len(pairs) - len(kept):,} of {len(pairs):,} training pairs"
        print(f"note: {left_out} are longer than {longest} tokens and left out", file=sys.stderr)
    sources, targets = zip(*kept, strict=True)
    return encoded._replace(sources=list(sources), targets=list(targets))


def unit(vocabularies):
    """What the loss is counted per: "target word" or "target character"."""
    return f"target {LEVELS[vocabularies['target'].level]}"


def constructor_arguments(choices):
    """The arguments of EncoderDecoder that the choices name. The vocabularies' sizes and the seed are missing."""
    names = ("embedding_dim", "hidden_dim", "num_layers", "dropout", "tie_weights")
    own = {"cell": choices.model, "attention": choices.score, "bidirectional": not choices.one_direction}
    return {name: getattr(choices, name) for name in names} | own


def make_model(config, data):
    """An untrained EncoderDecoder."""
    sizes = [len(data.vocabulary[side]) for side in SIDES]
    return EncoderDecoder(*sizes, seed=config.settings.seed, **constructor_arguments(config.model))


def make_task(config, data):
    """The Task of the run's pairs."""
    return translation_task(data.encoded["train"], data.encoded["valid"], config.settings, unit(data.vocabulary))


def describe(run):
    """What is about to be trained on what."""
    counts = ", ".join(f"{len(pairs.sources):,} {part}" for part, pairs in run.data.encoded.items())
    yield "corpus", f"{run.data.name}: {counts} pairs"
    sides = run.data.vocabulary.items()
    yield "tokens", ", ".join(f"{len(words):,} {side} {LEVELS[words.level]}s" for side, words in sides)
    sizes, N = run.model.sizes, run.config.settings.batch_size
    attention = f"{sizes.attention} attention".replace("none", "no")
    reads = "in both directions" if sizes.bidirectional else "from left to right"
    dims = f"D = {sizes.embedding_dim}, H = {sizes.hidden_dim}, {sizes.num_layers} layer{'s' * (sizes.num_layers > 1)}"
    yield "model", f"{sizes.cell.upper()}, {attention}, encoder {reads}; {dims}; N = {N}"


KIND = Kind(
    "translation", "translate", TranslationSettings, TranslationModel, TranslationData,
    run_name, open_data, make_model, make_task, describe, "numpylm.commands.translation_report",
)  # fmt: skip
