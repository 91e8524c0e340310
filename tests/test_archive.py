"""Archives come back as they were, survive a crash, and are refused when anything about them is off."""

import builtins
import errno
import hashlib
import io
import json
import os
import pickle
import random
import re
import signal
import stat
import subprocess
import sys
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpylm.data import archive
from numpylm.data.archive import CheckpointError, read_archive, read_layout, write_archive

ROOT = Path(__file__).resolve().parents[1]
METADATA = {
    "vocabulary": ["a", "\n", "\u03c3", "\ud800"],
    "step": 3,
    "state": {"inc": 2**127 + 1, "has": None},
}


def small_arrays():
    return {"W_xh": np.arange(6, dtype=np.float32).reshape(2, 3), "step": np.array(7, dtype=np.int64)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "last.npz"


@pytest.fixture
def saved(path):
    write_archive(path, small_arrays(), METADATA)
    return path


def overwrite(path, content):
    """Change a file in place, which many file systems do faster than truncating and writing it."""
    with open(path, "r+b") as file:
        file.write(content)


def without_addresses(error):
    return re.sub("0x[0-9a-f]+", "", str(error))


def refused(path, match=None):
    """Both readers refuse the file with the same CheckpointError; it is returned."""
    with pytest.raises(CheckpointError, match=match) as from_archive:
        read_archive(path)
    with pytest.raises(CheckpointError) as from_layout:
        read_layout(path)
    assert without_addresses(from_archive.value) == without_addresses(from_layout.value)
    assert str(from_archive.value).startswith(f"{path}: ")
    assert from_archive.value.path == path and from_archive.value.reason and from_archive.value.hint
    assert len(str(from_archive.value)) < len(str(path)) + 600
    return from_archive.value


# Forging: files with a correct digest and wrong contents.


def sealed(body):
    """The bytes of a zip with the right digest in place of its last 64 bytes."""
    return body[:-64] + hashlib.sha256(body[:-64]).hexdigest().encode()


def npy_bytes(array, allow_pickle=False, version=None):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version, allow_pickle=allow_pickle)
    return stream.getvalue()


def npy_header(header, data=b""):
    """A .npy member of version 1.0 with this header text."""
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def metadata_bytes(text):
    return npy_bytes(np.frombuffer(text.encode(), dtype=np.uint8))


def zip_bytes(members, compression=zipfile.ZIP_STORED, comment=b"sha256:" + b"0" * 64):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as forged:
        forged.comment = comment
        for name, content in members:
            forged.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
    return stream.getvalue()


def forge(path, *members, metadata='{"step": 1}', **options):
    members = [("metadata.npy", metadata_bytes(metadata)), *members]
    path.write_bytes(sealed(zip_bytes(members, **options)))


def header_of(shape="(3,)", descr="'<f4'", fortran_order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran_order}, 'shape': {shape}, }}"


def test_the_forger_makes_good_files_when_it_means_to(path):
    forge(path, ("W.npy", npy_header(header_of(), bytes(12))))
    metadata, arrays = read_archive(path)
    assert metadata == {"step": 1}
    np.testing.assert_array_equal(arrays["W"], np.zeros(3, np.float32))


# What is written comes back.


@pytest.mark.parametrize("dtype", archive.DTYPES)
def test_round_trip(path, dtype):
    rng = np.random.default_rng(0)
    shapes = {"a": (), "b_h": (0,), "_c": (3,), "fc.weight": (2, 0, 3), "W": (2, 3), "0-": (2, 1, 3, 1, 2)}
    offset = 1j if dtype == "<c16" else 0
    arrays = {n: np.asarray(100 * rng.standard_normal(s) + offset).astype(dtype) for n, s in shapes.items()}
    write_archive(path, arrays, METADATA)
    got_metadata, got = read_archive(path)
    assert got_metadata == METADATA
    assert read_layout(path) == (METADATA, {name: (shape, np.dtype(dtype)) for name, shape in shapes.items()})
    assert list(got) == list(arrays)
    for name, array in arrays.items():
        assert got[name].dtype == dtype and got[name].shape == shapes[name] and got[name].flags.writeable
        np.testing.assert_array_equal(got[name], array)


