"""Kinds of models: what a checkpoint must know of each, to check a file before it loads an array.

A new kind of model is one more entry in KINDS.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from numpylm import memory_network, reader, transcription, translation_parameters
from numpylm.data import schema
from numpylm.memory_network import MemoryNetwork, MemorySizes, make_memory_network
from numpylm.model import CELLS, Sizes, check_sizes, make_model, parameter_shapes
from numpylm.reader import Reader, ReaderSizes, make_reader
from numpylm.transcription import AcousticModel, AcousticSizes, make_acoustic_model
from numpylm.translation import EncoderDecoder, make_translation_model
from numpylm.translation_parameters import TranslationSizes

ONLY = "text"  # the name of a model's only vocabulary
MAX_LAYERS = 1000


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


def language_model(make_cell):
    """The Kind of the language models of one cell."""

    def described(config):
        options = make_cell().options
        if config.keys() != {*Sizes._fields, *options}:
            names = ", ".join((*Sizes._fields, *options))
            raise ValueError(f"its config must have {names}; got {schema.shown(config)}")
        sizes = Sizes(**{name: config[name] for name in Sizes._fields})
        check_sizes(sizes)
        if sizes.num_layers > MAX_LAYERS:
            raise ValueError(f"its config has num_layers = {sizes.num_layers}; expected at most {MAX_LAYERS}")
        return make_cell(**{name: config[name] for name in options}), sizes

    def state_shapes(config, N):
        cell, sizes = described(config)
        shape = (N, sizes.hidden_dim)
        return {f"{layer}.{name}": shape for layer in range(sizes.num_layers) for name in cell.State._fields}

    return Kind(
        shapes=lambda config: parameter_shapes(*described(config)),
        make=lambda config, parameters: make_model(*described(config), parameters),
        state_shapes=state_shapes,
        vocab_sizes=lambda config: {ONLY: config["vocab_size"]},
    )


def sizes_of(Sizes, check_sizes, config):
    """A config as the record of sizes of its kind."""
    if config.keys() != set(Sizes._fields):
        raise ValueError(f"its config must have {', '.join(Sizes._fields)}; got {schema.shown(config)}")
    sizes = Sizes(**config)
    check_sizes(sizes)
    for name in ("num_layers", "num_hops"):
        if getattr(sizes, name, 0) > MAX_LAYERS:
            raise ValueError(f"its config has {name} = {getattr(sizes, name)}; expected at most {MAX_LAYERS}")
    return sizes


translation_sizes = partial(sizes_of, TranslationSizes, translation_parameters.check_sizes)
acoustic_sizes = partial(sizes_of, AcousticSizes, transcription.check_sizes)
memory_sizes = partial(sizes_of, MemorySizes, memory_network.check_sizes)
reader_sizes = partial(sizes_of, ReaderSizes, reader.check_sizes)
ENCODER_DECODER = Kind(
    shapes=lambda config: translation_parameters.parameter_shapes(translation_sizes(config)),
    make=lambda config, parameters: make_translation_model(translation_sizes(config), parameters),
    state_shapes=lambda config, N: {},  # nothing is carried from batch to batch
    vocab_sizes=lambda config: {"source": config["source_vocab_size"], "target": config["target_vocab_size"]},
)
ACOUSTIC = Kind(
    shapes=lambda config: transcription.parameter_shapes(acoustic_sizes(config)),
    make=lambda config, parameters: make_acoustic_model(acoustic_sizes(config), parameters),
    state_shapes=lambda config, N: {},
    vocab_sizes=lambda config: {ONLY: config["num_labels"] + 1},  # <unk> stands where the blank is
)
MEMORY = Kind(
    shapes=lambda config: memory_network.memory_shapes(memory_sizes(config)),
    make=lambda config, parameters: make_memory_network(memory_sizes(config), parameters),
    state_shapes=lambda config, N: {},
    vocab_sizes=lambda config: {ONLY: config["vocab_size"]},
)
READER = Kind(
    shapes=lambda config: reader.parameter_shapes(reader_sizes(config)),
    make=lambda config, parameters: make_reader(reader_sizes(config), parameters),
    state_shapes=lambda config, N: {},
    vocab_sizes=lambda config: {ONLY: config["vocab_size"]},
)

KINDS = {name: language_model(make_cell) for name, make_cell in CELLS.items()}
KINDS[EncoderDecoder.kind] = ENCODER_DECODER
KINDS[AcousticModel.kind] = ACOUSTIC
KINDS[MemoryNetwork.kind] = MEMORY
KINDS[Reader.kind] = READER
