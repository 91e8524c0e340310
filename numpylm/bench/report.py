"""The benchmark's rows as text, in 80 columns, and as a picture.

A row is {"cell", "shape": [name, T, N, D, H, V], "seconds": name -> [seconds in each round]}.
"""

import math
from statistics import geometric_mean, linear_regression, median

from numpylm.bench.clock import TIE, is_tie, ratio
from numpylm.bench.measurements import SCALING_FIXED, SCALING_SIZES
from numpylm.figures.drawing import charts
from numpylm.plots import BLUE, GREY, ORANGE

FLOORS = ("products", "floor")  # of which only numpylm's multiples are shown
UPPER = 100  # the upper decade of T and N begins here
LINES = {"T": (BLUE, "o-", "N"), "N": (ORANGE, "s--", "T")}  # colour, style, and the other one


def about_text(about, threads):
    """Versions, BLAS and processor, in three lines."""
    blas, others = about["blas"], about["others"]
    rivals = ", ".join(f"{title(name)} {version}" for name, version in others.items()) or "no PyTorch, no JAX"
    chosen = "" if about["coretype"] is None else " (set)"
    kernel = "" if blas["kernel"] is None else f", kernel {blas['kernel']}{chosen}"
    return (
        f"numpylm {about['numpylm']}, NumPy {about['numpy']}, Python {about['python']}; {rivals}\n"
        f"{blas['name']} {blas['version'] or ''}{kernel}, {threads} thread{'s' if threads > 1 else ''}\n"
        f"{about['processor']}, {about['cores']} cores, {about['system']}"
    )


def heading(measurement, names):
    """The title and the header of a table."""
    columns = "".join(f"{title(name):>9}" for name in names if name not in FLOORS)
    quotients = "".join(f"{'× ' + title(name):>11}" for name in names if name != "numpylm")
    return f"{measurement.title}, {measurement.unit}; × is numpylm's time ÷ another's\n\n{'':8}{columns}{quotients}"


def line(measurement, row):
    """A row: times, and how many times those of the others numpylm takes."""
    shown = [times for name, times in row["seconds"].items() if name not in FLOORS]
    columns = "".join(f"{number(measurement.scale * median(times)):>9}" for times in shown)
    label_text = label(row) if len(label(row)) < 8 else f"{label(row)}\n{'':8}"
    return f"{label_text:<8}{columns}" + "".join(map(quotient_text, quotients(row)))


def footer(rows):
    """The geometric means over the rows, the number of rounds, and what ≈ means."""
    num_shown = sum(name not in FLOORS for name in rows[0]["seconds"])
    means = map(geometric_mean, zip(*map(quotients, rows), strict=True))
    rounds = [len(row["seconds"]["numpylm"]) for row in rows]
    return (
        f"{'geometric mean':<{8 + 9 * num_shown}}" + "".join(map(quotient_text, means)) + "\n\n"
        f"Medians of {min(rounds)} to {max(rounds)} rounds; ≈ is a tie, less than {100 * (TIE - 1):.0f} % apart."
    )


def memory_table(rows):
    """The peak memory of a process of each implementation's own."""
    lines = ["Peak memory of a process that trains, MiB", ""]
    return "\n".join(lines + [f"{label(row):<8}{title(row['name']):>9}{number(row['mib']):>9}" for row in rows])


def scaling_table(row):
    """Milliseconds of a step and microseconds per token as T grows and as N grows, and the powers."""
    lines = [f"A training step of an LSTM, D = 64, H = 128, V = 65; the other of T and N is {SCALING_FIXED}", ""]
    lines.append(f"{'':8}{'with T':>12}{'per token':>12}{'with N':>16}{'per token':>12}")
    for size in SCALING_SIZES:
        times = [median(row["seconds"][f"{axis}={size}"]) for axis in "TN"]
        columns = [f"{1e3 * time:>9.2f} ms{1e6 * time / (size * SCALING_FIXED):>9.2f} µs" for time in times]
        lines.append(f"{size:>8}{columns[0]}    {columns[1]}")
    lines += ["", *[f"time grows as {axis}^{power(row, axis):.2f} over the upper decade; 1 is linear" for axis in "TN"]]
    return "\n".join(lines)


def power(row, axis, smallest=UPPER):
    """The power of T or N with which the time grows from the smallest size on: the slope of a line fitted to the
    logarithms."""
    points = [(int(name[2:]), median(times)) for name, times in row["seconds"].items() if name[0] == axis]
    points = [(math.log(size), math.log(time)) for size, time in points if size >= smallest]
    return linear_regression(*zip(*points, strict=True)).slope


def scaling_figure(row):
    """Milliseconds of a training step against T and against N beside lines of slope 1, as a Figure. Raises ImportError
    without matplotlib."""
    figure, axes = charts(8, 4.5)
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


def title(name):
    """A name as the tables and pictures show it."""
    return "JAX" if name == "jax" else name


def label(row):
    """LSTM A, or the cell and its sizes T,N,D,H,V."""
    return f"{row['cell'].upper():<5}{row['shape'][0]}"


def quotients(row):
    """numpylm's time ÷ that of each of the others."""
    return [ratio(row["seconds"]["numpylm"], times) for name, times in row["seconds"].items() if name != "numpylm"]


def quotient_text(quotient):
    """A column: two decimals, and ≈ where it is a tie."""
    return f"{quotient:.2f}{' ≈' if is_tie(quotient) else '  '}".rjust(11)


def number(value):
    """Three digits, or all before the point; a dash for None."""
    return "–" if value is None else f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3}f}"
