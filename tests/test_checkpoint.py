"""Checkpoints come back as they were; whatever is wrong with one is a CheckpointError, before memory is spent on it."""

import copy
import math
import os

import numpy as np
import pytest
from sealed_files import little_memory, read_file, read_members, record_of, rewrite, write_members

from numpylm import GRULM, LSTMLM, RNNLM, CheckpointError, build_vocabulary, load_checkpoint, save_checkpoint
from numpylm.checkpoint import read_contents
from numpylm.data.text import Vocabulary

CHINESE = build_vocabulary("山高水长 天长地久\n", "char")
WORDS = build_vocabulary("the cat sees the dog\nthe dog sleeps\n", "word")
V, F4 = len(CHINESE), np.float32


@pytest.fixture
def path(tmp_path):
    return tmp_path / "last.npz"


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def same_arrays(first, second):
    assert list(first) == list(second)
    for name, array in first.items():
        assert array.dtype == second[name].dtype and np.array_equal(array, second[name]), name


@pytest.mark.parametrize("make", [RNNLM, LSTMLM, GRULM])
@pytest.mark.parametrize("num_layers, tie_weights", [(1, False), (2, True)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_every_model_and_its_training_come_back_bit_for_bit(path, make, num_layers, tie_weights, dtype):
    options = {RNNLM: {"nonlinearity": "relu"}, LSTMLM: {"forget_bias": -0.75}, GRULM: {"dropout": 0.25}}[make]
    model = make(V, 4, 4, num_layers=num_layers, tie_weights=tie_weights, dtype=dtype, seed=3, **options)
    for training in (None, record_of(model), record_of(model, N=0)):
        save_checkpoint(path, model, None if training is None else CHINESE, training)
        loaded = load_checkpoint(path)
        assert type(loaded.model) is make and repr(loaded.model) == repr(model) and loaded.model.dtype == dtype
        same_arrays(model.parameters(), loaded.model.parameters())
        assert all(a.flags.writeable and a.flags.c_contiguous for a in loaded.model.parameters().values())
        assert loaded.vocabulary == (None if training is None else CHINESE)
        if training is None:
            assert loaded.training is None
        else:
            same_arrays(training.arrays, loaded.training.arrays)
            assert loaded.training.fields == training.fields


ODD = Vocabulary("char", ("<unk>", "\n", "\r", "\u0000", "🐉", '"', "\\", "\u2028"))


@pytest.mark.parametrize("vocabulary", [CHINESE, WORDS, ODD, Vocabulary("word", WORDS.tokens, ends_blank_lines=True)])
def test_the_vocabulary_comes_back(path, vocabulary):
    save_checkpoint(path, GRULM(len(vocabulary), 3, 4), vocabulary)
    assert load_checkpoint(path).vocabulary == vocabulary
    assert read_contents(path)[2] == {"text": vocabulary}


def test_sizes_that_were_computed_with_numpy_can_be_saved(path):
    model = LSTMLM(np.int64(V), np.uint8(4), np.int32(4), np.int64(2), np.float32(0.25), np.bool_(True))
    save_checkpoint(path, model, CHINESE)
    kinds = [type(value) for value in load_checkpoint(path).model.config.values()]
    assert kinds == [int] * 4 + [float, bool, str, float]


def test_what_could_not_be_loaded_again_is_not_saved(path):
    model = LSTMLM(V, 3, 4)
    record = record_of(model)
    save_checkpoint(path, model)
    old = path.read_bytes()
    lacking = {name: array for name, array in record.arrays.items() if name != "carried.0.c"}
    for vocabulary, training, message in [
        (WORDS, None, "vocabulary has 7 tokens; the model has V"),
        (CHINESE, record._replace(arrays=record.arrays | {"extra": np.zeros(3)}), "the array extra belongs to nothing"),
        (CHINESE, record._replace(arrays=record.arrays | {"optimizer.m.E": np.zeros((1, 1), F4)}), "optimizer.m.E is"),
        (CHINESE, record._replace(arrays=lacking), "the array carried.0.c is missing"),
        (CHINESE, record._replace(fields=[]), "training must be an object"),
        (CHINESE, record._replace(fields=record.fields | {"seconds": math.nan}), "training.seconds must be a finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            save_checkpoint(path, model, vocabulary, training)
        assert path.read_bytes() == old and os.listdir(path.parent) == [path.name]


# Files of the version before


def refused(path, message=None):
    """Both ways of reading refuse the file, with a short CheckpointError that names it."""
    for read in (load_checkpoint, read_contents):
        with pytest.raises(CheckpointError, match=message) as refusal:
            read(path)
        assert str(refusal.value).startswith(f"{path}: ") and len(str(refusal.value)) < len(str(path)) + 600


def test_an_older_checkpoint_says_so(path):
    save_checkpoint(path, LSTMLM(V, 3, 4), CHINESE)
    refused(write_members(path, read_members(path), comment=b"sha256:" + b"0" * 64), "written by an older numpylm")


# Right checksums and contents that no model has: refused before memory is spent


@pytest.fixture
def good(tmp_path):
    """A checkpoint with all that one can have."""
    model, path = LSTMLM(V, 3, 4, num_layers=2), tmp_path / "last.npz"
    save_checkpoint(path, model, CHINESE, record_of(model))
    load_checkpoint(rewrite(path, *read_file(path)))  # the forger makes good files when it means to
    return path


def put(fields, keys, value):
    """A copy of nested fields with one value changed, or taken away (...)."""
    fields = copy.deepcopy(fields)
    *places, last = keys
    holder = fields
    for place in places:
        holder = holder[place]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return fields


SIZES = [..., 0, -1, 1.0, "3", None, True, [3], 1, 5, 2**31, 10**12, 10**400]
COUNTS = [..., -1, 2**53, 10**400, 1.5, "3", None, True, [3], {}]
WRONG = {
    ("format",): [..., "numpylm", None, []],
    ("version",): [..., 0, 1, 3, "2", None],
    ("kind",): [..., "rnn", "gru", "transformer", "", None, 3, ["lstm"]],
    ("dtype",): [..., "float64", "float16", "object", None, 4, ["float32"]],
    ("config",): [..., None, [], "LSTM", {}, {"vocab_size": 9}],
    ("config", "dropout"): [..., -0.1, 1, "0.5", None, True, 10**400],
    ("config", "dropout_kind"): [..., "zoneout", None, 1],
    ("config", "tie_weights"): [..., True, 0, None, "False"],
    ("config", "forget_bias"): [..., "1", None, True, [], 10**400],
    ("config", "nonlinearity"): ["tanh"],
    **{("config", name): SIZES for name in ("vocab_size", "embedding_dim", "hidden_dim", "num_layers")},
    ("vocabularies",): [..., None, [], {"source": {"level": "char", "ends_blank_lines": False}}],
    ("vocabularies", "text"): [None, "abc", {}, {"level": "char"}],
    ("vocabularies", "text", "level"): [..., "word", "byte", None, ["char"]],
    ("training",): [..., [], "yes", 5, {}],
    ("training", "epoch"): COUNTS,
    ("training", "num_streams"): [*COUNTS, 2, 0],
    ("training", "step"): [*COUNTS, 0],
    ("training", "optimizer"): [..., "sgd", "rmsprop", "lion", None, 1, ["adam"]],
    ("training", "epoch_nats"): [..., -1.0, "2.5", None, math.nan, math.inf, True],
    ("training", "valid_losses"): [..., None, 3.5, [None], ["3.5"], [math.nan], [[]], {}],
    ("training", "running"): [..., None, [], {"nats": "1"}, {"nats": math.nan}, {"nats": -1}],
    ("training", "surplus"): [1],
    ("training", "rng"): [..., None, {}, {"bit_generator": "PCG64"}],
    ("training", "rng", "bit_generator"): [..., "MT19937", "os.system", None],
    ("training", "rng", "state"): [..., None, {}, {"state": 1}, {"state": 2**128, "inc": 1}, {"state": -1, "inc": 1}],
    ("training", "rng", "has_uint32"): [..., 2, "1", None],
}


@pytest.mark.parametrize("keys", WRONG, ids=".".join)
def test_metadata_that_cannot_be_are_refused(good, keys):
    metadata, _ = read_file(good)
    for value in WRONG[keys]:
        refused(rewrite(good, put(metadata, keys, value)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameter.E": None}, "the array parameter.E is missing"),
        ({"optimizer.v.b_y": None}, "the array optimizer.v.b_y is missing"),
        ({"carried.1.c": None}, "the array carried.1.c is missing"),
        ({"E": np.zeros(3, F4)}, "the array E belongs to nothing"),
        ({"carried.2.h": np.zeros((3, 4), F4)}, "belongs to nothing"),
        ({"parameter.E": np.zeros((V, 3))}, "parameter.E is float64"),
        ({"carried.0.h": np.zeros((2, 4), F4)}, r"carried.0.h is float32 \(2, 4\); expected float32 \(3, 4\)"),
    ],
)
def test_arrays_that_the_model_does_not_have_are_refused(good, change, message):
    _, arrays = read_file(good)
    rewrite(good, arrays={name: a for name, a in (arrays | change).items() if a is not None})
    refused(good, message)


@pytest.mark.parametrize(
    "content", [b"", b"abc", "山高水长天地久\nxyz".encode(), b"\xff\xfe", "山山水长天地久\n ".encode()]
)
def test_a_vocabulary_that_does_not_fit_is_refused(good, content):
    refused(write_members(good, read_members(good) | {"vocabulary.text.txt": content}))


def test_a_claim_costs_no_memory(good):
    metadata, _ = read_file(good)
    for keys, value in (("num_layers", 10**9), ("vocab_size", 10**12), ("hidden_dim", 2**62)):
        rewrite(good, put(metadata, ("config", keys), value))
        with little_memory(2**20):
            refused(good)
    rewrite(good, metadata)
    many = b"a" * 400_000
    refused(write_members(good, read_members(good) | {"vocabulary.text.txt": many}), "at most 300,000 tokens")
