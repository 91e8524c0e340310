"""A file is written whole or not at all: a failure or a kill leaves the old one, and every error names its file."""

import errno
import os
import pickle
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_archive import load, save

from numpylm.data import atomic
from numpylm.data.archive import CheckpointError
from numpylm.data.atomic import FileError, lock, one_error, replacing

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "last.npz"


@pytest.fixture
def saved(path):
    return save(path)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("owner, name", [(np.lib.format, "write_array"), (os, "fsync"), (os, "replace")])
def test_a_failure_keeps_the_old_file(saved, monkeypatch, owner, name, error):
    def fail(*arguments, **options):
        raise error

    before = saved.read_bytes()
    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(CheckpointError if isinstance(error, OSError) else KeyboardInterrupt) as caught:
        save(saved, {"parameter.W": np.ones(50_000)})
    if isinstance(error, OSError):
        assert str(caught.value).startswith(f"{saved}: No space left on device; nothing was written")
    assert saved.read_bytes() == before and os.listdir(saved.parent) == [saved.name]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_everything_is_synced_before_the_rename_and_the_folder_after(path, monkeypatch):
    events, fsync, replace = [], os.fsync, os.replace

    def record_fsync(descriptor):
        target = Path(f"/proc/self/fd/{descriptor}")
        events.append("folder" if target.is_dir() else target.read_bytes())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", lambda old, new: events.append("rename") or replace(old, new))
    save(path)
    assert events == [path.read_bytes(), "rename", "folder"]


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_writer_leaves_a_whole_file(path):
    code = (
        "import sys, test_atomic as t, numpy as np\n"
        "for step in range(10**6):\n"
        "    t.save(t.Path(sys.argv[1]), {'a': np.full(200_000, step)}, {'step': step}); print(step, flush=True)"
    )
    chance, environment = random.Random(0), os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", code, path], env=environment, stdout=subprocess.PIPE) as writer:
            announced = int(writer.stdout.readline())
            time.sleep(chance.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
            announced = int((writer.stdout.read().split() or [announced])[-1])
        metadata, arrays = load(path, {"a": ((200_000,), np.dtype(int))})
        assert metadata["step"] in (announced, announced + 1) and (arrays["a"] == metadata["step"]).all()


@pytest.mark.skipif(atomic.fcntl is None, reason="needs locks on files")
def test_the_rest_of_a_killed_writer_is_removed_and_a_living_ones_is_not(path, monkeypatch):
    (path.parent / ".numpylm-0123.tmp").write_bytes(b"of a killed writer")
    with open(path.parent / ".numpylm-4567.tmp", "wb") as living:
        lock(living.fileno())
        save(path)
        assert len(os.listdir(path.parent)) == 3, "a new one is left alone: its writer may be about to lock it"
        monkeypatch.setattr(time, "time", lambda: 61 + os.stat(path.parent / ".numpylm-4567.tmp").st_mtime)
        save(path)
        assert sorted(os.listdir(path.parent)) == [".numpylm-4567.tmp", path.name]


def test_a_link_is_replaced_and_the_new_file_has_ordinary_permissions(tmp_path):
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "last.npz").symlink_to(tmp_path / "target")
    save(tmp_path / "last.npz")
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert (tmp_path / "last.npz").stat().st_mode == (tmp_path / "target").stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices have other names")
def test_a_device_or_a_pipe_stays_what_it_is(tmp_path):
    """Root may replace /dev/null: then every program of the machine writes into a file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    for name in ("pipe", "link"):
        with pytest.raises(FileError, match=f"{name}: it is a device or a pipe, where a file belongs"):
            save(tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode) and (tmp_path / "link").is_symlink()


def test_every_error_names_its_file(tmp_path):
    for bad in (tmp_path / "missing" / "a.npz", tmp_path):
        with pytest.raises(FileError, match=str(bad)), replacing(bad) as file:
            file.write(b"a")
    with pytest.raises(ValueError, match=r"^of the content$"), replacing(tmp_path / "a") as file:
        raise ValueError("of the content")
    with pytest.raises(FileError, match="a: it does not fit into memory"), one_error("a", "hint"):
        raise MemoryError
    error = pickle.loads(pickle.dumps(CheckpointError("a.npz", "it is empty", "save it again")))
    assert str(error) == "a.npz: it is empty; save it again" and not isinstance(error, ValueError | OSError)
    assert (os.listdir(tmp_path) == [] and atomic.fcntl is not None) or os.name != "posix"
