"""A training run: what every training command does in the run's folder (run_folder.py), for every kind of model.

A run can be stopped at any step and resumed: it goes on bit for bit as if it had never stopped. best.npz is written
before last.npz, and a row of metrics.csv before the last.npz that counts it, so that this holds for a killed run too.
"""

import math
import time
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numpylm.base.data_parallel import all_rows, data_parallel, own_rows
from numpylm.base.ranks import ALONE, checksum
from numpylm.checkpoint import load_checkpoint, read_contents, save_checkpoint
from numpylm.commands.console import ProgressBar
from numpylm.commands.options import flag
from numpylm.commands.process import Interrupts
from numpylm.commands.run_folder import RunConfig, RunError, check_free, find_kind, locked, read_config, write_config
from numpylm.commands.run_record import Metrics, record_of, restore
from numpylm.commands.trained import kind_of
from numpylm.data.metrics import read_metrics
from numpylm.evaluation import safe_exp
from numpylm.initialization import redraw_uniform
from numpylm.optimizers import Optimizer
from numpylm.training import EpochReport, Progress, Task, TrainingDiverged, make_optimizer, out_of_time, training

SAVE_SECONDS = 60


class Run(NamedTuple):
    """A run in memory: its folder and choices, its data and Task, and all that training changes."""

    folder: Path
    kind: Any  # a Kind
    config: RunConfig
    data: Any  # what kind.open_data returned
    task: Task
    model: Any
    optimizer: Optimizer
    progress: Progress
    metrics: Metrics
    ranks: Any = ALONE  # the processes that train together


class RunDiverged(RunError):
    """A run whose loss became NaN or infinite."""

    status = 1  # the command's exit status


def check_finite(name, loss, perplexity, advice):
    """Raises RunDiverged for a loss that is no number, or so large that its perplexity is infinite."""
    if loss is not None and not math.isfinite(safe_exp(loss) if perplexity else loss):
        raise RunDiverged(f"{name} is {loss:.3g} nats{advice}")


def start_run(folder, kind, config, ranks=ALONE):
    """A new Run in a folder that holds none yet. Raises RunError if it does, ValueError where the data are too few."""
    folder = Path(folder)
    ranks.on_first(lambda: check_free(folder))
    data = ranks.on_each(lambda: kind.open_data(config))
    config = replace(config, data_sha256=data.fingerprint)
    task = shared_task(kind, config, data, ranks)
    model = kind.make_model(config, data)
    seed, uniform_range = config.settings.seed, getattr(config.model, "uniform_range", None)
    if uniform_range is not None:
        redraw_uniform(np.random.default_rng([seed, 3]), model.parameters(), uniform_range)
    progress = Progress(np.random.default_rng([seed, 1]))
    optimizer = make_optimizer(config.settings)
    run = Run(folder, kind, config, data, task, model, optimizer, progress, Metrics(), ranks)
    with ExitStack() as stack:
        ranks.on_first(lambda: claim(folder, config, stack))
        save(run)
    return run


def shared_task(kind, config, data, ranks):
    """The Task of a rank. Raises RanksDiffer unless all ranks read the same data, and train alike."""
    ranks.require_same("the data", config.data_sha256)
    ranks.require_same("the options", repr((config.model, config.settings)))
    return data_parallel(kind.make_task(config, data), ranks)


def claim(folder, config, stack):
    """Makes the folder of a new run, and locks it until the stack ends."""
    folder.mkdir(parents=True, exist_ok=True)
    stack.enter_context(locked(folder))
    check_free(folder)  # again: another run may have begun there in the meantime
    write_config(folder, config)


def resume_run(folder, epochs=None, minutes=None, places=None, ranks=ALONE):
    """The Run in a folder as it stood at its last checkpoint. epochs and minutes replace the run's own; places (names
    of the kind's Data -> paths) say where its data are now.

    Raises RunError where there is no run, where its data have gone or changed, and for fewer epochs than it has done.
    """
    folder = Path(folder)
    config = ranks.on_each(lambda: read_config(folder))
    kind = find_kind(config.task)
    model, vocabulary, record = ranks.on_each(lambda: load_last(folder))
    if epochs is not None or minutes is not None:
        config = replace(config, settings=replace(config.settings, epochs=epochs, minutes=minutes))
    config = replace(config, data=replace(config.data, **places or {}))
    data = ranks.on_each(lambda: open_same_data(folder, kind, config, vocabulary))
    task = shared_task(kind, config, data, ranks)
    optimizer, progress, metrics = restore(record, config.settings, model, task.num_batches)
    ranks.require_same("the checkpoint", (progress.step, checksum(model.parameters().values())))
    begun = progress.epoch + (progress.batch > 0)
    if epochs is not None and epochs < begun:
        counted = "--epochs counts from the run's beginning"
        raise RunError(f"the run is in epoch {begun} already, and {counted}; got --epochs {epochs}")
    if progress.carried is not None:
        progress.carried = own_rows(ranks, progress.carried)
    with ExitStack() as stack:  # nobody else may train here meanwhile
        ranks.on_first(lambda: (stack.enter_context(locked(folder)), write_config(folder, config)))
    return Run(folder, kind, config, data, task, model, optimizer, progress, metrics, ranks)


