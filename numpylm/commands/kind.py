"""A kind of model that can be trained: what its runs need beside what all runs have in common (run.py); and the choices
of a run, which its config.json keeps."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from numpylm.commands.run_folder import RunError, read_json, write_json
from numpylm.data.schema import check, fields_of

KINDS = {  # kind's name -> the module with its KIND
    "language": "numpylm.commands.train",
    "translation": "numpylm.commands.translate",
    "speech": "numpylm.commands.transcribe",
    "answers": "numpylm.commands.answer",
}
MODELS = {  # what a checkpoint says of its model -> the kind's name; of any other model it is "language"
    "encoder-decoder": "translation",
    "acoustic": "speech",
    "memory-network": "answers",
    "reader": "answers",
}


class Kind(NamedTuple):
    """What differs between kinds of runs.

    name           "language", "translation", …: config.json says it
    command        the command that trains it
    items          what its data are counted in
    Settings       three dataclasses of choices (base/choices.py): how to train,
    Model          which model,
    Data           on what
    run_name       (config) -> the default name of its folder below runs/
    title          what its models are called, with {} for the cell
    open_data      (config, vocabulary=None) -> ReadData; the vocabulary given is a resumed run's own
    make_model     (config, data) -> a model with parameters(), config and sizes
    make_task      (config, data) -> training.Task
    report         a module, imported when a model has been trained. report(run, model) -> Report of the best model,
                   prints what came out. evaluate(model, vocabulary, folder, options) -> Report on the data that the
                   command's options name, or if they name none on the test part of the run in the folder.
                   use(path, choices) does what `command RUN …` is for
    complete       (config, options) -> the config with the defaults that depend on others; options are those given
    Use            a dataclass of choices for report.use; None if other commands use such a run
    """

    name: str
    command: str
    items: str
    Settings: type
    Model: type
    Data: type
    run_name: Callable
    title: str
    open_data: Callable
    make_model: Callable
    make_task: Callable
    report: str
    complete: Callable = lambda config, options: config
    Use: type | None = None


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


def title(run):
    """What a run's model is called: LSTM language model, memory network, …"""
    cell = run.config.model.model
    return "memory network" if cell == "memory" else run.kind.title.format(cell.upper())


def digest(pieces):
    """The fingerprint of data from its pieces, which are bytes."""
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()


def find_kind(name):
    """The Kind of that name. Raises RunError if there is none."""
    if name not in KINDS:
        raise RunError(f"there is no kind of run {name!r}; there are {', '.join(KINDS)}")
    return import_module(KINDS[name]).KIND


@dataclass(frozen=True)
class RunConfig:
    """Every choice of a run: the kind of task, and the kind's own Model, Settings and Data. data_sha256 is the data's
    fingerprint when the run began."""

    task: str
    model: Any
    settings: Any
    data: Any
    data_sha256: str = ""


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
        described = fields_of(RunConfig, **{name: fields_of(cls) for name, cls in classes.items()})
        check("the configuration", read, described)
        return RunConfig(**read | {name: from_json(cls, read[name]) for name, cls in classes.items()})
    except (ValueError, TypeError, RunError) as error:
        raise RunError(f"{path} is damaged, or another version of numpylm wrote it: {error}") from None


def from_json(cls, read):
    """A dataclass of the fields that JSON held; its lists become tuples."""
    return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in read.items()})
