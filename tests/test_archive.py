"""Sealed zip files come back as they were, and are refused when their content is off."""

import builtins
import os
import pickle
import zipfile

import numpy as np
import pytest
from sealed_files import little_memory, npy, read_members, write_members

from numpylm.data import archive as archives
from numpylm.data.archive import (
    METADATA,
    CheckpointError,
    check_layout,
    read_array,
    read_bytes,
    read_layout,
    reading,
    write_array,
    write_bytes,
    writing,
)
from numpylm.data.schema import decode_json, encode_json

ARRAYS = {"parameter.W": np.arange(6, dtype=np.float32).reshape(2, 3), "step": np.array(7), "none": np.zeros((2, 0))}
CONTENT = {"step": 3, "tokens": ["a", "\n", "σ", "🐉"]}


def layout_of(arrays):
    return {name: (array.shape, array.dtype) for name, array in arrays.items()}


def save(path, arrays=ARRAYS, metadata=CONTENT):
    with writing(path, CheckpointError) as archive:
        write_bytes(archive, METADATA, encode_json(metadata))
        for name, array in arrays.items():
            write_array(archive, name, array)
    return path


def load(path, layout=None):
    """The metadata and arrays, read as checkpoints read them."""
    layout = layout_of(ARRAYS) if layout is None else layout
    with reading(path, CheckpointError, "give another file") as archive:
        metadata = decode_json(read_bytes(archive, METADATA, 2**22))
        check_layout(read_layout(archive), layout)
        return metadata, {name: read_array(archive, name, *expected) for name, expected in layout.items()}


def same(found, arrays=ARRAYS):
    return found.keys() == arrays.keys() and all(
        (found[name].dtype, found[name].shape, found[name].tobytes()) == (a.dtype, a.shape, a.tobytes())
        for name, a in arrays.items()
    )


def refused(path, match=None, layout=None):
    with pytest.raises(CheckpointError, match=match) as caught:
        load(path, layout)
    assert str(caught.value).startswith(f"{path}: ") and len(str(caught.value)) < len(str(path)) + 600


@pytest.fixture
def path(tmp_path):
    return tmp_path / "last.npz"


@pytest.fixture
def saved(path):
    return save(path)


