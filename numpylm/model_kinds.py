"""Kinds of models: what a checkpoint must know of each, to check a file before it loads an array.

A new kind of model is one more entry in KINDS.
"""

import reprlib
from collections.abc import Callable
from typing import NamedTuple

from numpylm.memory_network import MemoryNetwork
from numpylm.model import CELLS, Sizes, make_model
from numpylm.parameters import parameter_shapes
from numpylm.reader import Reader
from numpylm.transcription import AcousticModel
from numpylm.translation import EncoderDecoder

ONLY = "text"  # the name of a model's only vocabulary


class Kind(NamedTuple):
    """What a checkpoint must know of a kind of model. Each function raises ValueError for a config that cannot be.

    shapes         (config) -> {parameter: shape}
    make           (config, {parameter: array}) -> the model
    vocab_sizes    (config) -> {name of a vocabulary: number of tokens}
    state_shapes   (config, N) -> {name: shape}, what is carried from one batch of N streams to the next
    """

    shapes: Callable
    make: Callable
    vocab_sizes: Callable = lambda config: {ONLY: config["vocab_size"]}
    state_shapes: Callable = lambda config, N: {}


def sizes_of(config, Sizes, options=()):
    """A config as the record of sizes of its kind, and its other options as a dict."""
    names = (*Sizes._fields, *options)
    if config.keys() != {*names}:
        expected = f"its config must have {', '.join(names)} in this version of numpylm"
        raise ValueError(f"{expected}; got {reprlib.repr(config)}")
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

    return Kind(shapes, lambda config, arrays: make_model(*described(config), arrays), state_shapes=state_shapes)


def other_model(Model, **functions):
    """The Kind of a model that carries nothing from batch to batch."""

    def shapes(config):
        return parameter_shapes(sizes_of(config, Model.Sizes)[0].parts())

    return Kind(shapes, lambda config, arrays: Model.holding(sizes_of(config, Model.Sizes)[0], arrays), **functions)


KINDS = {name: language_model(make_cell) for name, make_cell in CELLS.items()} | {
    "encoder-decoder": other_model(
        EncoderDecoder, vocab_sizes=lambda config: {side: config[f"{side}_vocab_size"] for side in ("source", "target")}
    ),
    "acoustic": other_model(  # <unk> stands where the blank is
        AcousticModel, vocab_sizes=lambda config: {ONLY: config["num_labels"] + 1}
    ),
    "memory-network": other_model(MemoryNetwork),
    "reader": other_model(Reader),
}
