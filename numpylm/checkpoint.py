"""Checkpoints: a model, its vocabularies and, while it trains, all that training depends on, in one safe file.

A checkpoint is a sealed zip (archive.py), an .npz that numpy.load opens too. Its members are

    metadata.json             kind of model, config and dtype, levels of the vocabularies, fields of the training record
    vocabulary.NAME.txt       a vocabulary's tokens (text.to_bytes); NAME is "text" where a model has one vocabulary
    parameter.NAME.npy        the model's parameters
    optimizer.SLOT.NAME.npy   what the optimizer remembers for each parameter
    carried.NAME.npy          the state after the last batch, such as carried.0.h for layer 0

The metadata alone decide which arrays there must be, with which shapes. So everything is compared before an array is
loaded, and whatever is wrong is one CheckpointError. A new kind of model is one more entry in KINDS.
"""

import reprlib
from typing import Any, NamedTuple

import numpy as np

from numpylm.base import require
from numpylm.data import archive as zips
from numpylm.data import schema, text
from numpylm.data.archive import METADATA, CheckpointError
from numpylm.memory_network import MemoryNetwork
from numpylm.model import GRULM, LSTMLM, RNNLM, LanguageModel
from numpylm.optimizers import OPTIMIZERS
from numpylm.parameters import parameter_shapes
from numpylm.reader import Reader
from numpylm.training import Progress
from numpylm.transcription import AcousticModel
from numpylm.translation import EncoderDecoder

KINDS = {Model.kind: Model for Model in (RNNLM, LSTMLM, GRULM, EncoderDecoder, AcousticModel, MemoryNetwork, Reader)}
ONLY = "text"  # the name of a model's only vocabulary
HINT = "give another checkpoint, or save this one again"
RNG = {  # the state of numpy.random.PCG64
    "bit_generator": schema.one_of("PCG64"),
    "state": {"state": schema.integer_below(2**128, "2^128"), "inc": schema.integer_below(2**128, "2^128")},
    "has_uint32": schema.one_of(0, 1),
    "uinteger": schema.integer_below(2**32, "2^32"),
}
TRAINING = {
    **schema.fields_of(Progress, rng=RNG, carried=None, valid_losses=[require.finite_number]),
    **dict.fromkeys(("epoch_nats", "step_seconds", "seconds"), schema.number),
    "num_streams": schema.count,  # N of the carried state; 0: nothing is carried
    "optimizer": schema.one_of(*OPTIMIZERS),
    "running": {str: schema.number},
}
SCHEMA = {
    "format": schema.one_of("numpylm checkpoint"),
    "version": schema.one_of(2),
    "kind": schema.one_of(*KINDS),
    "config": schema.record,
    "dtype": schema.one_of("float32", "float64", "complex128"),
    "vocabularies": {str: {"level": schema.string, "ends_blank_lines": schema.boolean}},
    "training": schema.optional(TRAINING),
}


class TrainingRecord(NamedTuple):
    """What training depends on beside the parameters: arrays by name, and fields as TRAINING describes them."""

    arrays: dict
    fields: dict


class Checkpoint(NamedTuple):
    """What load_checkpoint returns. vocabulary is None, a text.Vocabulary, or a dict of several by name; training is a
    TrainingRecord, or None where none was saved."""

    model: Any
    vocabulary: Any
    training: Any


def save_checkpoint(path, model, vocabulary=None, training=None):
    """Write model, vocabulary (text.Vocabulary, or a dict of several by name) and training (TrainingRecord).

    The old file stays if anything fails. Raises ValueError for a vocabulary or a training record that do not fit the
    model, so that whatever was saved can be loaded, and CheckpointError when the file cannot be written.
    """
    require.model(model, "config")
    vocabularies = {} if vocabulary is None else vocabulary if isinstance(vocabulary, dict) else {ONLY: vocabulary}
    metadata = {
        "format": "numpylm checkpoint",
        "version": 2,
        "kind": model.kind,
        "config": {name: np.asarray(value).item() for name, value in model.config.items()},  # no numpy.int64 in JSON
        "dtype": model.dtype.name,
        "vocabularies": {
            name: {"level": each.level, "ends_blank_lines": each.ends_blank_lines}
            for name, each in vocabularies.items()
        },
        "training": None if training is None else training.fields,
    }
    arrays = {f"parameter.{name}": array for name, array in model.parameters().items()}
    arrays |= {} if training is None else training.arrays
    layout = {name: (array.shape, array.dtype) for name, array in arrays.items()}
    zips.check_layout(layout, expected_layout(metadata, described(metadata)))
    check_vocabularies(model, vocabularies)
    with zips.writing(path, CheckpointError) as archive:
        zips.write_bytes(archive, METADATA, schema.encode_json(metadata))
        for name, each in vocabularies.items():
            zips.write_bytes(archive, f"vocabulary.{name}.txt", text.to_bytes(each))
        for name, array in arrays.items():
            zips.write_array(archive, name, array)


