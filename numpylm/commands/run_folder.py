"""A run's folder, which one run has to itself:

config.json          every choice that was made
last.npz, best.npz   checkpoints: where training stands, and the lowest validation loss so far
metrics.csv          one row for each part of an epoch (metrics.py)
learning_curve.png   drawn from it
summary.json         what came out
"""

import json
import math
import os
from contextlib import contextmanager
from pathlib import Path

from numpylm.data.atomic import lock, replacing
from numpylm.data.schema import MAX_JSON_BYTES, decode_json

CHECKPOINTS = ("last.npz", "best.npz")


class RunError(Exception):
    """A run that cannot start, resume or go on, with what to do about it."""


def check_free(folder):
    """Raises RunError if the folder holds a run's checkpoint, or is no folder. Without a checkpoint a run can begin."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; name a folder for the run (--out)")
    taken = [name for name in CHECKPOINTS if (folder / name).exists()]
    if taken:
        raise RunError(
            f"{folder} already holds a run ({', '.join(taken)}); "
            f"go on with it (--resume {folder}) or name another folder (--out)"
        )


def folder_of(trained):
    """The run's folder, given it or a checkpoint in it."""
    return Path(trained) if Path(trained).is_dir() else Path(trained).parent


def free_folder(parent, name):
    """parent/name, or parent/name-2, -3, …: the first that does not exist yet."""
    candidates = (Path(parent) / (name if k == 1 else f"{name}-{k}") for k in range(1, 10_000))
    return next(folder for folder in candidates if not folder.exists())


@contextmanager
def locked(folder):
    """While this context lasts, no other process can train in the folder. Raises RunError if one does already.

    The system ends the lock with the process, however it ends.
    """
    windows = os.name == "nt"  # a folder cannot be locked there, but a file in it
    descriptor = os.open(Path(folder) / ".lock", os.O_RDWR | os.O_CREAT) if windows else os.open(folder, os.O_RDONLY)
    try:
        try:
            lock(descriptor)
        except (BlockingIOError, PermissionError):
            raise RunError(f"another process is training in {folder}: wait until it has ended, or stop it") from None
        yield
    finally:
        os.close(descriptor)


def read_json(path):
    """The value in a small JSON file. Raises RunError if there is none."""
    try:
        with open(path, "rb") as file:
            return decode_json(file.read(MAX_JSON_BYTES + 1))
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"the folder {path.parent} holds no run: there is no {path}") from None
    except ValueError as error:
        raise RunError(f"{path} is damaged: {error}") from None


def check_new_file(path, *endings):
    """The path, if a new file, with one of these endings if there are any, can be written there; else RunError."""
    path = Path(path)
    if endings and path.suffix not in endings:
        raise RunError(f"{path} must end in {' or '.join(endings)}")
    if path.exists():
        raise RunError(f"{path} exists already; name a new file")
    if not path.parent.is_dir():
        raise RunError(f"{path} cannot be written: there is no folder {path.parent}")
    return path


def write_json(path, fields):
    """Writes fields as JSON, whole or not at all. Raises FileError."""
    write_whole(path, json.dumps(finite(fields), indent=2, allow_nan=False) + "\n")


def write_whole(path, text):
    """Writes a small text file: if it cannot, the old file stays. Raises FileError, which names the path."""
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def finite(fields):
    """The fields with None for every number that is not finite: JSON has no infinity."""
    if isinstance(fields, dict):
        return {name: finite(value) for name, value in fields.items()}
    return None if isinstance(fields, float) and not math.isfinite(fields) else fields
