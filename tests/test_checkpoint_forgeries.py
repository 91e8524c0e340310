"""Checkpoints with right checksums and contents that no model has: one CheckpointError, before memory is spent."""

import copy
import math
import os

import numpy as np
import pytest
from sealed_files import little_memory, read_file, read_members, record_of, rewrite, write_members
from test_checkpoint import CHINESE, F4, V, refused

from numpylm import LSTMLM, load_checkpoint, save_checkpoint


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


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
        ({"parameter.layer_1.b": None}, "the array parameter.layer_1.b is missing"),
        ({"optimizer.v.b_y": None}, "the array optimizer.v.b_y is missing"),
        ({"carried.1.c": None}, "the array carried.1.c is missing"),
        ({"E": np.zeros(3, F4)}, "the array E belongs to nothing"),
        ({"optimizer.s.E": np.zeros((V, 3), F4)}, "belongs to nothing"),
        ({"carried.2.h": np.zeros((3, 4), F4)}, "belongs to nothing"),
        ({"parameter.E": np.zeros((V, 4), F4)}, "parameter.E is float"),
        ({"parameter.E": np.zeros((V, 3))}, "parameter.E is float64"),
        ({"parameter.E": np.zeros((3, V), F4)}, "parameter.E is"),
        ({"parameter.E": np.zeros((V, 3), np.int32)}, "parameter.E is int32"),
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
