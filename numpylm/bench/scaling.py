"""How the time of a training step grows with T and with N: twice the tokens should cost twice the time.

One of the two grows over two decades while all else stays: an LSTM of D = 64, H = 128, V = 65. The slope of a straight
line through the logarithms, by least squares, is the power with which the time grows: 1 is linear. For few sequences it
is less, for a step of the loop has a cost of its own that N shares.
"""

import math
from statistics import linear_regression, median

from numpylm.bench.shapes import Shape

SIZES = (10, 20, 50, 100, 200, 500, 1000)
FIXED = 10  # the other one of T and N
UPPER = 100  # the upper decade begins here


def shape_for(axis, size):
    """The Shape whose T or N, whichever the axis names, is size."""
    T, N = (size, FIXED) if axis == "T" else (FIXED, size)
    return Shape(f"{axis}={size}", T, N, 64, 128, 65)


def measure(worker, effort):
    """[{axis, size, seconds}], measured in rounds over all sizes; prints a table and the slopes."""
    points = [(axis, size) for axis in "TN" for size in SIZES]
    seconds = {point: [] for point in points}
    one_round = effort._replace(rounds=3, seconds=0)._asdict()
    for _ in range(effort.rounds):
        for point in points:
            answer = worker.ask("scaling", cell="lstm", shape=shape_for(*point), effort=one_round)
            seconds[point] += answer["seconds"]
    rows = [{"axis": axis, "size": size, "seconds": seconds[axis, size]} for axis, size in points]
    print(table(rows))
    return rows


def table(rows):
    """Milliseconds per step and microseconds per token against T and against N, and the slopes."""
    lines = [f"A training step of an LSTM, D = 64, H = 128, V = 65; the other of T and N is {FIXED}", ""]
    lines.append(f"{'':8}{'with T':>12}{'per token':>12}{'with N':>16}{'per token':>12}")
    for size in SIZES:
        line = f"{size:>8}"
        for axis, width in (("T", 12), ("N", 16)):
            time = next(median(row["seconds"]) for row in rows if (row["axis"], row["size"]) == (axis, size))
            line += f"{1e3 * time:>{width - 3}.2f} ms{1e6 * time / (size * FIXED):>9.2f} µs"
        lines.append(line)
    lines += ["", *[slope_line(rows, axis) for axis in "TN"]]
    return "\n".join(lines)


def slope_line(rows, axis):
    """The fitted powers in words."""
    whole, upper = slope(rows, axis), slope(rows, axis, UPPER)
    return f"time grows as {axis}^{whole:.2f} over both decades, as {axis}^{upper:.2f} over the upper; 1 is linear"


def slope(rows, axis, smallest=0):
    """The power of a size with which the median seconds grow, from a smallest size on."""
    points = [(row["size"], median(row["seconds"])) for row in rows if row["axis"] == axis and row["size"] >= smallest]
    return linear_regression([math.log(x) for x, _ in points], [math.log(y) for _, y in points]).slope