# What is written comes back


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "i8", "u1", "u2", "i4"])
def test_arrays_of_any_kind_come_back_bit_for_bit(path, dtype):
    values = (np.random.default_rng(0).standard_normal((3, 5, 2)) * 100).astype(dtype)
    views = {"a": values, "columns": np.asfortranarray(values), "part": values[:, ::-2, :1]}
    long = {"long": np.random.default_rng(1).standard_normal(3 * archives.MAX_READ_BYTES // 8 + 5)}
    arrays = {**views, **long, "odd": np.array([np.nan, -0.0, np.inf, 5e-324])}
    save(path, arrays)
    metadata, found = load(path, layout_of(arrays))
    assert metadata == CONTENT and same(found, arrays)
    assert all(array.flags.c_contiguous and array.flags.writeable for array in found.values())


def test_it_is_a_plain_npz_and_the_same_content_gives_the_same_bytes(saved, tmp_path):
    with np.load(saved, allow_pickle=False) as file:
        assert np.array_equal(file["parameter.W"], ARRAYS["parameter.W"])
    assert save(tmp_path / "again").read_bytes() == saved.read_bytes()


# Accidents


def test_no_flipped_bit_gives_a_wrong_value(path):
    arrays = {"W": np.arange(2.0), "b": np.arange(2.0) + 5}
    content = bytearray(save(path, arrays, {"step": 1}).read_bytes())
    loaded = 0
    with open(path, "r+b", buffering=0) as file:
        for bit in range(0, 8 * len(content), 3):
            place, flipped = bit // 8, content[bit // 8] ^ 1 << bit % 8
            file.seek(place)
            file.write(bytes([flipped]))
            try:
                metadata, found = load(path, layout_of(arrays))
                loaded += 1
                assert metadata == {"step": 1} and same(found, arrays), f"bit {bit}"
            except CheckpointError:
                pass
            file.seek(place)
            file.write(content[place : place + 1])
    assert loaded < 0.3 * 8 / 3 * len(content), "dates and the like carry no values"


def test_every_truncation_is_refused(saved):
    for length in reversed(range(saved.stat().st_size)):
        os.truncate(saved, length)
        with pytest.raises(CheckpointError, match=r"damaged|not a numpylm file|empty"):
            load(saved)


def test_members_that_another_program_exchanged_are_refused(saved):
    arrays = {"a": np.zeros(3), "b": np.ones(3)}
    members = read_members(save(saved, arrays))
    members["a.npy"], members["b.npy"] = members["b.npy"], members["a.npy"]
    comment = zipfile.ZipFile(saved).comment
    refused(write_members(saved, members, comment=comment), "checksum does not match", layout_of(arrays))
    np.savez(saved, **arrays)
    refused(saved, "not a numpylm file, or another program has written it again", layout_of(arrays))
    write_members(saved, members)
    assert load(saved, layout_of(arrays))[1]["a"][0] == 1, "with the right seal it is another file, not a damaged one"


@pytest.mark.parametrize("content", [b"", b"To be, or not to be", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), npy([1.0])])
def test_files_of_other_kinds(path, content):
    path.write_bytes(content)
    refused(path, r"it is (not a numpylm file|empty|damaged or cut off)")


def test_what_is_no_file_is_refused_at_once(tmp_path):
    refused(tmp_path / "missing.npz", "No such file or directory")
    refused(tmp_path, "it is a folder, a pipe or a device")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # to open it would take for ever
        refused(tmp_path / "pipe", "it is a folder, a pipe or a device")


# Enemies: the seal is right, and the content is not


class Evil:
    """To unpickle it creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return builtins.open, (self.path, "w")


def test_nothing_is_ever_unpickled(path):
    victim = str(path.parent / "victim")
    objects = npy(np.array([Evil(victim)], dtype=object), allow_pickle=True)
    for content in (objects, pickle.dumps(Evil(victim)), objects + bytes(70_000)):
        for name in ("W.npy", METADATA):
            refused(write_members(path, {METADATA: b"{}", name: content}), layout={"W": ((1,), np.dtype(float))})
    assert not os.path.exists(victim)


def headed(shape="(3,)", descr="'<f4'", order="False", data=bytes(12)):
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


FALSE_HEADERS = [
    *(headed(shape) for shape in ("(2,)", "(4,)", "(-3,)", "(3, 1)", "()", "3", "[3]", f"({2**62},)", f"(0, {2**70})")),
    *(headed(descr=descr) for descr in ("'>f4'", "'<i4'", "'|O'", "'<f8'", "[('a', '<f4')]", "'none'", "('<f4', 1)")),
    *(headed(descr=descr) for descr in ("__import__('os').system('false')", "'|V4'", "(" * 300, "-" * 600 + "1")),
    headed("(3,)" + " " * 2000), headed(order="True", shape="(3, 1)"), headed(data=bytes(13)), headed(data=bytes(11)),
    npy(np.zeros(3, "f4"), version=(2, 0)), b"", b"\x93NUM", b"\x93NUMPY\x01\x00\xff\xff{", b"plain text" * 9,
]  # fmt: skip


@pytest.mark.parametrize("content", FALSE_HEADERS)
def test_arrays_that_are_not_what_they_should_be(path, content):
    layout = {"W": ((3,), np.dtype("f4"))}
    refused(write_members(path, {METADATA: b"{}", "W.npy": content}), layout=layout)
    assert load(write_members(path, {METADATA: b"{}", "W.npy": headed()}), layout)[1]["W"].tolist() == [0, 0, 0]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_should_not_be_there(path):
    good, layout = (METADATA, b"{}"), {"W": ((3,), np.dtype("f4"))}
    for name in ("W.npy.npy", "../W.npy", "/W.npy", "V.npy"):
        refused(write_members(path, [good, ("W.npy", headed()), (name, headed())]), "belongs to nothing", layout)
    refused(write_members(path, [good, ("W.npy", headed()), ("W.npy", headed())]), "two members of one name", layout)
    refused(write_members(path, [good]), "the array W is missing", layout)
    refused(write_members(path, [("W.npy", headed())]), f"lacks its member {METADATA}", layout)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_not_decompressed(path, compression, monkeypatch):
    write_members(path, {METADATA: b" " * 10**7, "W.npy": npy(np.zeros(10**6))}, compression)
    monkeypatch.setattr(zipfile, "_get_decompressor", None)
    with little_memory(2**20):
        refused(path, "compressed", {"W": ((10**6,), np.dtype(float))})


def test_what_a_file_claims_costs_no_memory(path):
    """A huge array, a long directory, long or dense JSON."""
    huge, directory = {"W.npy": headed(f"({2**40},)")}, {f"{number:0200d}.npy": b"" for number in range(4000)}
    for members, layout, message, most in [
        (huge, {"W": ((2**40,), np.dtype("f4"))}, "not as long as its header says", 2**20),
        (directory, {}, "directory is longer", 2**20),
        ({METADATA: bytes(5 * 2**20)}, {}, "expected at most", 2**20),
        ({METADATA: b"[" + b"[]," * 2**18 + b"1]"}, {}, None, 2**25),
        ({METADATA: b"[" * 10**6 + b"]" * 10**6}, {}, "nested too deeply", 2**25),
        ({METADATA: b'["' + b'","' * 10**5 + b'"]'}, {}, None, 2**25),
    ]:
        write_members(path, {METADATA: b"{}"} | members)
        with little_memory(most):
            if message:
                refused(path, message, layout)
            else:
                load(path, layout)