@settings(deadline=None, max_examples=30)
@given(
    arrays=st.dictionaries(
        st.from_regex(archive.NAME, fullmatch=True).filter(lambda name: name != "metadata"),
        hnp.arrays(st.sampled_from(archive.DTYPES), hnp.array_shapes(min_dims=0, min_side=0, max_dims=4)),
        max_size=4,
    ),
    metadata=st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
        max_size=4,
    ),
)
def test_round_trip_of_anything(tmp_path_factory, arrays, metadata):
    path = tmp_path_factory.mktemp("any") / "any.npz"
    write_archive(path, arrays, metadata)
    got_metadata, got = read_archive(path)
    assert got_metadata == metadata
    assert list(got) == list(arrays)
    for name, array in arrays.items():
        assert got[name].tobytes() == array.tobytes() and got[name].shape == array.shape


def test_special_values_come_back_bit_for_bit(path):
    array = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 5e-324])
    write_archive(path, {"a": array}, {})
    assert read_archive(path)[1]["a"].tobytes() == array.tobytes()


@pytest.mark.parametrize("change", [np.asfortranarray, np.transpose, lambda a: a[::2, ::-1], lambda a: a[:, 1]])
def test_views_of_any_memory_order(path, change):
    array = change(np.arange(20, dtype=np.float64).reshape(4, 5))
    write_archive(path, {"a": array}, {})
    np.testing.assert_array_equal(read_archive(path)[1]["a"], array)


def test_no_arrays_and_no_metadata(path):
    write_archive(path, {}, {})
    assert read_archive(path) == ({}, {})


def test_an_array_larger_than_one_read(path):
    array = np.random.default_rng(1).standard_normal(3 * archive.MAX_READ_BYTES // 8 + 5)
    write_archive(path, {"a": array}, {})
    np.testing.assert_array_equal(read_archive(path)[1]["a"], array)


def test_as_many_arrays_with_names_as_long_as_are_allowed(path):
    arrays = {f"{i:0200d}": np.array(i) for i in range(archive.MAX_ARRAYS)}
    write_archive(path, arrays, {})
    assert len(read_layout(path)[1]) == archive.MAX_ARRAYS
    with pytest.raises(ValueError, match="1001"):
        write_archive(path, {**arrays, "more": np.array(0)}, {})


def test_numpy_opens_it(saved):
    with np.load(saved, allow_pickle=False) as loaded:
        assert sorted(loaded.files) == ["W_xh", "metadata", "step"]
        np.testing.assert_array_equal(loaded["W_xh"], small_arrays()["W_xh"])
        assert json.loads(loaded["metadata"].tobytes()) == METADATA


def test_the_comment_is_the_digest(saved):
    content = saved.read_bytes()
    assert content[-71:-64] == b"sha256:" and content == sealed(content)
    with zipfile.ZipFile(saved) as opened:
        assert opened.comment == content[-71:] and opened.testzip() is None
        assert {member.compress_type for member in opened.infolist()} == {zipfile.ZIP_STORED}


def test_the_same_content_gives_the_same_bytes(tmp_path, monkeypatch):
    write_archive(tmp_path / "a", small_arrays(), METADATA)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    monkeypatch.setattr(sys, "platform", "win32")
    write_archive(str(tmp_path / "b"), {n: a.copy("F") for n, a in small_arrays().items()}, METADATA)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_relative_path_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_archive("last.npz", {}, {"step": 1})
    assert read_archive("last.npz")[0] == {"step": 1}


# Bad arguments.


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/b",
        "a\\b",
        "../a",
        ".hidden",
        "-a",
        "a b",
        "a\0",
        "a\n",
        "\u03c3",
        "a.npy",
        "metadata",
        "x" * 201,
        5,
    ],
)
def test_bad_names(path, name):
    with pytest.raises(ValueError, match=r"name|metadata"):
        write_archive(path, {name: np.zeros(2)}, {})
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}, []], dtype=object),
        np.zeros(2, dtype=[("a", "<f4")]),
        np.zeros(2, dtype="datetime64[s]"),
        np.zeros(2, dtype="U3"),
        np.zeros(2, dtype="S3"),
        np.zeros(2, dtype="V3"),
        np.zeros(2, dtype=">f4"),
        np.zeros(2, dtype=np.complex64),
        np.zeros(2, dtype=("<i4", {"low": ("<i2", 0), "high": ("<i2", 2)})),
    ],
    ids=lambda array: array.dtype.str,
)
def test_bad_dtypes(path, array):
    with pytest.raises(ValueError, match=r"array 'a' has dtype .*expected one of"):
        write_archive(path, {"a": array}, {})
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("array", [[1.0], 1.0, np.float32(1), None])
def test_what_is_no_array(path, array):
    with pytest.raises(ValueError, match="expected a NumPy array"):
        write_archive(path, {"a": array}, {})


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": float("nan")},
        {"a": [float("inf")]},
        {"a": np.zeros(2)},
        {"a": {1, 2}},
        {"a": b"bytes"},
        {1: "int key"},
        {"a": (1, 2)},
        {"a": nested(100_000)},
        ["a list"],
        None,
        {"a": "x" * archive.MAX_METADATA_BYTES},
    ],
    ids=["nan", "inf", "array", "set", "bytes", "int key", "tuple", "deep", "list", "none", "long"],
)
def test_bad_metadata(path, metadata):
    with pytest.raises(ValueError, match="metadata"):
        write_archive(path, {}, metadata)
    assert list(path.parent.iterdir()) == []


