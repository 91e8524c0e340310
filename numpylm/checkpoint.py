"""Checkpoints: a model, its vocabulary and, while it trains, all that training depends on, in one safe file.

The file format is archive.py's: an .npz that numpy.load opens too. Its arrays are

    parameter.NAME          the model's parameters
    optimizer.SLOT.NAME     what the optimizer remembers for each parameter
    carried.LAYER.NAME      the state (h, c) after the last window

and its metadata say which model, of which sizes, with which vocabulary, and how far training is. Before an array is
loaded, its name, shape and dtype are compared with what a model of those sizes needs.
"""

from typing import Any, NamedTuple

import numpy as np

from numpylm import require
from numpylm.data import text
from numpylm.data.archive import CheckpointError, read_archive, read_layout, write_archive
from numpylm.model import CELLS, LanguageModel, Sizes, check_sizes, make_model, parameter_shapes

FORMAT = "numpylm checkpoint"
VERSION = 1


class TrainingRecord(NamedTuple):
    """What training depends on beside the parameters: arrays by name, and fields that JSON can hold."""

    arrays: dict
    fields: dict


class Checkpoint(NamedTuple):
    """What load_checkpoint returns; vocabulary and training are None where none was saved."""

    model: LanguageModel
    vocabulary: Any
    training: Any


def save_checkpoint(path, model, vocabulary=None, training=None):
    """Writes model, vocabulary (text.Vocabulary) and training (TrainingRecord), or keeps the old file if it cannot.

    Raises ValueError for a vocabulary or a training record that do not fit the model, so that whatever was saved can
    be loaded, and CheckpointError when the file cannot be written.
    """
    arrays = {f"parameter.{name}": array for name, array in model.parameters().items()}
    arrays.update({} if training is None else training.arrays)
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "model": model.cell.name,
        "config": {name: plain(value) for name, value in model.config.items()},
        "dtype": model.dtype.name,
        "vocabulary": None if vocabulary is None else text.to_json(vocabulary),
        "training": None if training is None else training.fields,
    }
    check_contents(metadata, {name: (array.shape, array.dtype) for name, array in arrays.items()})
    write_archive(path, arrays, metadata)


def plain(value):
    """A NumPy number as Python's, which JSON can hold: a vocab_size that was computed is often a numpy.int64."""
    return value.item() if isinstance(value, np.generic) else value


def load_checkpoint(path):
    """The Checkpoint in a file. Raises CheckpointError, having loaded nothing, for a file that does not hold one."""
    metadata, arrays = read_archive(path, check=check_contents)
    cell, sizes, _ = described_model(metadata, arrays)
    parameters = {name: arrays.pop(f"parameter.{name}") for name in parameter_shapes(cell, sizes)}
    model = make_model(cell, sizes, parameters)
    vocabulary = None if metadata["vocabulary"] is None else text.from_json(metadata["vocabulary"])
    training = None if metadata["training"] is None else TrainingRecord(arrays, metadata["training"])
    return Checkpoint(model, vocabulary, training)


def read_contents(path):
    """(metadata, {array's name: (shape, dtype)}) of a checkpoint, validated, without loading an array.

    Raises CheckpointError, as load_checkpoint does.
    """
    metadata, layout = read_layout(path)
    try:
        check_contents(metadata, layout)
    except ValueError as error:
        reason, hint = str(error)[:400], "it is no checkpoint of this version, or it is damaged"
        raise CheckpointError(path, reason, hint) from None
    return metadata, layout


def check_contents(metadata, layout):
    """Raises ValueError unless the metadata describe a model and the arrays are the ones that it needs."""
    if metadata.get("format") != FORMAT or metadata.get("version") != VERSION:
        given = metadata.get("format"), metadata.get("version")
        raise ValueError(f"its format and version are {given}; expected {(FORMAT, VERSION)}")
    missing = {"model", "config", "dtype", "vocabulary", "training"} - metadata.keys()
    if missing:
        raise ValueError(f"its metadata lack {', '.join(sorted(missing))}")
    if not isinstance(metadata["training"], dict | None):
        raise ValueError(f"its record of training must be an object or null; got {metadata['training']!r:.200}")
    cell, sizes, dtype = described_model(metadata, layout)
    unexplained = dict(layout)
    for name, shape in expected_arrays(metadata, layout, cell, sizes):
        check_array(layout, name, shape, dtype)
        del unexplained[name]
    if unexplained:
        raise ValueError(f"it holds arrays that belong to nothing: {', '.join(list(unexplained)[:3])}")
    if metadata["vocabulary"] is not None and len(text.from_json(metadata["vocabulary"])) != sizes.vocab_size:
        raise ValueError(f"its vocabulary does not have the model's V = {sizes.vocab_size} tokens")


def expected_arrays(metadata, layout, cell, sizes):
    """Yields (name, shape) of each array that belongs to the file: the parameters; and, where training is recorded,
    all of each optimizer slot of which there is any, and all of the carried state or nothing of it."""
    shapes = parameter_shapes(cell, sizes)
    yield from ((f"parameter.{name}", shape) for name, shape in shapes.items())
    if metadata["training"] is None:
        return
    for slot in sorted({name.split(".")[1] for name in layout if name.startswith("optimizer.")}):
        yield from ((f"optimizer.{slot}.{name}", shape) for name, shape in shapes.items())
    carried = [shape for name, (shape, _) in layout.items() if name.startswith("carried.")]
    if carried:
        state_shape = (*carried[0][:1], sizes.hidden_dim)  # (N, H), with any N
        for layer in range(sizes.num_layers):
            yield from ((f"carried.{layer}.{name}", state_shape) for name in cell.State._fields)


def check_array(layout, name, shape, dtype):
    """Raises ValueError unless the file holds an array of this name, shape and dtype."""
    if name not in layout:
        raise ValueError(f"the array {name} is missing")
    if layout[name] != (shape, dtype):
        raise ValueError(f"the array {name} is {layout[name][1]} {layout[name][0]}; expected {dtype} {shape}")


def described_model(metadata, layout):
    """(cell, sizes, dtype) that the metadata describe, found without making a model; ValueError if they do not."""
    make_cell = CELLS[require.one_of("model", metadata["model"], CELLS)]
    require.one_of("dtype", metadata["dtype"], ("float32", "float64", "complex128"))
    config, options = metadata["config"], make_cell().options
    if not isinstance(config, dict) or config.keys() != {*Sizes._fields, *options}:
        raise ValueError(f"its config must have {', '.join((*Sizes._fields, *options))}; got {config!r:.200}")
    sizes = Sizes(**{name: config[name] for name in Sizes._fields})
    check_sizes(sizes)
    if sizes.num_layers > len(layout):
        raise ValueError(f"its config has num_layers = {sizes.num_layers}, more than it holds arrays")
    return make_cell(**{name: config[name] for name in options}), sizes, np.dtype(metadata["dtype"])
