"""Pictures of a run: bars for the training steps, lines for their growth."""

from statistics import median

from numpylm import plots
from numpylm.bench.measurements import SCALING_FIXED, SCALING_SIZES
from numpylm.bench.report import label, power, times_of, title

BARS = {
    "products": (plots.BLUE, ""),
    "floor": (plots.GREY, "|||"),
    "torch": (plots.ORANGE, "///"),
    "jax": (plots.GREEN, "..."),
}
LINES = {"T": (plots.BLUE, "o-", "N"), "N": (plots.ORANGE, "s--", "T")}  # colour, style, and the other one
TICKS = (0.1, 0.2, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100)
WIDTH = 0.8  # of a group of bars
HEADROOM = 0.15  # above the bars, for the legend, as a share of their range


def draw_training(path, rows):
    """A group of bars for each cell and shape: numpylm's time ÷ each other's, on a logarithmic axis, from 1 up or down.
    Raises ImportError without matplotlib."""
    names = [name for name in rows[0]["seconds"] if name != "numpylm"]
    with plots.saved_figure(path, 9, 4.5) as axes:
        heights = [1, 2]
        for k, name in enumerate(names):
            heights += draw_bars(axes, rows, name, (k - (len(names) - 1) / 2) * WIDTH / len(names), WIDTH / len(names))
        axes.set_yscale("log")
        ticks = [tick for tick in TICKS if min(heights) <= tick <= max(heights)]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_ylim(min(heights), max(heights) * (max(heights) / min(heights)) ** HEADROOM)
        axes.axhline(1, color=plots.GREY, linewidth=1)
        axes.set_xticks(range(len(rows)), ["\n".join(label(row).split()) for row in rows])
        axes.tick_params(axis="x", length=0)
        axes.grid(axis="x", visible=False)
        axes.set(ylabel="numpylm's time ÷ another's", title="One training step")
        axes.legend(loc="upper left", ncols=len(names))


def draw_bars(axes, rows, name, shift, width):
    """One bar in every group; returns the heights."""
    colour, hatch = BARS[name]
    heights = [times_of(row, name) for row in rows]
    axes.bar(
        [x + shift for x in range(len(rows))], [height - 1 for height in heights], width, bottom=1,
        label=f"× {title(name)}", color=colour, hatch=hatch, edgecolor="white", linewidth=0.5,
    )  # fmt: skip
    return heights


def draw_scaling(path, row):
    """Milliseconds of a training step against T and against N, with straight lines of slope 1 to compare with."""
    with plots.saved_figure(path, 8, 4.5) as axes:
        for axis, (colour, style, other) in LINES.items():
            times = [1e3 * median(row["seconds"][f"{axis}={size}"]) for size in SCALING_SIZES]
            name = f"{axis} grows, {other} = {SCALING_FIXED}: from 100 on, time ~ {axis}$^{{{power(row, axis):.2f}}}$"
            axes.loglog(SCALING_SIZES, times, style, color=colour, label=name)
            ends = [SCALING_SIZES[0], SCALING_SIZES[-1]]
            axes.plot(ends, [times[-1] * end / ends[-1] for end in ends], ":", color=plots.GREY, linewidth=1.5)
        axes.plot([], [], ":", color=plots.GREY, linewidth=1.5, label="linear: slope 1")
        axes.set(xlabel="T, or N", ylabel="milliseconds", title="One training step, LSTM of D = 64, H = 128, V = 65")
        axes.legend(loc="upper left")