def load_checkpoint(path):
    """The Checkpoint in a file. Raises CheckpointError, having loaded nothing, for a file that does not hold one."""
    with zips.reading(path, CheckpointError, HINT) as archive:
        metadata, layout, vocabularies = read_described(archive)
        arrays = {name: zips.read_array(archive, name, *expected) for name, expected in layout.items()}
        model = described(metadata)
        parameters = {name: arrays.pop(f"parameter.{name}") for name in parameter_shapes(model.parts())}
        model = model.with_parameters(parameters)
        training = None if metadata["training"] is None else TrainingRecord(arrays, metadata["training"])
        vocabulary = vocabularies.get(ONLY) if vocabularies.keys() <= {ONLY} else vocabularies
        return Checkpoint(model, vocabulary, training)


def read_contents(path):
    """(metadata, {array: (shape, dtype)}, {name: Vocabulary}) of a checkpoint, checked, without loading an array.

    Raises CheckpointError, as load_checkpoint does.
    """
    with zips.reading(path, CheckpointError, HINT) as archive:
        return read_described(archive)


def read_described(archive):
    """What read_contents returns, of an open archive."""
    metadata = schema.decode_json(zips.read_bytes(archive, METADATA, schema.MAX_JSON_BYTES))
    model = described(metadata)
    layout = expected_layout(metadata, model)
    zips.check_layout(zips.read_layout(archive), layout)
    vocabularies = {}
    for name, about in metadata["vocabularies"].items():
        content = zips.read_bytes(archive, f"vocabulary.{name}.txt", text.MAX_VOCABULARY_BYTES)
        vocabularies[name] = text.from_bytes(content=content, **about)
    check_vocabularies(model, vocabularies)
    return metadata, layout, vocabularies


def described(metadata):
    """The model without its parameters. Raises ValueError for metadata or a config that cannot be."""
    schema.check("its metadata", metadata, SCHEMA)
    Model, config = KINDS[metadata["kind"]], metadata["config"]
    names = (*Model.Sizes._fields, *Model.options)
    if config.keys() != {*names}:
        expected = f"its config must have {', '.join(names)} in this version of numpylm"
        raise ValueError(f"{expected}; got {reprlib.repr(config)}")
    return Model.described(config)


def expected_layout(metadata, model):
    """{array: (shape, dtype)}: which arrays belong to a model and a training record."""
    training, shapes = metadata["training"], parameter_shapes(model.parts())
    expected = {f"parameter.{name}": shape for name, shape in shapes.items()}
    if training is not None:
        slots = OPTIMIZERS[training["optimizer"]].slots if training["step"] else ()
        expected |= {f"optimizer.{slot}.{name}": shape for slot in slots for name, shape in shapes.items()}
    if training is not None and training["num_streams"] and isinstance(model, LanguageModel):
        shape, fields = (training["num_streams"], model.sizes.hidden_dim), model.cell.State._fields
        expected |= {f"carried.{layer}.{name}": shape for layer in range(model.sizes.num_layers) for name in fields}
    return {name: (shape, np.dtype(metadata["dtype"])) for name, shape in expected.items()}


def check_vocabularies(model, vocabularies):
    """Raise ValueError unless there is no vocabulary, or one of the right size for each that the model has."""
    sizes = vocab_sizes(model)
    if vocabularies and vocabularies.keys() != sizes.keys():
        raise ValueError(f"its vocabularies are {', '.join(vocabularies)}; expected {', '.join(sizes)}")
    for name, vocabulary in vocabularies.items():
        if len(vocabulary) != sizes[name]:
            raise ValueError(f"its vocabulary has {len(vocabulary)} tokens; the model has V = {sizes[name]}")


def vocab_sizes(model):
    """{name of a vocabulary: number of tokens} of a model."""
    if model.kind == "encoder-decoder":
        return {"source": model.sizes.source_vocab_size, "target": model.sizes.target_vocab_size}
    if model.kind == "acoustic":
        return {ONLY: model.sizes.num_labels + 1}  # <unk> stands where the blank is
    return {ONLY: model.sizes.vocab_size}