def test_writing_into_a_missing_folder(tmp_path):
    with pytest.raises(CheckpointError, match="there is no folder"):
        write_archive(tmp_path / "missing" / "last.npz", {}, {})


def test_writing_over_a_folder_or_below_a_file(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for bad in ("folder", "file/last.npz"):
        with pytest.raises(CheckpointError):
            write_archive(tmp_path / bad, {}, {})
    assert sorted(found.name for found in tmp_path.iterdir()) == ["file", "folder"]


# A failure while writing leaves the old file, and nothing else.


def fail_on_call(monkeypatch, owner, name, number, error):
    real, calls = getattr(owner, name), []

    def failing(*args, **kwargs):
        calls.append(1)
        if len(calls) == number:
            raise error
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, failing)


NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("error", [NO_SPACE, KeyboardInterrupt(), MemoryError(), RuntimeError("odd")])
@pytest.mark.parametrize(
    "owner, name, number",
    [
        (np.lib.format, "write_array", 1),
        (np.lib.format, "write_array", 3),
        (os, "fsync", 1),
        (os, "replace", 1),
    ],
)
def test_a_failure_keeps_the_old_file(saved, monkeypatch, owner, name, number, error):
    before = saved.read_bytes()
    fail_on_call(monkeypatch, owner, name, number, error)
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else CheckpointError
    with pytest.raises(expected) as caught:
        write_archive(saved, {"W_xh": np.ones(50_000), "b_h": np.ones(5)}, {"step": 4})
    if error is NO_SPACE:
        assert caught.value.reason == "No space left on device" and caught.value.path == saved
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.skipif(os.name != "posix", reason="needs a limit of the file size")
def test_a_full_disk_keeps_the_old_file(saved):
    resource = pytest.importorskip("resource")
    before, old_limit = saved.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old_limit[1]))
    try:
        with pytest.raises(CheckpointError, match="File too large; nothing was replaced"):
            write_archive(saved, {"a": np.ones(50_000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old_limit)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_everything_is_synced_before_the_rename_and_the_folder_after(path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        events.append("folder" if is_folder else Path(f"/proc/self/fd/{descriptor}").read_bytes())
        fsync(descriptor)

    def record_replace(old, new):
        events.append("rename" if Path(old).parent == Path(new).parent else "move")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    write_archive(path, small_arrays(), METADATA)
    assert events == [path.read_bytes(), "rename", "folder"]


def test_writers_do_not_disturb_each_other(path):
    def write(step):
        write_archive(path, {"a": np.full(30_000, step)}, {"step": step})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    metadata, arrays = read_archive(path)
    assert (arrays["a"] == metadata["step"]).all()
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_synced_is_no_failure(path, monkeypatch):
    real = os.open

    def no_folders(name, *args, **kwargs):
        if Path(name).is_dir():
            raise PermissionError("as on Windows")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(os, "open", no_folders)
    write_archive(path, small_arrays(), METADATA)
    assert read_archive(path)[0] == METADATA


def test_the_new_file_has_ordinary_permissions(saved):
    ordinary = saved.parent / "ordinary"
    ordinary.write_bytes(b"")
    assert saved.stat().st_mode == ordinary.stat().st_mode


def test_a_link_is_replaced_and_its_target_left_alone(tmp_path):
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "last.npz").symlink_to(tmp_path / "target")
    write_archive(tmp_path / "last.npz", {}, {})
    assert (tmp_path / "target").read_bytes() == b"precious"


ENDLESS_WRITER = """
import sys
import numpy as np
from numpylm.data.archive import write_archive
step = 0
while True:
    step += 1
    write_archive(sys.argv[1], {"a": np.full(100_000, step)}, {"step": step})
    print(step, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_writer_never_leaves_a_broken_file(path):
    chance = random.Random(0)
    for _ in range(4):
        command = [sys.executable, "-c", ENDLESS_WRITER, str(path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
            announced = int(writer.stdout.readline())
            time.sleep(chance.uniform(0, 0.03))
            writer.send_signal(signal.SIGKILL)
            announced = int(writer.stdout.read().split()[-1:][0]) if writer.stdout.peek() else announced
        metadata, arrays = read_archive(path)
        assert metadata["step"] in (announced, announced + 1)
        assert (arrays["a"] == metadata["step"]).all()


# Accidents: the file is cut, flipped, foreign or not there.


def test_every_single_flipped_bit_is_refused(path):
    write_archive(path, {"W": np.arange(2.0)}, {})
    content = path.read_bytes()
    with open(path, "r+b", buffering=0) as file:
        for position in range(len(content)):
            for bit in range(8):
                file.seek(position)
                file.write(bytes([content[position] ^ 1 << bit]))
                with pytest.raises(CheckpointError):
                    read_archive(path)
            file.seek(position)
            file.write(content[position : position + 1])
    read_archive(path)


def test_every_truncation_is_refused(saved):
    for length in reversed(range(saved.stat().st_size)):
        os.truncate(saved, length)
        with pytest.raises(CheckpointError, match=r"truncated|empty|not an .npz"):
            read_archive(saved)


def test_added_bytes_are_refused(saved):
    content = saved.read_bytes()
    for changed in (
        content + b"\0",
        b"\0" + content,
        content + content,
        content[:100] + b"\0" + content[100:],
    ):
        saved.write_bytes(changed)
        refused(saved)


def test_a_truncated_file_says_so(saved):
    saved.write_bytes(saved.read_bytes()[:200])
    assert "not a numpylm checkpoint: the file is truncated" in str(refused(saved))


@pytest.mark.parametrize(
    "content, match",
    [
        (b"", "the file is empty"),
        (b"To be, or not to be", "not an .npz file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "not an .npz file"),
        (b"PK\x03\x04", "truncated"),
        (b"PK\x05\x06" + bytes(18), "not an .npz file"),
        (b"PK\x03\x04" + bytes(1000), "truncated or foreign"),
        (b"PK\x03\x04sha256:" + b"0" * 64, "checksum does not match"),
        (b"PKsha256:" + b"0" * 64, "not an .npz file"),
        (b"sha256:" + b"0" * 64, "not an .npz file"),
        (pickle.dumps({"a": 1}), "not an .npz file"),
        (npy_bytes(np.zeros(3)), "not an .npz file"),
    ],
)
def test_files_of_other_kinds(path, content, match):
    path.write_bytes(content)
    refused(path, match)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_foreign_npz(path, save):
    save(path, W_xh=np.zeros(3), metadata=np.frombuffer(b"{}", dtype=np.uint8))
    refused(path, "truncated or foreign")


def test_paths_that_are_no_files(tmp_path):
    refused(tmp_path, "it is a folder or a device")
    refused(tmp_path / "missing.npz", "No such file or directory")
    refused(tmp_path / "missing" / "a.npz", "No such file or directory")
    refused(tmp_path / "a\0b", "null")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
        refused(tmp_path / "pipe", "it is a folder or a device")


def test_a_file_that_may_not_be_read(saved, monkeypatch):
    def denied(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(saved))

    monkeypatch.setattr(archive, "_SmallReads", denied)
    refused(saved, "Permission denied")


def test_memory_that_does_not_suffice(saved, monkeypatch):
    fail_on_call(monkeypatch, np.lib.format, "read_array", 2, MemoryError())
    with pytest.raises(CheckpointError, match="does not fit into memory"):
        read_archive(saved)


def test_the_file_is_opened_once(saved, monkeypatch):
    opened = []
    real = archive._SmallReads
    monkeypatch.setattr(archive, "_SmallReads", lambda path: opened.append(real(path)) or opened[-1])
    monkeypatch.setattr(builtins, "open", None)
    monkeypatch.setattr(io, "open", None)
    read_archive(saved)
    assert len(opened) == 1 and opened[0].closed


def test_a_file_replaced_between_check_and_load_does_not_matter(saved):
    def replace_it(metadata, layout):
        write_archive(saved, {"W_xh": np.ones(9)}, {"step": 9})

    metadata, arrays = read_archive(saved, replace_it)
    assert metadata == METADATA
    np.testing.assert_array_equal(arrays["W_xh"], small_arrays()["W_xh"])


def test_a_file_changed_in_place_between_check_and_load_is_refused(saved):
    old = npy_bytes(small_arrays()["W_xh"])
    for new in (
        npy_bytes(np.ones((2, 3), np.float32)),
        npy_bytes(np.ones((3, 2), np.float32)),
        b"\x93" * len(old),
    ):
        write_archive(saved, small_arrays(), METADATA)
        content = saved.read_bytes().replace(old, new)

        assert len(content) == saved.stat().st_size
        with pytest.raises(CheckpointError):
            read_archive(saved, lambda metadata, layout, content=content: overwrite(saved, content))


def test_an_array_unlike_its_layout_is_refused(saved, monkeypatch):
    def exchange(metadata, layout):
        monkeypatch.setattr(np.lib.format, "read_array", lambda *args, **kwargs: np.ones(5))

    with pytest.raises(CheckpointError, match="changed while it was being read"):
        read_archive(saved, exchange)


# The caller's check.


def test_the_check_sees_the_layout_before_any_array_is_loaded(saved, monkeypatch):
    seen = []

    def check(metadata, layout):
        seen.append((metadata, layout))
        monkeypatch.setattr(np.lib.format, "read_array", None)
        raise ValueError("the model has V = 5, the checkpoint V = 6")

    with pytest.raises(CheckpointError) as caught:
        read_archive(saved, check)
    assert seen == [(METADATA, {"W_xh": ((2, 3), np.dtype("f4")), "step": ((), np.dtype("i8"))})]
    assert caught.value.reason == "the model has V = 5, the checkpoint V = 6" and caught.value.path == saved


def test_the_check_may_raise_its_own_checkpoint_error(saved):
    error = CheckpointError("elsewhere", "reason", "hint")

    def check(metadata, layout):
        raise error

    with pytest.raises(CheckpointError) as caught:
        read_archive(saved, check)
    assert caught.value is error


def test_a_missing_key_in_the_check_is_a_checkpoint_error(saved):
    with pytest.raises(CheckpointError, match="KeyError: 'model'"):
        read_archive(saved, lambda metadata, layout: metadata["model"])


def test_the_error_can_be_pickled_and_is_no_value_error():
    error = pickle.loads(pickle.dumps(CheckpointError("a.npz", "it is empty", "save it again")))
    assert str(error) == "a.npz: it is empty; save it again" and error.hint == "save it again"
    assert not isinstance(error, ValueError | OSError)


# Enemies: the digest is right, and the contents are not.


class Evil:
    """Unpickling it creates the file it was given."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_nothing_is_ever_unpickled(path):
    victim = path.parent / "victim"
    evil = np.array([Evil(str(victim))], dtype=object)
    forge(path, ("W.npy", npy_bytes(evil, allow_pickle=True)))
    refused(path, r"dtype \|O")
    forge(path, ("W", pickle.dumps(Evil(str(victim)))))
    refused(path)
    forge(path, ("W.npy", pickle.dumps(Evil(str(victim)))))
    refused(path)
    path.write_bytes(pickle.dumps(Evil(str(victim))))
    refused(path)
    path.write_bytes(sealed(zip_bytes([("metadata.npy", npy_bytes(evil, allow_pickle=True))])))
    refused(path)
    assert not victim.exists()
    pickle.loads(pickle.dumps(Evil(str(victim)))).close()
    assert victim.exists()  # so the attack is real


def test_nothing_is_unpickled_that_appears_between_check_and_load(path):
    victim = path.parent / "victim"
    evil = npy_bytes(np.array([Evil(str(victim))], dtype=object), allow_pickle=True)
    evil += bytes(500_128 - len(evil))  # so long that a pickle runs before zipfile sees the end and its checksum
    harmless = np.ones(500_000, dtype=np.uint8)
    write_archive(path, {"W": harmless}, {})
    content = path.read_bytes().replace(npy_bytes(harmless), evil)
    assert evil in content and len(content) == path.stat().st_size
    with pytest.raises(CheckpointError):
        read_archive(path, lambda metadata, layout: overwrite(path, content))
    assert not victim.exists()


HEADERS = {
    "huge": header_of("(1000000000000,)"),
    "beyond a machine word": header_of(f"({2**70},)"),
    "a product beyond a machine word": header_of(f"({2**40}, {2**40})"),
    "a product of 2**64, which wraps to 0": header_of(f"({2**32}, {2**32})"),
    "a 0 beside a huge length": header_of(f"(0, {2**70})"),
    "negative": header_of("(-3,)"),
    "two negatives": header_of("(-1, -3)"),
    "a bool": header_of("(3, True)"),
    "a float": header_of("(3.0,)"),
    "a list": header_of("[3]"),
    "an int": header_of("3"),
    "too many lengths": header_of(f"(3, {'1, ' * 64})"),
    "one too few": header_of("(2,)"),
    "one too many": header_of("(4,)"),
    "columns": header_of("(3, 1)", fortran_order="True"),
    "big-endian": header_of(descr="'>f4'"),
    "object": header_of(descr="'|O'"),
    "structured": header_of(descr="[('a', '<f4')]"),
    "fields over a number": header_of(descr="('<i4', {'low': ('<i2', 0), 'high': ('<i2', 2)})"),
    "subarray": header_of(descr="('<f4', (1,))"),
    "subarray in a string": header_of(descr="'(1,)f4'"),
    "deprecated": header_of(descr="'a4'"),
    "datetime": header_of("(1,)", descr="'<M8[s]'"),
    "text": header_of("(1,)", descr="'<U3'"),
    "bytes": header_of("(1,)", descr="'|S12'"),
    "no bytes": header_of("(99999999999,)", descr="'|V0'"),
    "long double": header_of("(1,)", descr="'<f16'"),
    "no dtype": header_of(descr="'nonsense'"),
    "a number as dtype": header_of(descr="5"),
    "code": header_of(descr="__import__('os').system('false')"),
    "a missing key": "{'descr': '<f4', 'shape': (3,)}",
    "an extra key": header_of()[:-1] + "'x': 1}",
    "no dictionary": "[1, 2]",
    "Python 2": header_of("(3L,)"),
    "bad escape": header_of(descr="'\\d'"),
    "no Python": "{'descr",
    "odd indentation": "  x\n y",
    "control": "\0",
    "nothing": "",
    "deep": "(" * 900,
    "deep unary": "-" * 900 + "1",
    "deep list": "[" * 150 + "]" * 150,
    "a long number": header_of(f"({'9' * 900},)"),
    "long": header_of() + " " * 60_000,
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_false_headers(path, header):
    forge(path, ("W.npy", npy_header(header, bytes(12))))
    refused(path)


@pytest.mark.parametrize("shape", [f"(0, {2**70})", f"({2**32}, {2**31}, 0)"])
def test_a_huge_length_beside_a_0_takes_no_bytes_and_is_refused_all_the_same(path, shape):
    forge(path, ("W.npy", npy_header(header_of(shape))))
    refused(path, "too large for any computer")


@pytest.mark.parametrize("version", [(2, 0), (3, 0)])
def test_headers_of_later_versions(path, version):
    forge(path, ("W.npy", npy_bytes(np.zeros(3), version=version)))
    refused(path, "later version")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUM",
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
        b"\x93NUMPY\x09\x09" + bytes(100),
        npy_bytes(np.zeros(3)) + b"\0",
        npy_bytes(np.zeros(3))[:-1],
        b"plain text",
    ],
)
def test_members_that_are_no_arrays(path, content):
    forge(path, ("W.npy", content))
    refused(path)


@pytest.mark.parametrize(
    "names",
    [
        ["W"],
        ["W.txt"],
        ["../W.npy"],
        ["a/W.npy"],
        ["/W.npy"],
        ["a/"],
        [".npy"],
        ["W.npy.npy"],
        ["\u03c3.npy"],
    ],
)
def test_false_names(path, names):
    forge(path, *((name, npy_bytes(np.zeros(3))) for name in names))
    refused(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["W.npy", "metadata.npy"])
def test_duplicate_names(path, name):
    forge(path, ("W.npy", npy_bytes(np.zeros(3))), (name, npy_bytes(np.ones(3))))
    refused(path, "two members of one name")


def test_a_name_cut_off_by_a_null_byte(path):
    forge(path, ("W.npyXabc", npy_bytes(np.zeros(3))))
    path.write_bytes(sealed(path.read_bytes().replace(b"W.npyX", b"W.npy\0")))
    _, arrays = read_archive(path)
    assert list(arrays) == ["W"]  # zipfile cuts the name, and nothing else comes of it


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_members_are_never_decompressed(path, compression, monkeypatch):
    bomb = npy_bytes(np.zeros(600_000))
    forge(path, ("W.npy", bomb), compression=compression)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(zipfile, "_get_decompressor", None)
    tracemalloc.start()
    refused(path, "compressed")
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def patched_directory(path, offset, value, signature=b"PK\x01\x02"):
    """Overwrite bytes at this offset of the last directory entry, and seal the file again."""
    content = bytearray(path.read_bytes())
    start = content.rindex(signature) + offset
    content[start : start + len(value)] = value
    path.write_bytes(sealed(bytes(content)))


@pytest.mark.parametrize(
    "offset, value, match",
    [
        (8, b"\x01\x00", "encrypted"),
        (8, b"\x20\x00", "encrypted"),  # patched data
        (8, b"\x40\x00", "encrypted"),  # strong encryption
        (10, b"\x08\x00", "compressed"),  # deflated
        (10, b"\x0e\x00", "compressed"),  # LZMA
        (10, b"\x63\x00", "compressed"),  # no method at all
        (6, b"\xff\x00", "version"),  # needed to extract
        (20, b"\xff\xff\xff\x7f", "compressed"),  # stored size
        (24, b"\xff\xff\xff\x7f", "compressed"),  # size
        (20, b"\xff\xff\xff\x7f\xff\xff\xff\x7f", "larger than the file"),  # both
        (20, b"\x8d\x00\x00\x00\x8d\x00\x00\x00", None),  # both one too large
        (20, bytes(8), None),  # both 0
        (28, b"\x01\x00", None),  # length of the name
        (28, b"\x00\x00", None),
        (42, b"\xff\xff\xff\x7f", None),  # where the member starts
        (42, b"\x01\x00\x00\x00", None),
        (46, b"X", None),  # another name than in front of the member
    ],
)
def test_false_directories(path, offset, value, match):
    forge(path, ("W.npy", npy_bytes(np.zeros(3, np.float32))))
    patched_directory(path, offset, value)
    refused(path, match)


@pytest.mark.parametrize("signature", [b"PK\x01\x02", b"PK\x05\x06"], ids=["last entry", "end"])
@pytest.mark.parametrize("value", [b"\xff\xff", b"\0\0", b"\x01\0"])
def test_odd_numbers_in_the_directory_are_refused_or_ignored(path, signature, value):
    for offset in range(4, 46, 2):
        forge(path, ("W.npy", npy_bytes(np.ones(3, np.float32))))
        patched_directory(path, offset, value, signature)
        try:
            metadata, arrays = read_archive(path)
        except CheckpointError:
            continue
        assert metadata == {"step": 1} and set(arrays) <= {"W"}
        assert all(array.tolist() == [1, 1, 1] for array in arrays.values())


def test_members_that_share_their_bytes_cannot_multiply_them(path):
    content = npy_bytes(np.zeros(1000))
    forge(path, ("W.npy", content))
    start = path.read_bytes().index(b"PK\x03\x04", 4)
    names = [f"{i:03d}.npy".encode() for i in range(50)]
    body = path.read_bytes()[:start] + zip_bytes([("000.npy", content)])
    directory = body.index(b"PK\x01\x02")
    entry = bytearray(body[directory : directory + 46])
    entry[42:46] = start.to_bytes(4, "little")
    entries = b"".join(bytes(entry) + name for name in names)
    end = bytearray(body[body.index(b"PK\x05\x06") :])
    end[8:12] = len(names).to_bytes(2, "little") * 2
    end[12:20] = len(entries).to_bytes(4, "little") + directory.to_bytes(4, "little")
    path.write_bytes(sealed(body[:directory] + entries + bytes(end)))
    refused(path, "larger than the file")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "null",
        "5",
        '{"a": 1} x',
        '{"a": "\u03c3"}',
        "\0",
        "[" * 1_000_000,
        '{"a":' * 1_000_000,
        '{"a": ' + "9" * 5000 + "}",
    ],
)
def test_metadata_that_is_no_json_object(path, text):
    forge(path, metadata=text[:2_000_000])
    refused(path)


