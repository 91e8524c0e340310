"""The picture of a gradient check: a heat map of the errors of each array, on which a wrong gate or step is a block.

Right entries are blue and wrong ones orange, the darker the further off zero; what was not checked is grey. Of a large
array of which only some entries were drawn, each cell shows the worst of a square of entries, so that all are seen.
"""

import math

import numpy as np

from numpylm import plots

LEAST, MOST = -17, 1  # log10 of the errors that are told apart, relative to the largest derivative
GATES = {4: ("i", "f", "o", "c̃"), 3: ("r", "z", "n")}  # of the LSTM's and of the GRU's packed weights


def error_map(report, path=None):
    """Draws log10 of |claimed - numeric| / the largest |numeric|, or / 1 where all are smaller, for each array.

    Rows are an array's axes but the last, the first one outermost, with a line between its entries (time steps);
    columns are the last axis, with a line between the gates of packed weights. Returns the figure; writes it to path if
    one is given. Raises ValueError for a report without single entries.
    """
    rows = [row for row in report.rows if not row.is_projection and row.error.size]
    if not rows:
        raise ValueError(why_nothing(report))
    import matplotlib.pyplot as plt

    with plt.rc_context(plots.STYLE):
        columns = min(3, len(rows))
        lines = math.ceil(len(rows) / columns)
        size = (4.4 * columns + 1.2, 2.8 * lines + 0.4)
        figure, axes = plt.subplots(lines, columns, figsize=size, layout="constrained", squeeze=False)
        for place in axes.flat[len(rows) :]:
            place.set_axis_off()
        for place, row in zip(axes.flat, rows, strict=False):
            image = draw_errors(place, row, gates_of(row, report.rows))
        bar = figure.colorbar(image, ax=axes, ticks=[-16, -12, -7, -4, 0])
        bar.set_label("log10 (error / largest derivative)\nblue: right, orange: wrong", fontsize=10)
        figure.suptitle(title_of(report))
        if path is not None:
            figure.savefig(path)
    return figure


def why_nothing(report):
    """Why there is no picture."""
    if report.rows and all(row.is_projection for row in report.rows):
        return "there are no single entries to draw: a report by projection knows none; check with another method"
    return f"there are no entries to draw: {report.complaints[0] if report.complaints else 'all arrays are empty'}"


def title_of(report):
    """The verdict, as the picture's title."""
    if report.ok:
        return "Every gradient is right"
    if any(row.num_wrong for row in report.rows):
        return "Where the gradients are wrong"
    return "Not proved: no entry is wrong, but see the report's complaints"


def gates_of(row, rows):
    """The names of the gates in a packed array's columns: those of W_h, beside it, which is H wide for each; or ()."""
    prefix, _, name = row.name.rpartition(".")
    widths = [other.shape for other in rows if other.name == (f"{prefix}.W_h" if prefix else "W_h")]
    if not widths or not row.shape or not name.startswith(("W_", "b", "xW", "da")) or row.shape[-1] != widths[0][-1]:
        return ()
    H, packed = widths[0]
    return GATES.get(packed // H, ()) if packed % H == 0 else ()


def draw_errors(axes, row, gates=()):
    """One array's errors. Returns the image."""
    height = math.prod(row.shape[:-1])
    shades = shades_of(row).reshape(height, -1)
    side = square_of(row)
    shown = shades if side == 1 else worst_of_squares(shades, side)
    extent = (-0.5, shown.shape[1] * side - 0.5, shown.shape[0] * side - 0.5, -0.5)
    image = axes.imshow(shown, aspect="auto", cmap=colors(), vmin=LEAST, vmax=MOST, interpolation="none", extent=extent)
    axes.set(xlim=(-0.5, shades.shape[1] - 0.5), ylim=(height - 0.5, -0.5))
    drawn = f", {row.num_checked} of {row.error.size} drawn" if row.num_checked < row.error.size else ""
    axes.set_title(
        f"d{row.name} {'x'.join(map(str, row.shape)) or 'number'}: {row.num_wrong} wrong{drawn}", fontsize=11
    )
    axes.grid(False)
    label_axes(axes, row)
    if gates:
        name_gates(axes, gates, row.shape[-1] // len(gates))
    return image


def shades_of(row):
    """log10 of every relative error, on its verdict's side of the change from blue to orange; NaN: not checked."""
    with np.errstate(all="ignore"):
        shades = np.log10(row.error / max(row.largest, 1.0))
    shades = np.where(row.error == 0, LEAST, np.clip(shades, LEAST, MOST))
    wrong = row.wrong
    return np.where(np.isnan(row.error), np.nan, np.where(wrong, np.maximum(shades, -6.9), np.minimum(shades, -7.1)))


def colors():
    """Blues up to 1e-7, which is right for a difference, oranges from there on, and grey for what was not checked."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    right, wrong = 10 * (-7 - LEAST), 10 * (MOST + 7)
    blues = colormaps["Blues_r"](np.linspace(0, 0.75, right))
    oranges = colormaps["Oranges"](np.linspace(0.4, 1, wrong))
    return ListedColormap(np.concatenate((blues, oranges))).with_extremes(bad="#d0d0d0")


def square_of(row):
    """The side of the squares of entries that a cell shows: 1 where all were checked, else about two drawn in each."""
    drawn = max(1, row.num_checked)
    return 1 if drawn == row.error.size else math.ceil(math.sqrt(2 * row.error.size / drawn))


def worst_of_squares(shades, side):
    """The largest shade in each square of entries; NaN where none was checked."""
    height, width = (-(-length // side) * side for length in shades.shape)
    padded = np.full((height, width), -np.inf)
    padded[: shades.shape[0], : shades.shape[1]] = np.nan_to_num(shades, nan=-np.inf)
    worst = padded.reshape(height // side, side, width // side, side).max(axis=(1, 3))
    return np.where(np.isinf(worst), np.nan, worst)


def label_axes(axes, row):
    """Ticks that are indices: whole numbers along the last axis, and along the first one down the side."""
    last = row.error.ndim - 1
    axes.locator_params(integer=True, min_n_ticks=1)
    if last < 1:
        axes.set_yticks([])
    if last < 0:
        axes.set_xticks([])
        return
    axes.set_xlabel(f"axis {last}")
    if last > 1:
        label_blocks(axes, row.shape[0], math.prod(row.shape[1:-1]))
        axes.set_ylabel(
            "t, with n inside" if last == 2 else f"axis 0, with {', '.join(map(str, range(1, last)))} inside"
        )
    elif last == 1:
        axes.set_ylabel("axis 0")


def label_blocks(axes, count, height):
    """A tick for each block of rows, or for every 2nd, 5th, … where there are many, and lines where there are few."""
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, count) if count <= 6 * step or step >= 100)
    axes.set_yticks([k * height + (height - 1) / 2 for k in range(0, count, every)], range(0, count, every))
    for k in range(1, count) if height > 1 and count <= 30 else ():
        axes.axhline(k * height - 0.5, color="white", linewidth=1)


def name_gates(axes, gates, width):
    """A line between the columns of one gate and the next, and their names above."""
    for k in range(1, len(gates)):
        axes.axvline(k * width - 0.5, color="white", linewidth=1.5)
    above = axes.secondary_xaxis("top")
    above.set_xticks([(k + 0.5) * width - 0.5 for k in range(len(gates))], gates)
    above.tick_params(length=0)
    above.spines["top"].set_visible(False)
