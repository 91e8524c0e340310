"""metrics.csv: how a run went, a row for each part of an epoch.

step, epoch, tokens     how far training is; epoch is a decimal number, tokens counts all that were predicted
seconds                 spent in training and validation
train_loss              mean nats per token since the row before; empty if there was no step since
valid_loss              nats per token on the validation text, in the row that ends an epoch; else empty
gradient_norm           mean global norm before clipping since the row before
learning_rate           of the last step
tokens_per_second       over all training steps so far
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

from numpylm.training import EpochReport

ROWS_PER_EPOCH = 20
COLUMNS = (
    *("step", "epoch", "tokens", "seconds", "train_loss", "valid_loss"),
    *("gradient_norm", "learning_rate", "tokens_per_second"),
)


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
        """Mean nats per token; None before the first step."""
        return self.nats / self.num_tokens if self.num_tokens else None

    @property
    def norm(self):
        """Mean gradient norm; None before the first step."""
        return self.norms / self.num_steps if self.num_steps else None


class MetricsFile:
    """Appends rows to metrics.csv, where num_windows make an epoch.

    Rows that running does not count, from before a resumption, are taken away first.
    """

    def __init__(self, path, running, num_windows):
        self.path, self.running, self.num_windows = Path(path), running, num_windows
        kept = complete_lines(path)[1 : 1 + running.num_rows]
        running.num_rows = len(kept)
        temporary = self.path.with_suffix(".csv.tmp")
        temporary.write_text("".join(f"{line}\n" for line in (",".join(COLUMNS), *kept)), encoding="utf-8", newline="")
        os.replace(temporary, self.path)

    def take(self, progress, report):
        """Takes in a report of training; writes a row when it ends an epoch, or one of the parts of an epoch."""
        if isinstance(report, EpochReport):
            self._write(progress, report.valid_loss)
            return
        self.running.add(report)
        ends_part = progress.window % max(1, self.num_windows // ROWS_PER_EPOCH) == 0
        if ends_part and progress.window < self.num_windows:  # the epoch's last row waits for the validation
            self._write(progress)

    def _write(self, progress, valid_loss=None):
        row = row_of(progress, self.running, self.num_windows, valid_loss)
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)
        self.running.begin_next_row()


def row_of(progress, running, num_windows, valid_loss):
    """One row, by column."""
    return {
        "step": progress.step,
        "epoch": round(progress.epoch + progress.window / num_windows, 4),
        "tokens": progress.tokens,
        "seconds": round(progress.seconds, 3),
        "train_loss": running.loss,
        "valid_loss": valid_loss,
        "gradient_norm": running.norm,
        "learning_rate": running.learning_rate,
        "tokens_per_second": round(progress.tokens / progress.step_seconds) if progress.step_seconds else None,
    }


def read_metrics(path):
    """The rows of a metrics.csv, as dicts of numbers (None where empty); no rows if there is no such file.

    A last line that a crash cut short is left out. Raises ValueError for a file of other columns or contents.
    """
    header, *lines = complete_lines(path) or [",".join(COLUMNS)]
    if header.split(",") != list(COLUMNS):
        raise ValueError(f"{path} is no metrics.csv: its first line must be {','.join(COLUMNS)}; got {header!r:.80}")
    return [read_row(path, line) for line in lines]


def read_row(path, line):
    """One line of the table as a dict of numbers."""
    try:
        return {name: number(cell) for name, cell in zip(COLUMNS, line.split(","), strict=True)}
    except ValueError:
        raise ValueError(f"{path} is damaged: {line!r:.80} is not a row of {len(COLUMNS)} numbers") from None


def complete_lines(path):
    """The lines of a file but for a last one that a crash cut short; none if there is no such file."""
    return Path(path).read_text(encoding="utf-8").split("\n")[:-1] if Path(path).exists() else []


def number(cell):
    """A cell of the table as an int or a float, None if empty."""
    if cell == "":
        return None
    return int(cell) if cell.isdecimal() else float(cell)