@pytest.mark.parametrize(
    "array",
    [np.zeros(4, np.int8), np.array(1, np.uint8), np.zeros((2, 2), np.uint8), np.zeros(2, np.float32)],
)
def test_metadata_of_another_kind(path, array):
    path.write_bytes(sealed(zip_bytes([("metadata.npy", npy_bytes(array))])))
    refused(path, "not a row of")


def test_no_metadata(path):
    path.write_bytes(sealed(zip_bytes([("W.npy", npy_bytes(np.zeros(3)))])))
    refused(path, "has no metadata")


def test_too_much_metadata(path):
    forge(path, metadata=" " * archive.MAX_METADATA_BYTES + "{}")
    refused(path, "at most")


def many_members(count):
    """A small zip with a directory of so many entries."""
    body = zip_bytes([("metadata.npy", metadata_bytes("{}"))])
    start, end = body.index(b"PK\x01\x02"), body.index(b"PK\x05\x06")
    tail = bytearray(body[end:])
    tail[12:16] = (count * (end - start)).to_bytes(4, "little")
    return sealed(body[:start] + body[start:end] * count + bytes(tail))


BOMBS = {
    "a header that claims a terabyte": lambda path: forge(path, ("W.npy", npy_header(HEADERS["huge"], bytes(12)))),
    "a header of 10 MB": lambda path: forge(
        path, ("W.npy", b"\x93NUMPY\x02\x00" + (10_000_000).to_bytes(4, "little") + b" " * 10_000_000)
    ),
    "a directory of 300,000 members": lambda path: path.write_bytes(many_members(300_000)),
    "a directory of 2,000 members": lambda path: path.write_bytes(many_members(2_000)),
    "many names in metadata that is no metadata": lambda path: forge(path, ("metadata", bytes(10_000_000))),
}


