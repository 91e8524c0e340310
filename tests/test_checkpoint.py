"""Checkpoints come back as they were; whatever is wrong with one is a CheckpointError, before memory is spent on it."""

import copy
import json
import math
import os
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm import GRULM, LSTMLM, RNNLM, CheckpointError, build_vocabulary, load_checkpoint, save_checkpoint
from numpylm.checkpoint import TrainingRecord, check_contents, read_contents
from numpylm.data import archive
from numpylm.data.archive import read_archive, write_archive
from numpylm.data.text import Vocabulary

CHINESE = build_vocabulary("山高水长 天长地久\n", "char")
WORDS = build_vocabulary("the cat sees the dog\nthe dog sleeps\n", "word")
V = len(CHINESE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "last.npz"


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def record_of(model, slots=("m", "v"), N=3, seed=1):
    """A TrainingRecord such as a run of Adam saves in the middle of an epoch."""
    rng = np.random.default_rng(seed)
    arrays = {
        f"optimizer.{slot}.{name}": rng.standard_normal(array.shape).astype(array.dtype)
        for slot in slots
        for name, array in model.parameters().items()
    }
    for layer, state in enumerate(model.initial_state(N)):
        arrays.update(
            {f"carried.{layer}.{name}": array + layer + 0.5 for name, array in state._asdict().items()}  # (N, H)
        )
    generator = np.random.default_rng(2).bit_generator.state
    return TrainingRecord(arrays, {"epoch": 2, "valid_losses": [3.5, 3.25], "rng": generator, "carried": None})


def same_arrays(first, second):
    assert list(first) == list(second)
    for name, array in first.items():
        assert array.dtype == second[name].dtype and np.array_equal(array, second[name]), name


@pytest.mark.parametrize("make", [RNNLM, LSTMLM, GRULM])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("tie_weights", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_every_model_comes_back_bit_for_bit(path, make, num_layers, tie_weights, dtype):
    options = {
        RNNLM: {"nonlinearity": "relu"},
        LSTMLM: {"forget_bias": -0.75},
        GRULM: {"dropout": 0.25, "dropout_kind": "variational"},
    }[make]
    model = make(V, 4, 4, num_layers=num_layers, tie_weights=tie_weights, dtype=dtype, seed=3, **options)
    save_checkpoint(path, model)
    loaded, vocabulary, training = load_checkpoint(path)
    assert vocabulary is None and training is None
    assert type(loaded) is make and loaded.config == model.config and loaded.dtype == dtype
    assert repr(loaded) == repr(model)
    same_arrays(model.parameters(), loaded.parameters())
    tokens = np.arange(6).reshape(3, 2)
    first, second = (m.loss_and_gradients(tokens, tokens[::-1]) for m in (model, loaded))
    assert first.loss == second.loss
    same_arrays(first.gradients, second.gradients)


def test_a_loaded_model_can_be_trained_further(path):
    save_checkpoint(path, LSTMLM(V, 3, 4))
    for array in load_checkpoint(path).model.parameters().values():
        assert array.flags.writeable and array.flags.c_contiguous and array.flags.aligned


@pytest.mark.parametrize("vocabulary", [CHINESE, WORDS, Vocabulary("char", ("<unk>", "\n", "\u0000", "🐉", '"', "\\"))])
def test_the_vocabulary_comes_back(path, vocabulary):
    save_checkpoint(path, GRULM(len(vocabulary), 3, 4), vocabulary)
    assert load_checkpoint(path).vocabulary == vocabulary
    assert read_contents(path)[0]["vocabulary"]["tokens"] == list(vocabulary.tokens)


@pytest.mark.parametrize("make", [RNNLM, LSTMLM, GRULM])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("tie_weights", [False, True])
def test_the_training_record_comes_back(path, make, num_layers, tie_weights):
    model = make(V, 4, 4, num_layers=num_layers, tie_weights=tie_weights)
    training = record_of(model)
    save_checkpoint(path, model, CHINESE, training)
    loaded = load_checkpoint(path)
    same_arrays(training.arrays, loaded.training.arrays)
    assert loaded.training.fields == training.fields
    same_arrays(model.parameters(), loaded.model.parameters())
    assert loaded.vocabulary == CHINESE


@pytest.mark.parametrize("record", [TrainingRecord({}, {}), TrainingRecord({}, {"epoch": 0})])
def test_a_record_without_arrays_is_a_record(path, record):
    save_checkpoint(path, RNNLM(V, 3, 4), training=record)
    assert load_checkpoint(path).training == record


def test_sizes_that_were_computed_with_numpy_can_be_saved(path):
    """np.max of the tokens is the usual vocab_size."""
    model = LSTMLM(
        np.int64(V), np.uint8(4), np.int32(4), np.int64(2), np.float32(0.25), np.bool_(True), np.float32(0.5)
    )
    save_checkpoint(path, model, CHINESE)
    loaded = load_checkpoint(path).model
    assert loaded.config == model.config
    assert [type(value) for value in loaded.config.values()] == [int] * 4 + [float, bool, str, float]


def test_numpy_opens_it_without_pickle(path):
    model = LSTMLM(V, 3, 4)
    save_checkpoint(path, model, CHINESE, record_of(model))
    with np.load(path, allow_pickle=False) as file:
        assert {name for name in file if name.startswith("parameter.")} == {
            f"parameter.{name}" for name in model.parameters()
        }
        for name, array in model.parameters().items():
            assert np.array_equal(file[f"parameter.{name}"], array)
        assert json.loads(file["metadata"].tobytes())["config"] == model.config


def test_contents_are_told_without_loading(path):
    model = GRULM(V, 3, 4)
    save_checkpoint(path, model, CHINESE, record_of(model))
    metadata, layout = read_contents(path)
    assert metadata["model"] == "gru" and metadata["config"]["vocab_size"] == V
    assert layout["parameter.W_h"] == ((4, 12), np.dtype(np.float32))
    assert layout["carried.0.h"] == ((3, 4), np.dtype(np.float32))


# Saving


def spoiled(record, **arrays):
    return record._replace(arrays=record.arrays | arrays)


def test_what_could_not_be_loaded_again_is_not_saved(path):
    model = LSTMLM(V, 3, 4)
    record = record_of(model)
    save_checkpoint(path, model)
    old = path.read_bytes()
    lacking = {name: array for name, array in record.arrays.items() if name != "carried.0.c"}
    for vocabulary, training, message in [
        (WORDS, None, "vocabulary does not have the model's V"),
        (CHINESE, spoiled(record, extra=np.zeros(3)), "arrays that belong to nothing: extra"),
        (CHINESE, spoiled(record, **{"optimizer.m.E": np.zeros((1, 1), np.float32)}), "the array optimizer.m.E is"),
        (CHINESE, record._replace(arrays=lacking), "the array carried.0.c is missing"),
        (CHINESE, record._replace(fields=[]), "record of training must be an object or null"),
        (CHINESE, record._replace(fields={"loss": math.nan}), "cannot be written as JSON"),
        (CHINESE, record._replace(fields={1: 2}), "would change in JSON"),
    ]:
        with pytest.raises(ValueError, match=message):
            save_checkpoint(path, model, vocabulary, training)
        assert path.read_bytes() == old and os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("failing", ["replace", "fsync"])
def test_the_old_file_survives_a_save_that_fails(path, monkeypatch, failing):
    save_checkpoint(path, LSTMLM(V, 3, 4, seed=1), CHINESE)
    old = path.read_bytes()

    def fail(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(CheckpointError, match="No space left on device"):
        save_checkpoint(path, LSTMLM(V, 3, 4, seed=2), CHINESE)
    assert path.read_bytes() == old and os.listdir(path.parent) == [path.name]
    load_checkpoint(path)


def test_a_missing_folder_or_file_is_a_checkpoint_error(tmp_path):
    with pytest.raises(CheckpointError, match="there is no folder"):
        save_checkpoint(tmp_path / "missing" / "last.npz", RNNLM(V, 3, 4))
    refused(tmp_path / "missing.npz", "No such file")
    refused(tmp_path, "it is a folder")


# Attacks: files with a correct digest and contents that no model has.


def refused(path, message=None):
    """Both ways of reading refuse the file, with a CheckpointError that names it and does not run on."""
    for read in (load_checkpoint, read_contents):
        with pytest.raises(CheckpointError, match=message) as refusal:
            read(path)
        assert type(refusal.value) is CheckpointError and str(refusal.value).startswith(f"{path}: ")
        assert len(str(refusal.value)) < len(str(path)) + 600


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """(metadata, arrays) of a good checkpoint with all that one can have."""
    path = tmp_path_factory.mktemp("good") / "last.npz"
    model = LSTMLM(V, 3, 4, num_layers=2)
    save_checkpoint(path, model, CHINESE, record_of(model))
    return read_archive(path)


@pytest.fixture
def forge(path, contents):
    """Writes contents that a function has changed, in an archive that is otherwise in order, and returns its path."""

    def write(change):
        metadata, arrays = copy.deepcopy(contents[0]), dict(contents[1])
        change(metadata, arrays)
        write_archive(path, arrays, metadata)
        return path

    return write


def setting(*keys_and_value):
    """The change that puts a value at a path of keys in the metadata."""
    *keys, last, value = keys_and_value

    def change(metadata, arrays):
        for key in keys:
            metadata = metadata[key]
        metadata[last] = value

    return change


def all_carried(array):
    return lambda metadata, arrays: arrays.update({name: array for name in arrays if name.startswith("carried.")})


def putting(**arrays_to_put):
    return lambda metadata, arrays: arrays.update({name.replace("__", "."): a for name, a in arrays_to_put.items()})


def test_the_forger_makes_good_files_when_it_means_to(forge, contents):
    loaded = load_checkpoint(forge(lambda metadata, arrays: None))
    same_arrays(loaded.training.arrays, {n: a for n, a in contents[1].items() if not n.startswith("parameter.")})
    read_contents(forge(setting("training", "epoch", 7)))


WRONG_METADATA = [
    (("format",), ["numpylm", None, [], 1], "format and version"),
    (("version",), [0, 2, "1", None, [1]], "format and version"),
    (("model",), ["rnn", "gru", "transformer", "", None, 3, ["lstm"], {"lstm": 1}], None),
    (("dtype",), ["float64", "float16", "complex64", "object", "O", None, 4, ["float32"]], None),
    (("config",), [None, [], "LSTM", 5, {}, [["vocab_size", 9]]], "its config must have"),
    (("vocabulary",), [[], "abc", 5, True, {}, {"level": "char"}, {"level": "char", "tokens": None}], "vocabulary"),
    (("vocabulary", "level"), ["word", "byte", None, ["char"], 1], None),
    (
        ("vocabulary", "tokens"),
        [[], ["<unk>"], list(CHINESE.tokens[:-1]), [*CHINESE.tokens, "z"], [*CHINESE.tokens[:-1], "<unk>"],
         [*CHINESE.tokens[:-1], CHINESE.tokens[1]], [*CHINESE.tokens[:-1], 5], [*CHINESE.tokens[:-1], None],
         [*CHINESE.tokens[:-1], "long"], ["a", *CHINESE.tokens[1:]], "".join(CHINESE.tokens), None, {}, 7],
        None,
    ),
    (("training",), [None, [], "yes", 5, True, [["epoch", 1]]], None),
    (("config", "dropout"), [-0.1, 1, 1.5, "0.5", None, True, [], 10**400], "dropout"),
    (("config", "dropout_kind"), ["zoneout", None, 1, ["standard"], True], "dropout_kind"),
    (("config", "tie_weights"), [True, 0, 1, None, "False", []], "tie_weights"),
    (("config", "forget_bias"), ["1", None, True, [], {}, 10**400], "forget_bias"),
    (("config", "nonlinearity"), ["tanh"], "its config must have"),
    (("config", "seed"), [0], "its config must have"),
    (("config", ""), [0], "its config must have"),
]  # fmt: skip
WRONG_SIZES = [0, -1, 1.0, 2.5, "3", None, True, False, [3], {}, 1, 5, 2**31, 2**63, 10**9, 10**12, 10**400]
WRONG_METADATA += [
    (("config", name), WRONG_SIZES, None) for name in ("vocab_size", "embedding_dim", "hidden_dim", "num_layers")
]


@pytest.mark.parametrize(("keys", "values", "message"), WRONG_METADATA)
def test_metadata_that_do_not_describe_the_arrays_are_refused(forge, keys, values, message):
    for value in values:
        refused(forge(setting(*keys, value)), message)


@pytest.mark.parametrize(
    "keys",
    [("format",), ("version",), ("model",), ("config",), ("dtype",), ("vocabulary",), ("training",)]
    + [("config", name) for name in LSTMLM(2, 1, 1).config]
    + [("vocabulary", name) for name in ("level", "tokens")],
    ids=".".join,
)
def test_missing_metadata_are_refused(forge, keys):
    def change(metadata, arrays):
        for key in keys[:-1]:
            metadata = metadata[key]
        del metadata[keys[-1]]

    refused(forge(change))


F4 = np.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda metadata, arrays: arrays.clear(), None),
        (lambda metadata, arrays: arrays.pop("parameter.E"), "the array parameter.E is missing"),
        (lambda metadata, arrays: arrays.pop("parameter.layer_1.b"), r"the array parameter.layer_1.b is missing"),
        (lambda metadata, arrays: arrays.pop("optimizer.v.b_y"), "the array optimizer.v.b_y is missing"),
        (lambda metadata, arrays: arrays.pop("carried.0.h"), r"the array carried.0.h is missing"),
        (lambda metadata, arrays: arrays.pop("carried.1.c"), r"the array carried.1.c is missing"),
        (lambda metadata, arrays: arrays.update(e=arrays.pop("parameter.E")), "parameter.E is missing"),
        (lambda metadata, arrays: arrays.update(E=arrays["parameter.E"]), "arrays that belong to nothing: E"),
        (putting(parameter__E=np.zeros((V, 4), F4)), r"is float32 \(.., 4\); expected float32 \(.., 3\)"),
        (putting(parameter__E=np.zeros((3, V), F4)), "parameter.E is"),
        (putting(parameter__E=np.zeros(3 * V, F4)), "parameter.E is"),
        (putting(parameter__E=np.array(1, F4)), "parameter.E is"),
        (putting(parameter__E=np.zeros((V, 3, 1), F4)), "parameter.E is"),
        (putting(parameter__E=np.zeros((V, 3))), "is float64"),
        (putting(parameter__E=np.zeros((V, 3), np.float16)), "is float16"),
        (putting(parameter__E=np.zeros((V, 3), np.int32)), "is int32"),
        (putting(parameter__E=np.zeros((V, 3), bool)), "is bool"),
        (putting(parameter__W_xh=np.zeros((3, 4), F4)), "belong to nothing"),
        (putting(parameter=np.zeros(3, F4)), "belong to nothing"),
        (putting(extra=np.zeros(3, F4)), "belong to nothing"),
        (putting(optimizer__m__E=np.zeros((1, 3), F4)), "optimizer.m.E is"),
        (putting(optimizer__m__E=np.zeros((V, 3))), "optimizer.m.E is float64"),
        (putting(optimizer__s__E=np.zeros((V, 3), F4)), "optimizer.s"),
        (putting(optimizer__m__W=np.zeros((V, 3), F4)), "belong to nothing: optimizer.m.W"),
        (putting(optimizer__m=np.zeros((V, 3), F4)), "optimizer.m"),
        (putting(optimizer=np.zeros((V, 3), F4)), "belong to nothing: optimizer"),
        (putting(optimizer__=np.zeros((V, 3), F4)), "optimizer."),
        (putting(carried__0__h=np.zeros((3, 5), F4)), "carried.0"),
        (putting(carried__0__h=np.zeros((2, 4), F4)), "carried.0"),
        (putting(carried__0__h=np.array(1, F4)), "carried.0"),
        (putting(carried__0__h=np.zeros(4, F4)), "carried.0"),
        (putting(carried__0__h=np.zeros((3, 4, 1), F4)), "carried.0"),
        (putting(carried__1__c=np.zeros((3, 4))), "carried.1.c is float64"),
        (all_carried(np.zeros((3, 5), F4)), r"carried.0.h is float32 \(3, 5\); expected float32 \(3, 4\)"),
        (all_carried(np.array(1, F4)), "carried.0.h is"),
        (putting(carried__2__h=np.zeros((3, 4), F4)), "belong to nothing: carried.2.h"),
        (putting(carried__00__h=np.zeros((3, 4), F4)), "belong to nothing: carried.00.h"),
        (putting(carried__0__x=np.zeros((3, 4), F4)), "belong to nothing: carried.0.x"),
        (putting(carried=np.zeros((3, 4), F4)), "belong to nothing: carried"),
    ],
)
def test_arrays_that_the_model_does_not_have_are_refused(forge, change, message):
    refused(forge(change), message)


