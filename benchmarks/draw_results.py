"""Draws the figures of the recipes from their committed results.

    python benchmarks/draw_results.py [RESULTS [FIGURES]]      (benchmarks/results, figures)

figures/agreement.png      accuracy of subject-verb agreement by distance: RNN, GRU and LSTM of as many parameters
figures/long_memory.png    learning curves on the adding problem and the copy task, RNN and LSTM

A thin line is one seed; a thick one is the mean of the seeds. The means of the first are printed, too.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from recipe_results import RESULTS

from numpylm.plots import BLUE, GREEN, GREY, ORANGE, STYLE

FIGURES = Path(__file__).parent.parent / "figures"
COLOURS = {"rnn": ORANGE, "gru": GREEN, "lstm": BLUE}
MARKS = {"RNN": "s:", "GRU": "^--", "LSTM": "o-"}  # told apart in grey too
PANELS = {
    "all verbs": ("right", "verbs"),
    "verbs whose nearest noun misleads": ("right_where_misled", "misled"),
}
TASK_TITLES = {"adding": ("adding problem", "mean squared error"), "copy": ("copy task", "nats per step")}


def read(results, name):
    """The rows of NAME.csv, as dicts of floats."""
    with open(results / f"{name}.csv", newline="", encoding="utf-8") as file:
        return [{column: float(cell) for column, cell in row.items()} for row in csv.DictReader(file)]


def agreement(results, path):
    """Draws accuracy against distance, for all verbs and for those that the last noun would mislead."""
    figure, panels = new_figure()
    for axes, (title, columns) in zip(panels, PANELS.items(), strict=True):
        for cell, colour in COLOURS.items():
            plot_agreement(axes, read(results, f"grammar-{cell}"), columns, cell.upper(), colour)
        axes.set(xlabel="words from the noun to its verb", title=title, ylim=(0.6, 1.005))
    panels[0].set_ylabel("verbs in the right number")
    panels[0].legend(loc="lower left")
    figure.savefig(path)


def plot_agreement(axes, rows, columns, label, colour):
    """A cell's accuracy in each range of distances that has such verbs: each seed's, and the mean."""
    ranges, accuracies = accuracy_by_distance(rows, columns)
    axes.plot(accuracies, color=colour, alpha=0.4, linewidth=0.8)
    axes.plot(accuracies.mean(axis=1), MARKS[label], color=colour, label=label, markersize=6)
    axes.set_xticks(range(len(ranges)), [range_name(*where) for where in ranges], fontsize=11)


def accuracy_by_distance(rows, columns):
    """(the ranges of distances that have such verbs, the shares that are right: an array (ranges, seeds))."""
    right, total = columns
    rows = [row for row in rows if row[total] > 0]
    ranges = sorted({(row["nearest"], row["farthest"]) for row in rows})
    return ranges, np.array([
        [row[right] / row[total] for row in rows if (row["nearest"], row["farthest"]) == where] for where in ranges
    ])  # fmt: skip


def agreement_table(results):
    """Lines with each cell's mean accuracy on all verbs, by distance."""
    means = {}
    for cell in COLOURS:
        ranges, accuracies = accuracy_by_distance(read(results, f"grammar-{cell}"), PANELS["all verbs"])
        means[cell.upper()] = accuracies.mean(axis=1)
    lines = [f"{'distance':>8}" + "".join(f"{cell:>8}" for cell in means)]
    for where, *shares in zip(ranges, *means.values(), strict=True):
        lines.append(f"{range_name(*where):>8}" + "".join(f"{share:8.1%}" for share in shares))
    return lines


def range_name(nearest, farthest):
    """A range of distances on the axis: 1, 3–4."""
    return f"{nearest:g}" if nearest == farthest else f"{nearest:g}–{farthest:g}"


def long_memory(results, path):
    """Draws the loss against steps, each seed's, with what an answer without a memory costs."""
    figure, panels = new_figure()
    for axes, (task, (title, unit)) in zip(panels, TASK_TITLES.items(), strict=True):
        for cell in ("rnn", "lstm"):
            fields = json.loads((results / f"{task}-{cell}.json").read_text(encoding="utf-8"))
            plot_losses(axes, read(results, f"{task}-{cell}"), cell.upper(), COLOURS[cell])
        axes.axhline(fields["baseline"], color=GREY, linestyle=":", label="without a memory")
        steps = fields["configuration"]["num_steps"]
        axes.set(xlabel="training step", ylabel=unit, title=f"{title}, T = {steps}", xlim=(0, None))
        axes.set_ylim(0, 2 * fields["baseline"])
    panels[0].legend(loc="upper right")
    figure.savefig(path)


def plot_losses(axes, rows, label, colour):
    """A line for each seed."""
    seeds = [column for column in rows[0] if column.startswith("seed_")]
    for seed in seeds:
        axes.plot(
            [row["step"] for row in rows],
            [row[seed] for row in rows],
            color=colour,
            linewidth=1.3,
            linestyle="--" if label == "RNN" else "-",
            label=label if seed == seeds[0] else None,
        )


def new_figure():
    """A figure and its two panels, side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.4), layout="constrained")
    return figure, figure.subplots(1, 2)


def main(results=RESULTS, figures=FIGURES):
    """Draws both, and prints the verbs in the right number by distance."""
    from matplotlib import rc_context

    print(*agreement_table(Path(results)), sep="\n")
    with rc_context(STYLE):
        agreement(Path(results), Path(figures) / "agreement.png")
        long_memory(Path(results), Path(figures) / "long_memory.png")


if __name__ == "__main__":
    main(*sys.argv[1:3])