@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS.keys())
def test_refusing_takes_little_memory_and_time(path, make):
    make(path)
    tracemalloc.start()
    started = time.process_time()
    refused(path)
    assert time.process_time() - started < 3
    assert tracemalloc.get_traced_memory()[1] < 6e6
    tracemalloc.stop()


def test_reading_a_layout_takes_little_memory_and_loading_no_more_than_the_file(path):
    write_archive(path, {f"a{i}": np.zeros(500_000) for i in range(4)}, {})
    tracemalloc.start()
    read_layout(path)
    assert tracemalloc.get_traced_memory()[1] < 3e6
    tracemalloc.reset_peak()
    read_archive(path)
    assert tracemalloc.get_traced_memory()[1] < path.stat().st_size + 3e6
    tracemalloc.stop()


def test_changed_bytes_under_a_right_digest_give_an_archive_or_a_checkpoint_error(saved):
    """Also the files that this reader accepts hold no more than they are long."""
    original = saved.read_bytes()
    chance = random.Random(1)
    for position in range(len(original) - 64):
        content = bytearray(original)
        content[position] ^= 1 << chance.randrange(8)
        if chance.random() < 0.3:
            content[chance.randrange(len(content) - 64)] = chance.choice([0, 1, 0x7F, 0xFF])
        overwrite(saved, sealed(bytes(content)))
        try:
            metadata, arrays = read_archive(saved)
        except CheckpointError:
            continue
        assert isinstance(metadata, dict)
        assert sum(array.nbytes for array in arrays.values()) < len(original)


@settings(deadline=None, max_examples=50)
@given(header=st.text(st.characters(max_codepoint=255), max_size=80) | st.sampled_from(sorted(HEADERS.values())))
def test_any_header_gives_a_checkpoint_error(tmp_path_factory, header):
    path = tmp_path_factory.mktemp("any") / "any.npz"
    forge(path, ("W.npy", npy_header(header, bytes(12))))
    refused(path)
