"""A kind of model that can be trained: what its runs need beside what all runs have in common (run.py)."""

import hashlib
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from numpylm.commands.run_folder import RunError

KINDS = {  # kind's name -> the module with its KIND
    "language": "numpylm.commands.language",
    "translation": "numpylm.commands.translation",
    "speech": "numpylm.commands.transcription",
    "answers": "numpylm.commands.answering",
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
    command        the command that trains and uses it
    Settings       three dataclasses of choices (choices.py): how to train,
    Model          which model,
    Data           on what
    run_name       (config) -> the default name of its folder below runs/
    open_data      (config, vocabulary=None) -> a record with name, fingerprint (sha256 of all that is read) and
                   vocabulary; the vocabulary given is a resumed run's own
    make_model     (config, data) -> a model with parameters() and config
    make_task      (config, data) -> training.Task
    describe       (run) -> pairs (word, text) printed at the start
    report         a module, imported at a run's end. report(run, model) -> Report of the best model, prints what came
                   out. evaluate(model, vocabulary, folder, text) -> (fields, a function that prints them): the measures
                   on the file text, or if it is None on the test part of the run in the folder
    complete       (config, options) -> the config with the defaults that depend on others; options are those given
    """

    name: str
    command: str
    Settings: type
    Model: type
    Data: type
    run_name: Callable
    open_data: Callable
    make_model: Callable
    make_task: Callable
    describe: Callable
    report: str
    complete: Callable = lambda config, options: config


class Report(NamedTuple):
    """What a finished run reports: fields of summary.json, and title and reference lines of the learning curve.

    test_loss is in nats per target; next_command is printed with the run's folder behind it.
    """

    summary: dict
    title: str
    reference: dict
    test_loss: float | None = None
    next_command: str = "info"


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
