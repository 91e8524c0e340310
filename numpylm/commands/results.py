"""What came out: the end of every run, which measures its best model, with tables and examples."""

import math
import sys
from importlib import import_module
from statistics import fmean
from textwrap import fill

from numpylm import plots
from numpylm.bench.system import peak_mib
from numpylm.checkpoint import load_checkpoint
from numpylm.commands.console import cut, program, quoted, terminal_width
from numpylm.commands.run import RunDiverged
from numpylm.commands.run_folder import write_json
from numpylm.commands.run_record import tokens_per_second
from numpylm.data.metrics import read_metrics
from numpylm.data.printable import on_one_line
from numpylm.evaluation import safe_exp

SHOWN = 8  # examples


def mean_by(keys, values):
    """{key: the mean of its values}, in the order in which the keys come."""
    pairs = [*zip(keys, values, strict=True)]
    return {name: fmean(value for key, value in pairs if key == name) for name in dict.fromkeys(keys)}


def percent(share):
    """A share as it is printed; nothing for None, which is not measured."""
    return "" if share is None else f"{100 * share:.1f} %"


def number(digits):
    """A function that gives a number, or None if it is not known, with so many digits after the point."""
    return lambda value: "-" if value is None else f"{value:.{digits}f}"


def rows_of(fields, named):
    """The rows of a table of one column. named maps a field to a row's name, and to the function that shows its value:
    nothing, where there is to be no row. A field that is a dict has a row for each of its values."""
    rows = {}
    for field, (name, shown) in named.items():
        value = fields.get(field)
        several = value.items() if isinstance(value, dict) else [("", value)]
        rows |= {name + key: [shown(one)] for key, one in several if field in fields and shown(one)}
    return rows


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


def finish(run):
    """Measures and reports the best model, and writes summary.json and the learning curve: the Report.

    Raises RunDiverged, after all is written, where its loss on the test data is not finite.
    """
    model = load_checkpoint(run.folder / "best.npz").model
    print("measuring the best model …", file=sys.stderr)
    print()
    report = import_module(run.kind.report).report(run, model)
    write_json(run.folder / "summary.json", common_fields(run, model) | report.fields)
    draw_learning_curve(run, report)
    print_where(run)
    settings = run.config.settings
    check_finite(
        "the best model's loss on the test data", report.loss, run.task.perplexity,
        f" per {run.task.unit}: its state overflows there, although it did not on the validation data. All is saved; "
        f"train again with a smaller --learning-rate (it was {settings.learning_rate:g}) or --clip (it was "
        f"{settings.max_norm:g})",
    )  # fmt: skip
    return report


def common_fields(run, model):
    """The fields of summary.json that every run has; seconds of training, MiB at the peak."""
    progress = run.progress
    return {
        "task": run.kind.name,
        "model": run.config.model.model,
        "parameters": count_parameters(model),
        "epochs": progress.epoch,
        "steps": progress.step,
        "loss_unit": f"nats per {run.task.unit}",
        "valid_loss": min(progress.valid_losses),
        "tokens_per_second": tokens_per_second(progress),
        "seconds": round(progress.seconds, 2),
        "peak_memory_mib": peak_mib(),
    }


def check_finite(name, loss, perplexity, advice):
    """Raises RunDiverged for a loss that is no number, or so large that its perplexity is infinite."""
    if loss is not None and not math.isfinite(safe_exp(loss) if perplexity else loss):
        raise RunDiverged(f"{name} is {loss:.3g} nats{advice}")


def draw_learning_curve(run, report):
    """Draws learning_curve.png. If it cannot be drawn, we say so, and the run goes on."""
    rows = read_metrics(run.folder / "metrics.csv")
    path, task = run.folder / "learning_curve.png", run.task
    heading = on_one_line(f"{run.kind.title(run.config)} on {cut(run.data.name, 40)}")
    with plots.may_fail(path.name):
        plots.learning_curve(path, rows, report.reference or {}, heading, task.unit, task.perplexity)


def print_where(run):
    """Prints what was saved, and how to go on."""
    print(f"\nSaved in {on_one_line(run.folder)}:")
    print_filled(", ".join(sorted(path.name for path in run.folder.iterdir() if not path.name.startswith("."))))
    verb, command = ("Use it", run.kind.command) if run.kind.Use else ("Let it write more", "sample")
    print(f"{verb} with\n  {program()} {command} {quoted(run.folder)}")


def count_parameters(model):
    """How many numbers the model learns."""
    return sum(array.size for array in model.parameters().values())
