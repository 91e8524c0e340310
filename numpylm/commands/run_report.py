"""The end of every run: the best model's report, summary.json, the learning curve, and where all is saved."""

import math
import textwrap
from importlib import import_module

from numpylm import plots
from numpylm.bench.system import peak_mib
from numpylm.checkpoint import load_checkpoint
from numpylm.commands.console import cut, program, quoted, terminal_width
from numpylm.commands.kind import title
from numpylm.commands.run import RunDiverged
from numpylm.commands.run_folder import write_json
from numpylm.commands.run_record import tokens_per_second
from numpylm.data.metrics import read_metrics
from numpylm.data.printable import on_one_line
from numpylm.evaluation import safe_exp


def finish(run):
    """Measures and reports the best model, and writes summary.json and the learning curve: the Report.

    Raises RunDiverged, after all is written, where its loss on the test data is not finite.
    """
    model = load_checkpoint(run.folder / "best.npz").model
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
    rows, name = read_metrics(run.folder / "metrics.csv"), "learning_curve.png"
    name_of_run = on_one_line(f"{title(run)} on {cut(run.data.name, 40)}")
    with plots.may_fail(name):
        plots.learning_curve(
            run.folder / name, rows, report.reference or {}, name_of_run, run.task.unit, run.task.perplexity
        )  # fmt: skip


def print_where(run):
    """Prints what was saved, and how to go on."""
    names = sorted(path.name for path in run.folder.iterdir() if not path.name.startswith("."))
    print(f"\nSaved in {on_one_line(run.folder)}:")
    print(textwrap.fill(", ".join(names), terminal_width() - 1, initial_indent="  ", subsequent_indent="  "))
    verb, command = ("Use it", run.kind.command) if run.kind.Use else ("Let it write more", "sample")
    print(f"{verb} with\n  {program()} {command} {quoted(run.folder)}")


def count_parameters(model):
    """How many numbers the model learns."""
    return sum(array.size for array in model.parameters().values())
