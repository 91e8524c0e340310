"""Pictures of gradient checks: where the errors are, and how the error of a derivative depends on its step."""

import math

import numpy as np

from numpylm import plots
from numpylm.proof.evidence import GATES, gates_of
from numpylm.proof.numerical import ORDERS, derivative

LEAST, MOST = -17, 1  # log10 of the errors that are told apart, relative to the largest derivative


def error_map(report, path=None):
    """Draws log10 of |claimed - numeric| / the largest |numeric|, or / 1 where all are smaller, for each array.

    Right entries are blue and wrong ones orange; of a large array only the drawn entries appear. Rows are an array's
    axes but the last, columns the last axis, with a line between the gates of packed weights. Returns the figure;
    writes it to path if one is given. Raises ValueError for a report without single entries.
    """
    rows = [row for row in report.rows if row.index is not None]
    if not rows:
        reason = report.complaints[0] if report.complaints else "all arrays are empty, or it is a report by projection"
        raise ValueError(f"there are no entries to draw: {reason}")
    import matplotlib.pyplot as plt

    arrays = {row.name: row.claim for row in report.rows}
    with plt.rc_context(plots.STYLE):
        columns, lines = min(3, len(rows)), math.ceil(len(rows) / 3)
        size = (4.4 * columns + 1.2, 2.8 * lines + 0.4)
        figure, axes = plt.subplots(lines, columns, figsize=size, layout="constrained", squeeze=False)
        for place in axes.flat[len(rows) :]:
            place.set_axis_off()
        for place, row in zip(axes.flat, rows, strict=False):
            image = draw_errors(place, row, GATES.get(gates_of(row.name, arrays), ()))
        bar = figure.colorbar(image, ax=axes, ticks=[-16, -12, -7, -4, 0])
        bar.set_label("log10 (error / largest derivative)\nblue: right, orange: wrong", fontsize=10)
        figure.suptitle(title_of(report))
        if path is not None:
            figure.savefig(path)
    return figure


def title_of(report):
    """The verdict, as the picture's title."""
    if any(row.num_wrong for row in report.rows):
        return "Where the gradients are wrong"
    return "Every gradient is right" if report.ok else "Not proved: no entry is wrong, but see the report's complaints"


def draw_errors(axes, row, gates=()):
    """One array's errors. Returns what the color bar is for."""
    shades = shades_of(row).reshape(math.prod(row.shape[:-1]), -1)
    height, width = shades.shape
    scale = {"cmap": colors(), "vmin": LEAST, "vmax": MOST}
    if row.num_checked < row.claim.size:  # a few dots, as large as can be seen
        y, x = np.nonzero(~np.isnan(shades))
        image = axes.scatter(x, y, c=shades[y, x], s=6, marker="s", **scale)
    else:
        image = axes.imshow(shades, aspect="auto", interpolation="none", **scale)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    drawn = f", {row.num_checked} of {row.claim.size} drawn" if row.num_checked < row.claim.size else ""
    shape = "x".join(map(str, row.shape)) or "number"
    axes.set_title(f"d{row.name} {shape}: {row.num_wrong} wrong{drawn}", fontsize=11)
    axes.grid(False)
    label_axes(axes, row.shape, gates)
    return image


def shades_of(row):
    """log10 of every relative error, on its verdict's side of the change from blue to orange; NaN: not checked."""
    with np.errstate(all="ignore"):
        shades = np.log10(row.error / max(row.largest, 1.0))
    shades = np.clip(shades, LEAST, MOST)
    return np.where(row.wrong, np.maximum(shades, -6.9), np.minimum(shades, -7.1))


def colors():
    """Blues up to 1e-7, which is right for a difference, oranges from there on, and grey for what was not checked."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    blues = colormaps["Blues_r"](np.linspace(0, 0.75, 10 * (-7 - LEAST)))
    oranges = colormaps["Oranges"](np.linspace(0.4, 1, 10 * (MOST + 7)))
    return ListedColormap(np.concatenate((blues, oranges))).with_extremes(bad="#d0d0d0")


def label_axes(axes, shape, gates):
    """Ticks that are indices: of the last axis, and down the side of the first one. Lines part steps and gates."""
    axes.locator_params(integer=True, min_n_ticks=1)
    if len(shape) < 2:
        axes.set_yticks([])
    if not shape:
        axes.set_xticks([])
    if len(shape) > 2:
        count, height = shape[0], math.prod(shape[1:-1])
        every = math.ceil(count / 6)
        axes.set_yticks([k * height + (height - 1) / 2 for k in range(0, count, every)], range(0, count, every))
        axes.set_ylabel("t, with n inside" if len(shape) == 3 else "axis 0, with the next ones inside")
        for k in range(1, count) if height > 1 and count <= 30 else ():
            axes.axhline(k * height - 0.5, color="white", linewidth=1)
    width = shape[-1] // len(gates) if gates else 0
    for k in range(1, len(gates)):
        axes.axvline(k * width - 0.5, color="white", linewidth=1.5)
    if gates:
        above = axes.secondary_xaxis("top")
        above.set_xticks([(k + 0.5) * width - 0.5 for k in range(len(gates))], gates)
        above.tick_params(length=0)
        above.spines["top"].set_visible(False)


def step_size_figure(path=None):
    """Error of each method against its step, in float32 and float64, for the derivative of a typical function.

    The left branch of each curve is rounding, which a larger step makes smaller; the right one is curvature. They meet
    near eps^(1/2), eps^(1/3) and eps^(1/5); the complex step has no left branch. Returns the figure;
    writes it to path if one is given.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(plots.STYLE):
        figure = Figure(figsize=(10, 4.5), layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for place, dtype in zip(axes, (np.float32, np.float64), strict=True):
            draw_step_sizes(place, dtype)
        axes[0].set_ylabel("relative error of the derivative")
        axes[0].legend(loc="lower left")
        if path is not None:
            figure.savefig(path)
    return figure


def draw_step_sizes(axes, dtype):
    """The four curves of one dtype, each with a dot at the step that the rule recommends."""
    lines = {"forward": (plots.ORANGE, "-"), "central": (plots.BLUE, "--"), "fourth": (plots.GREEN, "-.")}
    steps, least = 10.0 ** np.arange(-14, 0.01, 0.25), 1e-17  # an exact agreement cannot be drawn on such an axis
    for method, (color, style) in {**lines, "complex": ("black", ":")}.items():
        errors = [derivative_error(method, dtype, step) for step in steps]
        axes.loglog(steps, np.maximum(errors, least), style, color=color, label=method)
        if method != "complex":
            best = np.finfo(dtype).eps ** (1 / ORDERS[method])
            axes.loglog(best, max(derivative_error(method, dtype, best), least), "o", color=color)
    axes.set(xlabel="step ε", title=np.dtype(dtype).name, ylim=(1e-17, 10))


def derivative_error(method, dtype, step):
    """Relative error at one step, the worst of several points, for f(x) = e^x sin(3x), whose derivative is known."""
    points = np.linspace(0.2, 1.1, 7)
    exact = np.exp(points) * (np.sin(3 * points) + 3 * np.cos(3 * points))
    found = [one_derivative(method, dtype, point, step) for point in points]
    return float(np.abs((found - exact) / exact).max())


def one_derivative(method, dtype, point, step):
    """The numerical derivative at one point, computed in dtype."""
    x = np.array([point], dtype=np.result_type(dtype, np.complex64) if method == "complex" else dtype)
    return float(derivative(lambda: (np.exp(x) * np.sin(3 * x))[0], x, (0,), method, x.real.dtype.type(step)))
