"""A kind of model that can be trained: what its runs need beside what all runs have in common (run.py)."""

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
    complete       (config, options) -> the config with what was left open: whole paths, defaults that depend on others;
                   options are those that were given
    run_name       (config) -> the default name of its folder below runs/
    open_data      (config, vocabulary=None) -> a record with name, fingerprint (sha256 of all that is read) and
                   vocabulary; the vocabulary given is a resumed run's own
    make_model     (config, data) -> a model with parameters() and config
    make_task      (config, data) -> training.Task
    describe       (run) -> pairs (word, text) printed at the start
    report         (run, model) -> Report of the best model; prints what came out
    evaluate       (path, options) -> exit status, for `evaluate RUN`; None if there is no such measure
    """

    name: str
    command: str
    Settings: type
    Model: type
    Data: type
    complete: Callable
    run_name: Callable
    open_data: Callable
    make_model: Callable
    make_task: Callable
    describe: Callable
    report: Callable
    evaluate: Callable | None = None


class Report(NamedTuple):
    """What a finished run reports: fields of summary.json, and title and reference lines of the learning curve.

    test_loss is in nats per target; next_command is printed with the run's folder behind it.
    """

    summary: dict
    title: str
    reference: dict
    test_loss: float | None = None
    next_command: str = "info"


def imported_late(module, function):
    """A function of another module, which is imported at the first call: at a run's end, not when it is begun."""
    return lambda *arguments: getattr(import_module(module), function)(*arguments)


def find_kind(name):
    """The Kind of that name. Raises RunError if there is none."""
    if name not in KINDS:
        raise RunError(f"there is no kind of run {name!r}; there are {', '.join(KINDS)}")
    return import_module(KINDS[name]).KIND
