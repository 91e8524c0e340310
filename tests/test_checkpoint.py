"""Checkpoints come back as they were; whatever is wrong with one is a CheckpointError, before memory is spent on it."""

import json
import math
import os

import numpy as np
import pytest
from sealed_files import read_members, record_of, write_members

from numpylm import GRULM, LSTMLM, RNNLM, CheckpointError, build_vocabulary, load_checkpoint, save_checkpoint
from numpylm.checkpoint import read_contents
from numpylm.data.archive import METADATA
from numpylm.data.text import Vocabulary
from numpylm.model_kinds import KINDS, Kind

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


def test_a_kind_of_model_with_two_vocabularies_needs_no_more_than_its_entry_in_the_table(path, monkeypatch):
    class Pair:
        kind, dtype, config = "pair", np.dtype(float), {"source": len(WORDS), "target": V}

        def __init__(self, arrays):
            self.arrays = arrays

        def parameters(self):
            return self.arrays

    def shapes(config):
        return {"E_x": (config["source"], 2), "E_y": (config["target"], 3)}

    kind = Kind(shapes, lambda config, arrays: Pair(arrays), lambda config, N: {}, lambda config: dict(config))
    monkeypatch.setitem(KINDS, "pair", kind)
    model = Pair({"E_x": np.ones((len(WORDS), 2)), "E_y": np.ones((V, 3))})
    save_checkpoint(path, model, {"source": WORDS, "target": CHINESE})
    loaded = load_checkpoint(path)
    assert loaded.vocabulary == {"source": WORDS, "target": CHINESE}
    same_arrays(loaded.model.arrays, model.arrays)
    with pytest.raises(ValueError, match="its vocabularies are text; expected source, target"):
        save_checkpoint(path, model, WORDS)


def test_sizes_that_were_computed_with_numpy_can_be_saved(path):
    model = LSTMLM(np.int64(V), np.uint8(4), np.int32(4), np.int64(2), np.float32(0.25), np.bool_(True))
    save_checkpoint(path, model, CHINESE)
    kinds = [type(value) for value in load_checkpoint(path).model.config.values()]
    assert kinds == [int] * 4 + [float, bool, str, float]


def test_numpy_opens_it_without_pickle_and_contents_are_told_without_loading(path):
    model = GRULM(V, 3, 4)
    save_checkpoint(path, model, CHINESE, record_of(model))
    with np.load(path, allow_pickle=False) as file:
        assert np.array_equal(file["parameter.W_h"], model.parameters()["W_h"])
        assert json.loads(file[METADATA])["config"] == model.config
    metadata, layout, _ = read_contents(path)
    assert metadata["kind"] == "gru" and layout["parameter.W_h"] == ((4, 12), np.dtype(F4))
    assert layout["carried.0.h"] == ((3, 4), np.dtype(F4))


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
