"""A picture of a gradient check: where the errors are."""

import math

import numpy as np

from numpylm import plots
from numpylm.proof.evidence import GATES, gates_of

LEAST, MOST, BETWEEN = -17, 1, -7  # log10 of the errors that are told apart, relative to the largest derivative


def error_map(report, path=None):
    """Draw log10 of |claimed - numeric| / the largest |numeric|, or / 1 where all are smaller, for each array.

    Right entries are blue, wrong ones orange, and those that were not drawn grey. Rows are an array's axes but the
    last, columns the last axis. Return the figure; write it to path if one is given. ValueError if there is no entry.
    """
    rows = [row for row in report.rows if row.index is not None]
    if not rows:
        reason = report.complaints[0] if report.complaints else "all arrays are empty, or it is a report by projection"
        raise ValueError(f"there are no entries to draw: {reason}")
    import matplotlib.pyplot as plt

    arrays = {row.name: row.claim for row in report.rows}
    columns, lines = min(3, len(rows)), math.ceil(len(rows) / 3)
    size = (4.4 * columns + 1.2, 2.8 * lines + 0.4)
    with plt.rc_context(plots.STYLE):
        figure, axes = plt.subplots(lines, columns, figsize=size, layout="constrained", squeeze=False)
        for place in axes.flat[len(rows) :]:
            place.set_axis_off()
        for place, row in zip(axes.flat, rows, strict=False):
            image = draw_errors(place, row)
            label_axes(place, row.shape, GATES.get(gates_of(row.name, arrays), ()))
        bar = figure.colorbar(image, ax=axes, ticks=[-16, -12, BETWEEN, -4, 0])
        bar.set_label("log10 (error / largest derivative)\nblue: right, orange: wrong", fontsize=10)
        not_proved = "Not proved: no entry is wrong, but see the report's complaints"
        right = "Every gradient is right" if report.ok else not_proved
        figure.suptitle("Where the gradients are wrong" if any(row.num_wrong for row in rows) else right)
        if path is not None:
            plots.save(figure, path)
    return figure


def draw_errors(axes, row):
    """One array's errors, log10: a square for each entry, on its verdict's side of the change from blue to orange."""
    with np.errstate(all="ignore"):
        shades = np.clip(np.log10(row.error / max(row.largest, 1.0)), LEAST, MOST)
    shades = np.where(row.wrong, np.maximum(shades, BETWEEN + 0.1), np.minimum(shades, BETWEEN - 0.1))
    shades = shades.reshape(math.prod(row.shape[:-1]), -1)
    image = axes.imshow(shades, aspect="auto", interpolation="none", cmap=colors(), vmin=LEAST, vmax=MOST)
    drawn = f", {row.checked.sum()} of {row.claim.size} drawn" if row.checked.sum() < row.claim.size else ""
    shape = "x".join(map(str, row.shape)) or "number"
    axes.set_title(f"d{row.name} {shape}: {row.num_wrong} wrong{drawn}", fontsize=11)
    return image


def colors():
    """Blues up to 1e-7, which is right for a difference, oranges from there on, and grey for what was not checked."""
    from matplotlib.colors import LinearSegmentedColormap

    change = (BETWEEN - LEAST) / (MOST - LEAST)
    stops = [(0, "#08306b"), (change, "#b3cfe5"), (change, "#fda762"), (1, "#7f2704")]
    return LinearSegmentedColormap.from_list("errors", stops).with_extremes(bad="#d0d0d0")


def label_axes(axes, shape, gates):
    """Ticks that are indices; in an array (T, N, ·) those of t; and the gates' names above their columns."""
    axes.grid(False)
    axes.locator_params(integer=True, min_n_ticks=1)
    if len(shape) < 2:
        axes.set_yticks([])
    if not shape:
        axes.set_xticks([])
    if len(shape) > 2:
        height = math.prod(shape[1:-1])  # rows of one step
        shown = range(0, shape[0], math.ceil(shape[0] / 6))
        axes.set_yticks([k * height + (height - 1) / 2 for k in shown], shown)
        axes.set_ylabel("t, with n inside")
    if gates:
        each = shape[-1] / len(gates)
        for k in range(1, len(gates)):
            axes.axvline(k * each - 0.5, color="white", linewidth=1.5)
        above = axes.secondary_xaxis("top")
        above.set_xticks([(k + 0.5) * each - 0.5 for k in range(len(gates))], gates)
