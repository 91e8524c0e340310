"""The picture of how a training step grows with T and with N."""

from statistics import median

from numpylm.bench.measurements import SCALING_FIXED, SCALING_SIZES
from numpylm.bench.report import power
from numpylm.plots import BLUE, GREY, ORANGE

LINES = {"T": (BLUE, "o-", "N"), "N": (ORANGE, "s--", "T")}  # colour, style, and the other one


def scaling_figure(row):
    """Milliseconds of a training step against T and against N beside lines of slope 1, as a Figure. Raises ImportError
    without matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for axis, (colour, style, other) in LINES.items():
        times = [1e3 * median(row["seconds"][f"{axis}={size}"]) for size in SCALING_SIZES]
        name = f"{axis} grows, {other} = {SCALING_FIXED}: from 100 on, time ~ {axis}$^{{{power(row, axis):.2f}}}$"
        axes.loglog(SCALING_SIZES, times, style, color=colour, label=name)
        ends = [SCALING_SIZES[0], SCALING_SIZES[-1]]
        axes.plot(ends, [times[-1] * end / ends[-1] for end in ends], ":", color=GREY, linewidth=1.5)
    axes.plot([], [], ":", color=GREY, linewidth=1.5, label="linear: slope 1")
    axes.set(xlabel="T, or N", ylabel="milliseconds", title="One training step, LSTM of D = 64, H = 128, V = 65")
    axes.legend(loc="upper left")
    return figure
