"""What a person sees: the bar of a training, tables and examples, paths and commands; and BLAS threads."""

import re
import shlex
import shutil
import sys
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from statistics import fmean
from textwrap import fill
from types import SimpleNamespace

from numpylm.base import require
from numpylm.data.printable import on_one_line
from numpylm.evaluation import safe_exp
from numpylm.training import EpochReport, share_done

BAR = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
ROOM = 3  # columns beside the bar, for a ^C that is typed
SMOOTHING = 0.98  # of the loss that is shown: an exponential mean over about fifty steps
SHOWN = 8  # examples
NO_BAR = SimpleNamespace(disable=True, write=print, update=bool, close=bool, n=0, total=0)


class ProgressBar(AbstractContextManager):
    """tqdm's bar with loss, perplexity, gradient norm, tokens per second and time left; a line for each epoch.

    Where the output is no terminal, or tqdm is not installed, only the epochs' lines appear.
    """

    def __init__(self, settings, progress, task):
        self.settings, self.task, self.loss = settings, task, None
        done = share_done(settings, progress, task.num_batches)
        self.bar = make_bar(total=1.0, bar_format=BAR, desc=self._epoch(progress.epoch), initial=done)
        if self.bar is NO_BAR:
            print("no progress bar: tqdm is not installed", file=sys.stderr)

    def show(self, progress, report):
        """Shows a StepReport in the bar, an EpochReport in a line above it."""
        if isinstance(report, EpochReport):
            self.bar.write(self._epoch_line(progress, report))
            sys.stdout.flush()
            return
        self.loss = report.loss if self.loss is None else SMOOTHING * self.loss + (1 - SMOOTHING) * report.loss
        if self.bar.disable:
            return
        self.bar.ncols = max(20, terminal_width() - ROOM)
        self.bar.set_postfix_str(step_text(self.loss, report.norm, progress, self.task.perplexity), refresh=False)
        self.bar.set_description_str(self._epoch(progress.epoch), refresh=False)
        self.bar.update(share_done(self.settings, progress, self.task.num_batches) - self.bar.n)

    def _epoch_line(self, progress, report):
        def shown(loss):
            return f"perplexity {safe_exp(loss):.2f}" if self.task.perplexity else f"loss {loss:.4f}"

        epoch = self._epoch(progress.epoch - (progress.batch == 0))  # the batch after a whole epoch is the next one's
        trained = "" if report.train_loss is None else f"train {shown(report.train_loss)}, "
        note = f", {report.note}" if report.note else ""
        return f"{epoch}: {trained}validation {shown(report.valid_loss)}{note}{' (best so far)' * report.is_best}"

    def _epoch(self, epoch):
        return f"epoch {epoch + 1}" if self.settings.epochs is None else f"epoch {epoch + 1}/{self.settings.epochs}"

    def __exit__(self, *exception):
        self.bar.leave = self.bar.n == self.bar.total
        self.bar.close()


def make_bar(**options):
    """A tqdm bar, which shows nothing where the output is no terminal, or where tqdm is not installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return NO_BAR
    return tqdm(ncols=max(20, terminal_width() - ROOM), mininterval=0.2, disable=None, **options)


@contextmanager
def byte_bar(task, size):
    """A context that gives a function; call it with the number of bytes read since the last call. A tqdm bar shows the
    sum, out of size."""
    with closing(make_bar(desc=task, total=size, unit="B", unit_scale=True, leave=False)) as bar:
        yield bar.update


def step_text(loss, norm, progress, perplexity=True):
    """The numbers behind the bar, in 45 characters or so."""
    shown, speed = safe_exp(loss), progress.tokens / progress.step_seconds
    return (
        f"loss {loss:.3f} {f'ppl {shown:,.{2 if shown < 100 else 0}f} ' if perplexity else ''}norm {norm:.2f} "
        f"{f'{speed / 1000:.0f}k' if speed >= 10_000 else f'{speed:.0f}'} tok/s"
    )


def terminal_width():
    """Columns of the terminal, 80 where there is none."""
    return shutil.get_terminal_size().columns


def cut(line, width):
    """The line, or its beginning and … where it is longer than width columns."""
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"


def mean_by(keys, values):
    """{key: the mean of its values}, in the order in which the keys come."""
    pairs = [*zip(keys, values, strict=True)]
    return {name: fmean(value for key, value in pairs if key == name) for name in dict.fromkeys(keys)}


def percent(share):
    """A share as it is printed."""
    return f"{100 * share:.1f} %"


def number(value, digits=2):
    """A number with so many digits after the point; - for None, which is not known."""
    return "-" if value is None else f"{value:.{digits}f}"


def print_table(title, heads, rows):
    """Prints a title, the heads of the columns if there are any, and for each name in rows its cells, which are
    strings. A name that is too long for the terminal is cut."""
    print(cut(on_one_line(title), terminal_width() - 1))
    lines = ([("", heads)] if heads and rows else []) + list(rows.items())
    widths = [max(map(len, column)) + 2 for column in zip(*[cells for _, cells in lines], strict=True)]
    room = max(4, terminal_width() - 1 - sum(widths))
    names = min(max((len(name) for name in rows), default=0) + 2, room)
    for name, cells in lines:
        numbers = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        print(f"{cut(f'  {on_one_line(name)}', names):<{names}}{numbers}".rstrip())


def print_filled(text):
    """Prints a text in lines that the terminal holds, two columns from the left."""
    print(fill(text, terminal_width() - 1, initial_indent="  ", subsequent_indent="  "))


def print_examples(title, examples):
    """Prints a title and the first examples; each is a list of pairs (mark, line)."""
    rows = [row for example in examples[:SHOWN] for row in example]
    marks = max((len(mark) for mark, _ in rows), default=0)
    print(f"\n{title}")
    for mark, line in rows:
        print(cut(f"  {mark:<{marks}}  {on_one_line(line)}", terminal_width() - 1))


def quoted(path):
    """A path as it is typed into a command: in quotation marks if the shell would read it otherwise."""
    text = on_one_line(path)
    if not re.fullmatch(r"[\w@%+=:,./~\\ -]*", text):
        return shlex.quote(text)
    return f'"{text}"' if " " in text else text


def program():
    """How this program is called again: with the Python that runs now, by its name where that is enough."""
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    name = next((name for name in ("python", "python3") if shutil.which(name) == sys.executable), python)
    return f"{quoted(name)} -m numpylm"


def blas_threads(number):
    """A context in which NumPy's matrix products use this number of threads (if threadpoolctl is installed).

    One is the default of every command: the products of a time step are small, and on a machine that is busy with
    something else, two threads waiting for each other made a training step ten times slower or worse.
    """
    require.positive_integer("threads", number)
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    return threadpool_limits(number)
