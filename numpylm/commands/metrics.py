"""metrics.csv as a run writes it: data/metrics.py says what is in it, and reads it."""

import csv
from dataclasses import dataclass
from pathlib import Path

from numpylm.commands.run_folder import write_whole
from numpylm.data.atomic import FileError, one_error
from numpylm.data.metrics import COLUMNS, complete_lines
from numpylm.training import EpochReport

ROWS_PER_EPOCH = 20


@dataclass
class RunningMean:
    """Sums over the steps since the last row, and how many rows there are.

    A checkpoint keeps it, so that a resumed run neither loses a row nor writes one twice.
    """

    nats: float = 0.0
    norms: float = 0.0
    num_tokens: int = 0
    num_steps: int = 0
    learning_rate: float = 0.0
    num_rows: int = 0

    def add(self, report):
        """Takes in one training.StepReport."""
        self.nats += report.loss * report.num_tokens
        self.norms += report.norm
        self.num_tokens += report.num_tokens
        self.num_steps += 1
        self.learning_rate = report.learning_rate

    def begin_next_row(self):
        """Counts the row that has been written, and starts the sums again from zero."""
        self.__init__(learning_rate=self.learning_rate, num_rows=self.num_rows + 1)

    @property
    def loss(self):
        """Mean nats per target; None before the first step."""
        return self.nats / self.num_tokens if self.num_tokens else None

    @property
    def norm(self):
        """Mean gradient norm; None before the first step."""
        return self.norms / self.num_steps if self.num_steps else None


class MetricsFile:
    """Appends rows to metrics.csv, for a Task. A resumed run first removes the rows that are newer than its checkpoint:
    those that running does not count."""

    def __init__(self, path, running, task):
        self.path, self.running, self.task = Path(path), running, task
        kept = complete_lines(path)[1 : 1 + running.num_rows]
        running.num_rows = len(kept)
        write_whole(self.path, "".join(f"{line}\n" for line in (",".join(COLUMNS), *kept)))

    def take(self, progress, report):
        """Takes in a report of training; writes a row when it ends an epoch, or one of the parts of an epoch."""
        if isinstance(report, EpochReport):
            self._write(progress, report.valid_loss)
            return
        self.running.add(report)
        ends_part = progress.batch % max(1, self.task.num_batches // ROWS_PER_EPOCH) == 0
        if ends_part and progress.batch < self.task.num_batches:  # the epoch's last row waits for the validation
            self._write(progress)

    def _write(self, progress, valid_loss=None):
        row = row_of(progress, self.running, self.task, valid_loss)
        hint = "free some space, and go on with --resume"
        with one_error(self.path, hint, FileError), open(self.path, "a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)
        self.running.begin_next_row()


def row_of(progress, running, task, valid_loss):
    """One row, by column."""
    return {
        "step": progress.step,
        "epoch": round(progress.epoch + progress.batch / task.num_batches, 4),
        "tokens": progress.tokens,
        "seconds": round(progress.seconds, 3),
        "train_loss": running.loss,
        "valid_loss": valid_loss,
        "gradient_norm": running.norm,
        "learning_rate": running.learning_rate,
        "tokens_per_second": round(progress.tokens / progress.step_seconds) if progress.step_seconds else None,
        "loss_unit": f"nats per {task.unit}",
    }
