"""Kinds of models: what a checkpoint must know of each, to check a file before it loads an array.

A new kind of model is one more entry in KINDS.
"""

from collections.abc import Callable
from typing import NamedTuple

from numpylm import model
from numpylm.data import schema
from numpylm.memory_network import MemoryNetwork
from numpylm.model import CELLS, Sizes
from numpylm.parameters import parameter_shapes
from numpylm.reader import Reader
from numpylm.transcription import AcousticModel
from numpylm.translation import EncoderDecoder

ONLY = "text"  # the name of a model's only vocabulary


class Kind(NamedTuple):
    """What a checkpoint must know of a kind of model. Each function raises ValueError for a config that cannot be.

    shapes         (config) -> {parameter: shape}
    make           (config, {parameter: array}) -> the model
    state_shapes   (config, N) -> {name: shape}, what is carried from one batch of N streams to the next
    vocab_sizes    (config) -> {name of a vocabulary: number of tokens}
    """

    shapes: Callable
    make: Callable
    state_shapes: Callable
    vocab_sizes: Callable


def sizes_of(config, Sizes, options=()):
    """A config as the record of sizes of its kind, and its other options as a dict."""
    if config.keys() != {*Sizes._fields, *options}:
        names = ", ".join((*Sizes._fields, *options))
        raise ValueError(f"its config must have {names} in this version of numpylm; got {schema.shown(config)}")
    sizes = Sizes(**{name: config[name] for name in Sizes._fields})
    sizes.check()
    return sizes, {name: config[name] for name in options}


def language_model(make_cell):
    """The Kind of the language models of one cell."""

    def described(config):
        sizes, options = sizes_of(config, Sizes, make_cell().options)
        return make_cell(**options), sizes

    def shapes(config):
        cell, sizes = described(config)
        return parameter_shapes(sizes.parts(cell))

    def state_shapes(config, N):
        cell, sizes = described(config)
        shape = (N, sizes.hidden_dim)
        return {f"{layer}.{name}": shape for layer in range(sizes.num_layers) for name in cell.State._fields}

    return Kind(
        shapes=shapes,
        make=lambda config, parameters: model.make_model(*described(config), parameters),
        state_shapes=state_shapes,
        vocab_sizes=lambda config: {ONLY: config["vocab_size"]},
    )


def other_model(Model, vocab_sizes):
    """The Kind of a model that carries nothing from batch to batch."""

    def sizes(config):
        return sizes_of(config, Model.Sizes)[0]

    return Kind(
        shapes=lambda config: parameter_shapes(sizes(config).parts()),
        make=lambda config, parameters: Model.holding(sizes(config), parameters),
        state_shapes=lambda config, N: {},
        vocab_sizes=vocab_sizes,
    )


def only_vocabulary(config):
    """The vocab_sizes of a model that has one vocabulary."""
    return {ONLY: config["vocab_size"]}


def both_vocabularies(config):
    """The vocab_sizes of an encoder-decoder."""
    return {"source": config["source_vocab_size"], "target": config["target_vocab_size"]}


def labels_and_unknown(config):
    """The vocab_sizes of an acoustic model: <unk> stands where the blank is."""
    return {ONLY: config["num_labels"] + 1}


KINDS = {name: language_model(make_cell) for name, make_cell in CELLS.items()} | {
    "encoder-decoder": other_model(EncoderDecoder, both_vocabularies),
    "acoustic": other_model(AcousticModel, labels_and_unknown),
    "memory-network": other_model(MemoryNetwork, only_vocabulary),
    "reader": other_model(Reader, only_vocabulary),
}