def load_last(folder):
    """The Checkpoint last.npz of a run. Raises RunError where there is none, or nothing to go on with."""
    if not (folder / "last.npz").exists():
        raise RunError(f"{folder} holds no last.npz to resume from: begin its run again (--out {folder})")
    for trained in (folder, folder / "last.npz"):  # best.npz and last.npz must both be of the run's kind
        kind_of(trained)
    checkpoint = load_checkpoint(folder / "last.npz")
    if checkpoint.training is None:
        raise RunError(f"{folder / 'last.npz'} holds a model but no training to go on with")
    return checkpoint


def open_same_data(folder, kind, config, vocabulary):
    """The data of a run that goes on. Raises RunError, which says what can be done, where they have gone or changed."""
    places = (field for field in fields(kind.Data) if field.metadata["place"] and getattr(config.data, field.name))
    again = " ".join(f"{flag(field)} NEW_PLACE" for field in places)
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


def train(run):
    """Trains to the end of the settings; False if it was interrupted. Saves at each epoch's end, every minute, and when
    it is interrupted. Raises RunDiverged when the loss becomes NaN or infinite."""
    ranks, saved_at = run.ranks, time.monotonic()
    with ExitStack() as stack:
        ranks.on_first(lambda: stack.enter_context(locked(run.folder)))
        if ranks.on_first(lambda: is_finished(run)):
            return True
        stack.enter_context(np.errstate(over="ignore", invalid="ignore", divide="ignore"))  # reports says it in words
        interrupts = stack.enter_context(Interrupts())
        bar = stack.enter_context(ProgressBar(run.config.settings, run.progress, run.task))
        rows = run.folder / "metrics.csv"
        if ranks.rank == 0:
            run.metrics.cut(rows)
        for report in reports(run):
            if ranks.rank == 0:
                run.metrics.take(rows, run.task, run.progress, report)
            validated = isinstance(report, EpochReport)
            interrupted, due = ranks.any(interrupts.requested, time.monotonic() - saved_at > SAVE_SECONDS)
            if validated or interrupted or due:
                save(run, is_best=validated and report.is_best)
                saved_at = time.monotonic()
            bar.show(run.progress, report)
            if interrupted:
                return False
    return True


def is_finished(run):
    """Whether a resumed run has nothing left to do: its epochs, or its minutes and the last validation, are over."""
    settings, progress = run.config.settings, run.progress
    if settings.epochs is not None and progress.epoch >= settings.epochs:
        return True
    rows = out_of_time(settings, progress) and read_metrics(run.folder / "metrics.csv")
    return bool(rows) and rows[-1]["step"] == progress.step and rows[-1]["valid_loss"] is not None


def reports(run):
    """training's reports; a divergence becomes a RunDiverged that says what was kept and what to try."""
    try:
        yield from training(run.task, run.model, run.optimizer, run.config.settings, run.progress, run.ranks.clock)
    except TrainingDiverged as error:
        last, settings = run.folder / "last.npz", run.config.settings
        step = run.ranks.on_first(lambda: read_contents(last)[0]["training"]["step"])
        other_model = "" if run.config.model.model in ("lstm", "memory") else ", or --model lstm"
        raise RunDiverged(
            f"training diverged at {error}.\nThe last good checkpoint is {last}, of step {step}.\n"
            f"Begin again in another folder with a smaller --learning-rate (it was {settings.learning_rate:g}), "
            f"a smaller --clip (it was {settings.max_norm:g}){other_model}."
        ) from None


def save(run, is_best=False):
    """Writes last.npz, after best.npz when it is the best: killed in between, a resumed run writes the same again.

    Of several ranks the first one writes. Raises RanksDiffer if their parameters differ by a bit.
    """
    run.ranks.require_same("the parameters", checksum(run.model.parameters().values()))
    carried = all_rows(run.ranks, run.progress.carried, run.config.settings.batch_size)
    record = record_of(run.optimizer, replace(run.progress, carried=carried), run.metrics)

    def write():
        if is_best:
            save_checkpoint(run.folder / "best.npz", run.model, run.data.vocabulary)
        save_checkpoint(run.folder / "last.npz", run.model, run.data.vocabulary, record)

    run.ranks.on_first(write)
