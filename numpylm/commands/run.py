"""A training run: what every training command does in the run's folder (run_folder.py), for every kind of model.

A run can be stopped at any step and resumed: it goes on bit for bit as if it had never stopped. best.npz is written
before last.npz, and a row of metrics.csv before the last.npz that counts it, so that this holds for a killed run too.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numpylm.checkpoint import load_checkpoint, read_contents, save_checkpoint
from numpylm.commands.console import ProgressBar
from numpylm.commands.interrupts import Interrupts
from numpylm.commands.kind import Kind, find_kind
from numpylm.commands.metrics import MetricsFile, RunningMean
from numpylm.commands.run_config import RunConfig, read_config, write_config
from numpylm.commands.run_folder import RunError, check_free, locked
from numpylm.commands.run_record import record_of, restore
from numpylm.data.metrics import read_metrics
from numpylm.initialization import redraw_uniform
from numpylm.optimizers import Optimizer
from numpylm.training import EpochReport, Progress, Task, TrainingDiverged, make_optimizer, out_of_time, training

SAVE_SECONDS = 60


class Run(NamedTuple):
    """A run in memory: its folder and choices, its data and Task, and all that training changes."""

    folder: Path
    kind: Kind
    config: RunConfig
    data: Any  # what kind.open_data returned
    task: Task
    model: Any
    optimizer: Optimizer
    progress: Progress
    running: RunningMean


class RunDiverged(RunError):
    """A run whose loss became NaN or infinite."""

    status = 1  # the command's exit status


def start_run(folder, kind, config):
    """A new Run in a folder that holds none yet. Raises RunError if it does, ValueError where the data are too few."""
    folder = Path(folder)
    check_free(folder)
    data = kind.open_data(config)
    config = replace(config, data_sha256=data.fingerprint)
    task = kind.make_task(config, data)
    model = kind.make_model(config, data)
    seed, uniform_range = config.settings.seed, getattr(config.model, "uniform_range", None)
    if uniform_range is not None:
        redraw_uniform(np.random.default_rng([seed, 3]), model.parameters(), uniform_range)
    progress = Progress(np.random.default_rng([seed, 1]))
    optimizer = make_optimizer(config.settings)
    run = Run(folder, kind, config, data, task, model, optimizer, progress, RunningMean())
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        check_free(folder)  # again: another run may have begun there in the meantime
        (folder / "metrics.csv").unlink(missing_ok=True)
        write_config(folder, config)
        save(run)
    return run


def resume_run(folder, epochs=None, minutes=None, places=None):
    """The Run in a folder as it stood at its last checkpoint. epochs and minutes replace the run's own; places (names
    of the kind's Data -> paths) say where its data are now.

    Raises RunError where there is no run, where its data have gone or changed, and for fewer epochs than it has done.
    """
    folder = Path(folder)
    config = read_config(folder)
    kind = find_kind(config.task)
    if not (folder / "last.npz").exists():
        raise RunError(f"{folder} holds no last.npz to resume from: begin its run again (--out {folder})")
    if epochs is not None or minutes is not None:
        config = replace(config, settings=replace(config.settings, epochs=epochs, minutes=minutes))
    config = replace(config, data=replace(config.data, **places or {}))
    model, vocabulary, record = load_checkpoint(folder / "last.npz")
    if record is None:
        raise RunError(f"{folder / 'last.npz'} holds a model but no training to go on with")
    data = open_same_data(folder, kind, config, vocabulary)
    task = kind.make_task(config, data)
    optimizer, progress, running = restore(record, config.settings, model, task.num_batches)
    check_epochs(epochs, progress)
    with locked(folder):
        write_config(folder, config)
    return Run(folder, kind, config, data, task, model, optimizer, progress, running)


def open_same_data(folder, kind, config, vocabulary):
    """The data of a run that goes on. Raises RunError, which says what can be done, where they have gone or changed."""
    from numpylm.commands.options import place_flags

    again = " ".join(f"{flag} NEW_PLACE" for flag in place_flags(kind.Data, config.data))
    try:
        data = kind.open_data(config, vocabulary)
    except FileNotFoundError as error:
        raise RunError(f"{error}. If the data have moved, say where they are: --resume {folder} {again}") from None
    if data.fingerprint != config.data_sha256:
        raise RunError(
            f"the data of this run, {data.name}, have changed since it started, so that it cannot go on. Restore them, "
            f"or name an unchanged copy (--resume {folder} {again}), or begin a new run; best.npz can be used as it is"
        )
    return data


def check_epochs(epochs, progress):
    """Raises RunError when a run is told to end before the point where it is."""
    begun = progress.epoch + (progress.batch > 0)
    if epochs is not None and epochs < begun:
        raise RunError(
            f"the run is in epoch {begun} already, and --epochs counts from the run's beginning; got --epochs {epochs}"
        )


def train(run, show_progress=True):
    """Trains to the end of the settings; False if it was interrupted. Saves at each epoch's end, every minute, and when
    it is interrupted. Raises RunDiverged when the loss becomes NaN or infinite."""
    with locked(run.folder):
        if is_finished(run):
            return True
        metrics = MetricsFile(run.folder / "metrics.csv", run.running, run.task)
        with (
            quiet_overflow(),
            Interrupts() as interrupts,
            ProgressBar(run.config.settings, run.progress, run.task, show_progress) as bar,
        ):
            return _train(run, metrics, interrupts, bar)


def _train(run, metrics, interrupts, bar):
    saved_at = time.monotonic()
    for report in reports(run):
        metrics.take(run.progress, report)
        validated, interrupted = isinstance(report, EpochReport), interrupts.requested
        if validated or interrupted or time.monotonic() - saved_at > SAVE_SECONDS:
            save(run, is_best=validated and report.is_best)
            saved_at = time.monotonic()
        bar.show(run.progress, report)
        if interrupted:
            return False
    return True


def is_finished(run):
    """Whether nothing is left of a resumed run: its epochs are done, or its minutes, and the validation after them."""
    settings, progress = run.config.settings, run.progress
    if settings.epochs is not None and progress.epoch >= settings.epochs:
        return True
    rows = read_metrics(run.folder / "metrics.csv")
    validated = rows and rows[-1]["step"] == progress.step and rows[-1]["valid_loss"] is not None
    return out_of_time(settings, progress) and bool(validated)


def quiet_overflow():
    """While this context lasts, NumPy does not warn of overflow: a loss that diverges is reported once, in words."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def reports(run):
    """training's reports; a divergence becomes a RunDiverged that says what was kept and what to try."""
    try:
        yield from training(run.task, run.model, run.optimizer, run.config.settings, run.progress)
    except TrainingDiverged as error:
        raise RunDiverged(f"training diverged at {error}.\n{what_to_try(run)}") from None


def what_to_try(run):
    """What was kept of a training that diverged, and what may help."""
    last, settings = run.folder / "last.npz", run.config.settings
    saved_step = read_contents(last)[0]["training"]["step"]
    other_model = "" if run.config.model.model == "lstm" else ", or --model lstm"
    return (
        f"The last good checkpoint is {last}, of step {saved_step}.\n"
        f"Begin again in another folder with a smaller --learning-rate (it was {settings.learning_rate:g}), "
        f"a smaller --clip (it was {settings.max_norm:g}){other_model}."
    )


def save(run, is_best=False):
    """Writes last.npz, after best.npz when it is the best: killed in between, a resumed run writes the same again."""
    vocabulary = run.data.vocabulary
    if is_best:
        save_checkpoint(run.folder / "best.npz", run.model, vocabulary)
    record = record_of(run.optimizer, run.progress, run.running)
    save_checkpoint(run.folder / "last.npz", run.model, vocabulary, record)
