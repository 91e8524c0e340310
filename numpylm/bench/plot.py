"""Pictures of a run: bars for the training steps, lines for their growth. Readable in grey: see plots.py."""

from contextlib import contextmanager
from statistics import median

from numpylm import plots
from numpylm.bench.clock import ratio
from numpylm.bench.report import TITLES, label
from numpylm.bench.results import times
from numpylm.bench.scaling import FIXED, slope

BARS = {"numpylm": (plots.BLUE, ""), "torch": (plots.ORANGE, "///"), "jax": (plots.GREEN, "...")}
LINES = {"T": (plots.BLUE, "o-", "N"), "N": (plots.ORANGE, "s--", "T")}  # colour, style, and the other one
TICKS = (0.1, 0.2, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100)
GROUP = 0.8  # how wide a group of bars is
HEADROOM = 0.15  # above the bars, for the legend, as a share of their range


@contextmanager
def saved_figure(path, size):
    """A figure's axes, to draw into; the figure is saved at the context's end. ImportError without matplotlib."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(plots.STYLE):
        figure = Figure(figsize=size, layout="constrained")
        yield figure.subplots()
        figure.savefig(path)


def draw_training(path, found):
    """A group of bars for each cell and shape: how many times the GEMM floor's time, on a logarithmic axis from 1."""
    rows, names = found["training"], ["numpylm", *found["about"]["others"]]
    with saved_figure(path, (9, 4.5)) as axes:
        heights = [1, 2]
        for k, name in enumerate(names):
            heights += draw_bars(axes, rows, name, k, len(names))
        axes.set_yscale("log")
        ticks = [tick for tick in TICKS if min(heights) <= tick <= max(heights)]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_ylim(min(heights), max(heights) * (max(heights) / min(heights)) ** HEADROOM)
        axes.axhline(1, color=plots.GREY, linewidth=1)
        axes.set_xticks(range(len(rows)), ["\n".join(label(row).split()) for row in rows])
        axes.tick_params(axis="x", length=0)
        axes.grid(axis="x", visible=False)
        axes.set(ylabel="time ÷ that of its matrix products", title=f"One training step, {threads_text(found)}")
        axes.legend(loc="upper left", ncols=len(names))


def threads_text(found):
    """How many threads a run had, in words."""
    return "one thread" if found["threads"] == 1 else f"{found['threads']} threads"


def draw_bars(axes, rows, name, k, num_bars):
    """The k-th bar of every group, from 1 up or down; returns the heights. What was not measured has no bar."""
    colour, hatch = BARS[name]
    width = GROUP / num_bars
    heights = {x: ratio(times(row, name), times(row, "floor")) for x, row in enumerate(rows) if times(row, name)}
    places = [x + (k - (num_bars - 1) / 2) * width for x in heights]
    axes.bar(
        places, [height - 1 for height in heights.values()], width, bottom=1, label=TITLES[name],
        color=colour, hatch=hatch, edgecolor="white", linewidth=0.5,
    )  # fmt: skip
    return list(heights.values())


def draw_scaling(path, found):
    """Milliseconds of a training step against T and against N, with straight lines of slope 1 to compare with."""
    with saved_figure(path, (8, 4.5)) as axes:
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis, (colour, style, other) in LINES.items():
            points = [(row["size"], 1e3 * median(row["seconds"])) for row in found["scaling"] if row["axis"] == axis]
            power = slope(found["scaling"], axis)
            name = f"{axis} grows, {other} = {FIXED}: time ~ {axis}$^{{{power:.2f}}}$"
            axes.plot(*zip(*points, strict=True), style, color=colour, label=name)
            (x, y), (first, _) = points[-1], points[0]
            axes.plot((first, x), (y * first / x, y), ":", color=plots.GREY, linewidth=1)
        axes.plot([], [], ":", color=plots.GREY, linewidth=1, label="linear")
        axes.set(xlabel="T, or N", ylabel="milliseconds", title="One training step, LSTM of D = 64, H = 128, V = 65")
        axes.legend(loc="upper left")
