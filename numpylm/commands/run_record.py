"""What a run keeps of its training: the rows of metrics.csv (data/metrics.py says what is in them), and a checkpoint's
TrainingRecord of Progress, optimizer and Metrics, from which it goes on."""

import csv
from dataclasses import dataclass

import numpy as np

from numpylm.checkpoint import TrainingRecord
from numpylm.commands.run_folder import RunError, write_whole
from numpylm.data.atomic import FileError, one_error
from numpylm.data.metrics import COLUMNS, complete_lines
from numpylm.data.schema import check, fields_of
from numpylm.training import EpochReport, Progress, make_optimizer

ROWS_PER_EPOCH = 20


@dataclass
class Metrics:
    """The sums since the last row of metrics.csv, and how many rows there are.

    A checkpoint keeps it, so that a resumed run neither loses a row nor writes one twice.
    """

    nats: float = 0.0
    norms: float = 0.0
    num_tokens: int = 0
    num_steps: int = 0
    learning_rate: float = 0.0
    num_rows: int = 0

    def cut(self, path):
        """Removes the rows that are newer than the checkpoint: those that it does not count."""
        kept = complete_lines(path)[1 : 1 + self.num_rows]
        self.num_rows = len(kept)
        write_whole(path, "".join(f"{line}\n" for line in (",".join(COLUMNS), *kept)))

    def take(self, path, task, progress, report):
        """Takes in a report of training; writes a row when it ends an epoch, or one of the parts of an epoch."""
        if isinstance(report, EpochReport):
            self._write(path, task, progress, report.valid_loss)
            return
        self.nats += report.loss * report.num_tokens
        self.norms += report.norm
        self.num_tokens += report.num_tokens
        self.num_steps += 1
        self.learning_rate = report.learning_rate
        ends_part = progress.batch % max(1, task.num_batches // ROWS_PER_EPOCH) == 0
        if ends_part and progress.batch < task.num_batches:  # the epoch's last row waits for the validation
            self._write(path, task, progress)

    def _write(self, path, task, progress, valid_loss=None):
        row = {
            "step": progress.step,
            "epoch": round(progress.epoch + progress.batch / task.num_batches, 4),
            "tokens": progress.tokens,
            "seconds": round(progress.seconds, 3),
            "train_loss": self.nats / self.num_tokens if self.num_tokens else None,
            "valid_loss": valid_loss,
            "gradient_norm": self.norms / self.num_steps if self.num_steps else None,
            "learning_rate": self.learning_rate,
            "tokens_per_second": tokens_per_second(progress),
            "loss_unit": f"nats per {task.unit}",
        }
        hint = "free some space, and go on with --resume"
        with one_error(path, hint, FileError), open(path, "a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)
        self.__init__(learning_rate=self.learning_rate, num_rows=self.num_rows + 1)  # the sums start again


def tokens_per_second(progress):
    """Over all training steps so far; None before the first one."""
    return round(progress.tokens / progress.step_seconds) if progress.step_seconds else None


def record_of(optimizer, progress, metrics):
    """All that training depends on beside the parameters, as a TrainingRecord."""
    slots = optimizer.memory.items()
    arrays = {f"optimizer.{slot}.{name}": array for slot, by_name in slots for name, array in by_name.items()}
    for layer, state in enumerate(progress.carried or ()):
        arrays |= {f"carried.{layer}.{name}": array for name, array in state._asdict().items()}
    kept = {name: value for name, value in vars(progress).items() if name not in ("rng", "carried")} | {
        "rng": progress.rng.bit_generator.state,
        "num_streams": len(progress.carried[0][0]) if progress.carried else 0,
        "optimizer": type(optimizer).__name__.lower(),
        "running": vars(metrics),
    }
    return TrainingRecord(arrays, kept)


def restore(record, settings, model, num_batches):
    """The optimizer, Progress and Metrics of a record that load_checkpoint has checked. Raises RunError if they
    contradict the settings, the data, or one another."""
    read = dict(record.fields)
    rng = np.random.default_rng()
    optimizer = make_optimizer(settings)
    rng.bit_generator.state = read.pop("rng")
    num_streams, trained_by = read.pop("num_streams"), read.pop("optimizer")
    try:
        metrics = Metrics(**check("running", read.pop("running"), fields_of(Metrics)))
        progress = Progress(rng, **read)
        epoch, batch, step, validations = progress.epoch, progress.batch, progress.step, len(progress.valid_losses)
        if not batch <= min(num_batches, step):
            raise ValueError(f"batch is {batch}, in step {step}, of {num_batches} batches in an epoch")
        if not epoch <= min(validations, step):
            raise ValueError(f"{epoch} epochs, {validations} validations, {step} steps")
        if trained_by != settings.optimizer:
            raise ValueError(f"it was trained by {trained_by}, and the run's settings say {settings.optimizer}")
    except ValueError as error:
        raise RunError(f"the checkpoint's record of its training cannot be right: {error}") from None
    optimizer.num_steps = progress.step
    for name, array in record.arrays.items():
        owner, slot, parameter = name.split(".", 2)
        if owner == "optimizer":
            optimizer.memory[slot][parameter] = array
    if num_streams:  # else at an epoch's beginning
        progress.carried = tuple(
            type(state)(*[record.arrays[f"carried.{layer}.{field}"] for field in state._fields])
            for layer, state in enumerate(model.initial_state(num_streams))
        )
    return optimizer, progress, metrics