@pytest.mark.parametrize("name", ["config", "dtype", "training", "vocabulary", "model", "version"])
def test_metadata_nested_beyond_all_measure_are_refused(forge, monkeypatch, name):
    """Reading such a value raises RecursionError, or else comparing or printing it might."""
    for depth in (sys.getrecursionlimit() // 2, sys.getrecursionlimit() - 120, 100_000):
        nested = "[" * depth + "]" * depth

        def encode(metadata, nested=nested):
            text = json.dumps(metadata).replace('"HERE"', nested)
            return np.frombuffer(text.encode(), np.uint8)

        with monkeypatch.context() as patch:
            patch.setattr(archive, "_encode_metadata", encode)
            path = forge(setting(name, "HERE"))
        refused(path)


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
@pytest.mark.parametrize("keys", [("config", "forget_bias"), ("config", "dropout"), ("config", "vocab_size")])
def test_numbers_that_are_none_are_refused(forge, monkeypatch, literal, keys):
    """JSON has no NaN, but Python's reader takes it."""

    def encode(metadata):
        return np.frombuffer(json.dumps(metadata).replace('"HERE"', literal).encode(), np.uint8)

    monkeypatch.setattr(archive, "_encode_metadata", encode)
    refused(forge(setting(*keys, "HERE")))


@pytest.mark.parametrize(
    "change",
    [
        setting("config", "num_layers", 10**9),
        setting("config", "vocab_size", 10**12),
        setting("config", "hidden_dim", 10**15),
        setting("config", "embedding_dim", 2**62),
        setting("config", {"note": "x" * 10**5}),
        setting("model", "x" * 10**5),
        setting("training", "x" * 10**5),
        setting("vocabulary", "tokens", ["x" * 10**5]),
    ],
)
def test_a_claim_costs_no_more_memory_than_the_file(forge, change):
    path = forge(change)
    for read in (load_checkpoint, read_contents):
        tracemalloc.start()
        try:
            with pytest.raises(CheckpointError) as refusal:
                read(path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 2**20 + 20 * path.stat().st_size
        assert len(str(refusal.value)) < len(str(path)) + 600


def test_a_thousand_arrays_are_not_believed_to_be_a_thousand_layers(path, contents):
    """The most arrays that an archive may have, named so that the most names must be compared."""
    metadata = copy.deepcopy(contents[0])
    metadata["config"]["num_layers"] = 1000
    write_archive(path, {f"optimizer.s{k}.E": np.zeros((1, 1), F4) for k in range(1000)}, metadata)
    refused(path, "parameter.E is missing")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["lstm", "char", "float32", 10**400, -1, 0, 1]),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=8), values, max_size=4),
    max_leaves=8,
)  # fmt: skip
PLACES = [(name,) for name in ("format", "version", "model", "config", "dtype", "vocabulary", "training", "more")]
PLACES += [("config", name) for name in (*LSTMLM(2, 1, 1).config, "more")]
PLACES += [("vocabulary", name) for name in ("level", "tokens", "more")]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=3))
def test_whatever_stands_in_the_metadata_the_only_error_is_a_value_error(contents, changes):
    metadata = copy.deepcopy(contents[0])
    layout = {name: (array.shape, array.dtype) for name, array in contents[1].items()}
    for place, value in changes:
        holder = metadata if len(place) == 1 else metadata[place[0]]
        if isinstance(holder, dict):
            holder[place[-1]] = value
    try:
        check_contents(metadata, layout)
    except ValueError:
        return
    assert metadata["config"].keys() == contents[0]["config"].keys() and metadata["model"] == "lstm"


