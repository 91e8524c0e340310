"""Runs of every kind of model: what differs between the kinds, and what a run's folder holds, which it has to itself.

config.json          every choice that was made: a RunConfig
last.npz, best.npz   checkpoints: where training stands, and the lowest validation loss so far
metrics.csv          one row for each part of an epoch (data/metrics.py)
learning_curve.png   drawn from it
summary.json         what came out
"""

import hashlib
import json
import math
import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from numpylm.commands.options import made
from numpylm.data.atomic import lock, replacing
from numpylm.data.schema import MAX_JSON_BYTES, check, decode_json, fields_of

CHECKPOINTS = ("last.npz", "best.npz")
# A kind's name -> the command that trains it, whose module has its KIND.
KINDS = {"language": "train", "translation": "translate", "speech": "transcribe", "answers": "answer"}


class RunError(Exception):
    """A run that cannot start, resume or go on, with what to do about it."""


class Kind(NamedTuple):
    """What differs between kinds of runs. options are those of the command that were given."""

    name: str  # "language", "translation", …: config.json says it
    command: str  # the command that trains it
    items: str  # what its data are counted in
    Settings: type  # three dataclasses of choices (base/choices.py): how to train,
    Model: type  # which model,
    Data: type  # on what
    run_name: Callable  # (config) -> the default name of its folder below runs/
    title: Callable  # (config) -> what its model is called
    open_data: Callable  # (config, vocabulary=None) -> ReadData; the vocabulary given is a resumed run's own
    make_model: Callable  # (config, data) -> a model with parameters(), config and sizes
    make_task: Callable  # (config, data) -> training.Task
    # A module, imported when a model has been trained. report(run, model) -> Report of the best model, prints what came
    # out. evaluate(model, vocabulary, folder, options, own) -> Report on the data that the options name, or on the test
    # part of own, the run's ReadData, if it is not None. use(path, choices) does what `command RUN …` is for.
    report: str
    complete: Callable = lambda config, options: config  # -> the config with the defaults that depend on others
    Use: type | None = None  # a dataclass of choices for report.use; None if other commands use such a run


class ReadData(NamedTuple):
    """What a run reads. parts has what is in "train", "valid", "test"; source is what it was read from, if needed."""

    name: str
    fingerprint: str  # sha256 of all that was read
    vocabulary: Any
    parts: dict
    source: Any = None


class Report(NamedTuple):
    """What a model does on test data: the fields of summary.json or of `evaluate --json`, the arguments of print_table,
    the mean nats per target, and what its learning curve is compared with, name -> perplexity."""

    fields: dict
    table: tuple
    loss: float | None = None
    reference: dict | None = None


@dataclass(frozen=True)
class RunConfig:
    """Every choice of a run: the kind of task, and the kind's own Model, Settings and Data. data_sha256 is the data's
    fingerprint when the run began."""

    task: str
    model: Any
    settings: Any
    data: Any
    data_sha256: str = ""


def digest(pieces):
    """The fingerprint of data from its pieces, bytes or texts."""
    whole = (piece if isinstance(piece, bytes) else piece.encode("utf-8", "surrogatepass") for piece in pieces)
    return hashlib.sha256(b"".join(whole)).hexdigest()


def find_kind(name):
    """The Kind of that name. Raises RunError if there is none."""
    if name not in KINDS:
        raise RunError(f"there is no kind of run {name!r}; there are {', '.join(KINDS)}")
    return import_module(f"numpylm.commands.{KINDS[name]}").KIND


def write_config(folder, config):
    """Writes a RunConfig as config.json."""
    write_json(Path(folder) / "config.json", asdict(config))


def read_config(folder):
    """The RunConfig of a folder. Raises RunError if there is none, or it is damaged."""
    path = Path(folder) / "config.json"
    read = read_json(path)
    try:
        kind = find_kind(read.get("task") if type(read) is dict else None)
        classes = {"model": kind.Model, "settings": kind.Settings, "data": kind.Data}
        check("the configuration", read, fields_of(RunConfig, **{name: fields_of(classes[name]) for name in classes}))
        return RunConfig(**read | {name: made(cls, read[name]) for name, cls in classes.items()})
    except (ValueError, TypeError, RunError) as error:
        raise RunError(f"{path} is damaged, or another version of numpylm wrote it: {error}") from None


def free_folder(parent, name):
    """parent/name, or parent/name-2, -3, …: the first that does not exist yet."""
    candidates = (Path(parent) / (name if k == 1 else f"{name}-{k}") for k in range(1, 10_000))
    return next(folder for folder in candidates if not folder.exists())


def check_free(folder):
    """Raises RunError if the folder holds a run's checkpoint, or is no folder. Without a checkpoint a run can begin."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; name a folder for the run (--out)")
    taken = ", ".join(name for name in CHECKPOINTS if (folder / name).exists())
    if taken:
        advice = f"go on with it (--resume {folder}) or name another folder (--out)"
        raise RunError(f"{folder} already holds a run ({taken}); {advice}")


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


# Files


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


def read_json(path):
    """The value in a small JSON file. Raises RunError if there is none."""
    try:
        with open(path, "rb") as file:
            return decode_json(file.read(MAX_JSON_BYTES + 1))
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"the folder {path.parent} holds no run: there is no {path}") from None
    except ValueError as error:
        raise RunError(f"{path} is damaged: {error}") from None


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
