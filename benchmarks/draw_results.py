"""Draw the figures of the recipes from their committed results.

    python benchmarks/draw_results.py [RESULTS [FIGURES]]      (benchmarks/results, figures)

figures/agreement.png      subject-verb agreement by distance: RNN, GRU and LSTM with the same number of parameters
figures/long_memory.png    learning curves on the adding problem and the copy task
figures/look_inside.png    what units of the same three cells know of the number, and what happens when one is changed

A thin line is one seed, a thick one the mean of the seeds. The means of the first picture are also printed.
"""

import json
import sys
from pathlib import Path

import numpy as np
from recipe_results import RESULTS

from numpylm.figures.drawing import FIGURE_STYLE, charts
from numpylm.plots import BLUE, GREEN, GREY, ORANGE
from numpylm.probing.pictures import grammar_figure

FIGURES = Path(__file__).parent.parent / "figures"
LOOKS = {"rnn": (ORANGE, "s:"), "gru": (GREEN, "^--"), "lstm": (BLUE, "o-")}
PANELS = {"all verbs": ("right", "verbs"), "verbs whose nearest noun misleads": ("right_where_misled", "misled")}
TASKS = {"adding": ("adding problem", "mean squared error"), "copy": ("copy task", "nats per step")}
CURVES = {"rnn": ("RNN, tanh", ORANGE, "--"), "irnn": ("RNN, ReLU", GREEN, ":"), "lstm": ("LSTM", BLUE, "-")}


def read(path):
    """A CSV file as a structured array: rows["column"]."""
    return np.genfromtxt(path, delimiter=",", names=True, encoding="utf-8")


def agreement(results):
    """Accuracy against distance, for all verbs and for those that the nearest noun would mislead. Print the first."""
    figure, panels = charts(11, 4.4, 2)
    for axes, (title, columns) in zip(panels, PANELS.items(), strict=True):
        means = {}
        for cell, (color, style) in LOOKS.items():
            ranges, accuracies = accuracy_by_distance(read(results / f"grammar-{cell}.csv"), *columns)
            means[cell.upper()] = accuracies.mean(axis=1)
            axes.plot(accuracies, color=color, alpha=0.4, linewidth=0.8)
            axes.plot(means[cell.upper()], style, color=color, label=cell.upper(), markersize=6)
            axes.set_xticks(range(len(ranges)), ranges, fontsize=11)
        axes.set(xlabel="words from the noun to its verb", title=title, ylim=(0.6, 1.005))
        if axes is panels[0]:
            print(f"{'distance':>8}" + "".join(f"{cell:>8}" for cell in means))
            for name, *shares in zip(ranges, *means.values(), strict=True):
                print(f"{name:>8}" + "".join(f"{share:8.1%}" for share in shares))
    panels[0].set_ylabel("verbs in the right number")
    panels[0].legend(loc="lower left")
    return figure


def accuracy_by_distance(rows, right, total):
    """(the names of the ranges of distances that have such verbs, the shares that are right: (ranges, seeds))."""
    rows = rows[rows[total] > 0]
    ranges = sorted({(row["nearest"], row["farthest"]) for row in rows})
    of_ranges = [rows[(rows["nearest"] == nearest) & (rows["farthest"] == farthest)] for nearest, farthest in ranges]
    names = [f"{nearest:g}" if nearest == farthest else f"{nearest:g}–{farthest:g}" for nearest, farthest in ranges]
    return names, np.array([here[right] / here[total] for here in of_ranges])


def long_memory(results):
    """The loss against steps, of each seed, and the loss of the best answer without a memory."""
    figure, panels = charts(11, 4.4, 2)
    for axes, (task, (title, unit)) in zip(panels, TASKS.items(), strict=True):
        for cell, (label, color, style) in CURVES.items():
            path = results / f"{task}-{cell}.csv"
            if path.exists():
                rows = read(path)
                losses = np.stack([rows[name] for name in rows.dtype.names if name.startswith("seed_")], axis=1)
                first, *_ = axes.plot(rows["step"], losses, style, color=color, linewidth=1.3)
                first.set_label(label)
        fields = json.loads((results / f"{task}-lstm.json").read_text(encoding="utf-8"))
        axes.axhline(fields["baseline"], color=GREY, linewidth=1.5, linestyle="-.", label="without a memory")
        T = fields["configuration"]["num_steps"]
        axes.set(xlabel="training step", ylabel=unit, title=f"{title}, T = {T}", xlim=(0, None))
        axes.set_ylim(0, 2 * fields["baseline"])
    panels[0].legend(loc="upper right")
    return figure


def look_inside(results):
    """The picture of the look command, of the first seed of each cell."""
    runs = json.loads((results / "look.json").read_text(encoding="utf-8"))["runs"]
    return grammar_figure([run for run in runs if run["run"].endswith("seed-0")])


def main(results=RESULTS, figures=FIGURES):
    """Draw them all."""
    from matplotlib import rc_context

    with rc_context(FIGURE_STYLE):
        for draw in (agreement, long_memory, look_inside):
            draw(Path(results)).savefig(Path(figures) / f"{draw.__name__}.png")


if __name__ == "__main__":
    main(*sys.argv[1:3])