NAMES = st.sampled_from(
    ["parameter.E", "parameter.b_y", "optimizer.m.E", "optimizer.q.E", "carried.0.h", "carried.1.c", "carried.9.h", "x"]
) | st.lists(st.sampled_from(["parameter", "optimizer", "carried", "0", "E", "h", ""]), max_size=4).map(".".join)
LAYOUTS = st.dictionaries(
    NAMES,
    st.none()
    | st.tuples(
        st.lists(st.integers(0, 5) | st.just(10**12), max_size=3).map(tuple),
        st.sampled_from([np.dtype(F4), np.dtype(np.float64)]),
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=100)
@given(LAYOUTS)
def test_whatever_arrays_there_are_the_only_error_is_a_value_error(contents, changes):
    """None takes an array away. Nothing passes but what is the good file's again, or one other carried batch size."""
    good = {name: (array.shape, array.dtype) for name, array in contents[1].items()}
    layout = {name: entry for name, entry in (good | changes).items() if entry is not None}
    try:
        check_contents(contents[0], layout)
    except ValueError:
        return
    assert layout == good


# Accidents: bytes that are lost or turned over.


@pytest.fixture
def small_file(path):
    save_checkpoint(path, RNNLM(4, 1, 1), Vocabulary("char", ("<unk>", "a", "b", "c")))
    return path


def test_a_truncated_file_is_refused_wherever_it_ends(small_file):
    whole = small_file.read_bytes()
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        small_file.write_bytes(whole[:length])
        refused(small_file)
    small_file.write_bytes(whole + b"\0")
    refused(small_file)


def test_a_flipped_bit_is_noticed_wherever_it_is(small_file):
    whole = small_file.read_bytes()
    for place in [*range(0, len(whole), 41), *range(len(whole) - 64, len(whole))]:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        small_file.write_bytes(flipped)
        refused(small_file)
    small_file.write_bytes(whole)
    load_checkpoint(small_file)
