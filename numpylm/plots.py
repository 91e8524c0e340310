"""Pictures, in one style that is readable in grey and to colour-blind eyes. matplotlib is imported where it draws."""

import math
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from numpylm.data.atomic import FileError, replacing
from numpylm.evaluation import safe_exp

STYLE = {
    "figure.figsize": (8, 4.5),
    "figure.dpi": 120,
    "font.size": 12,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.alpha": 0.3,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "svg.hashsalt": "numpylm",
}
NOTEBOOK_STYLE = STYLE | {"figure.figsize": (8, 3.6), "figure.dpi": 80}  # small enough to be kept in a notebook's file
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#666666"  # Okabe and Ito (2008)
LABEL_GAP = 0.06  # between the labels of two references, as a share of the axis
LINEAR = 5  # per cent above the floor: up to here the axis is linear
PER_CENTS = (-10, -5, -2, -1, 0, 1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
CHINESE_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans CN", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei"),
    *("Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans GB", "Arial Unicode MS", "Noto Sans CJK JP"),
)


@contextmanager
def may_fail(name):
    """A context that draws a picture: one line on standard error says if it cannot be drawn, or only with warnings."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    except ImportError:
        print(f"no {name}: matplotlib is not installed", file=sys.stderr)
    except Exception as error:  # matplotlib raises what it likes
        print(f"no {name}: {type(error).__name__}: {error!s:.200}".partition("\n")[0], file=sys.stderr)
    else:
        if any("missing from" in str(warning.message) for warning in caught):
            print(f"note: {name} shows boxes: no font here has all characters of its title", file=sys.stderr)
        elif caught:
            print(f"note: {name}: {caught[0].message!s:.200}".partition("\n")[0], file=sys.stderr)


def font_families():
    """matplotlib's own font, then an installed one with Chinese characters, where there is one, for what it lacks."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *[name for name in CHINESE_FONTS if name in installed][:1]]


def save(figure, path, **options):
    """Writes a figure into a file, whole or not at all: a PNG, if the name has no ending. Raises FileError."""
    ending = Path(path).suffix[1:].lower() or "png"
    if ending not in figure.canvas.get_supported_filetypes():
        raise FileError(path, f".{ending} is no kind of picture", "name a file that ends in .png, .svg or .pdf")
    with replacing(path) as file:
        figure.savefig(file, format=ending, **options)


def known_characters():
    """The codes of all characters that our fonts have."""
    from matplotlib.font_manager import findfont, get_font

    return {code for family in font_families() for code in get_font(findfont(family)).get_charmap()}


@contextmanager
def saved_figure(path, width, height, num_rows=1):
    """The axes of a figure of this size in inches, without a grid, to draw into; or an array of axes, one below the
    other. The figure is saved when the context ends."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE | {"font.family": font_families(), "font.size": 10, "axes.grid": False}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure.subplots(num_rows, sharex=True)
        save(figure, path)


def heat_map(path, weights, rows, columns, label, title="", least=None):
    """Draw weights (R, C) between 0 and 1 into a file, with a label for each row and column. Weights of `least` or more
    are written into their cells. Raises ImportError where matplotlib is not installed."""
    width = 1.8 + 0.08 * max(map(len, rows)) + (0.36 if least is None else 0.75) * len(columns)
    height = max(1.6 + 0.3 * len(rows), 0.7 + 0.09 * len(label))  # the label stands upright
    with saved_figure(path, max(width, 0.09 * len(title)), height) as axes:
        image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(columns)), columns, rotation=90 if least is None else 0, parse_math=False)
        axes.set_yticks(range(len(rows)), rows, parse_math=False)
        axes.xaxis.tick_top()
        for i, row in enumerate(weights):
            for k, weight in enumerate(row):
                if least is not None and weight >= least:
                    color = "white" if weight > 0.6 else "black"
                    axes.text(k, i, f"{weight:.2f}", ha="center", va="center", fontsize=9, color=color)
        axes.figure.suptitle(title, fontsize=11, parse_math=False)
        axes.figure.colorbar(image, label=label)


def draw_bands(axes, bands, seconds, title="", cmap="magma"):
    """A sound's mel bands (B, F), the lowest at the bottom."""
    extent = (0, seconds, 0, len(bands))
    image = axes.imshow(bands, cmap, origin="lower", aspect="auto", interpolation="nearest", extent=extent)
    image.set_clim(-2, 2.5)
    axes.set_title(title, parse_math=False)
    axes.set_ylabel("mel band")


def draw_symbols(axes, y, tokens, seconds):
    """CTC's y (T, V + 1): a spike where a model hears a token; nearly everywhere else, it says blank, symbol 0."""
    t = (np.arange(len(y)) + 0.5) * seconds / len(y)
    symbols = y.argmax(axis=1)
    axes.plot(t, y[:, 0], color=GREY, linewidth=1, linestyle=":", label="blank")
    axes.plot(t, y[:, np.setdiff1d(symbols, 0)], linewidth=1.5)
    begins = np.flatnonzero((symbols != 0) & (symbols != np.append(0, symbols[:-1])))
    for number, begin in enumerate(begins):
        height = 1.05 + 0.15 * (number % 2)  # in two rows, so that names of tokens that follow quickly stay apart
        axes.text(t[begin], height, tokens[symbols[begin]], ha="center", fontsize=9, parse_math=False)
    axes.set(ylim=(0, 1.6), yticks=(0, 0.5, 1), ylabel="y, probability of a symbol")
    axes.legend(loc="upper left")


def draw_alignment(axes, gamma, tokens, seconds):
    """CTC's gamma (U, T): the probability that a path is at each of the U tokens that were said."""
    axes.imshow(gamma, aspect="auto", extent=(0, seconds, len(gamma), 0), cmap="Blues", vmin=0, vmax=1)
    size = min(10, 160 / len(tokens))  # so that many characters do not overlap
    axes.set_yticks(np.arange(len(tokens)) + 0.5, tokens, parse_math=False, fontsize=size)
    axes.set(xlabel="seconds", ylabel="gamma, alignment", xlim=(0, seconds))


def learning_curve(path, rows, reference, title, unit="word", perplexity=True):
    """Draw learning_curve_figure's picture into a file. Raises ImportError where matplotlib is not installed."""
    save(learning_curve_figure(rows, reference, title, unit, perplexity), path)


def learning_curve_figure(rows, reference, title, unit="word", perplexity=True):
    """Perplexity against epochs from the rows of metrics.csv, with a line for each reference, as a matplotlib Figure.

    reference maps a name ("floor", "5-gram", …) to a perplexity. If the floor is known, the picture shows how many per
    cent each perplexity lies above it. References above the curves are only named, with an arrow, so that the curves
    have the picture's height to themselves. perplexity=False draws nats in place of perplexities.
    Raises ImportError where matplotlib is not installed.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    floor, measure = reference.get("floor"), safe_exp if perplexity else float

    def height_of(perplexity):
        return 100 * (perplexity / floor - 1) if floor else perplexity

    with rc_context(STYLE | {"font.family": font_families()}):
        figure = Figure(layout="constrained")  # without pyplot, so that a notebook's own figures are left alone
        axes = figure.subplots()
        drawn = plot_losses(axes, rows, lambda loss: height_of(measure(loss)))
        axes.set(xlabel="epoch", xlim=(0, None))
        label = f"{'perplexity' if perplexity else 'nats'} per {unit}" + (", % above the floor" if floor else "")
        axes.set_ylabel(label, parse_math=False)
        axes.set_title(title, parse_math=False)
        highest = max(drawn, default=math.inf)
        heights = {f"{name} {value:.4g}": height_of(value) for name, value in reference.items()}
        set_scale(axes, drawn + [height for height in heights.values() if height <= highest], floor)
        plot_references(axes, heights)
        axes.legend(loc="upper right", frameon=True, framealpha=0.9, edgecolor="none")
    return figure


def plot_losses(axes, rows, height_of=safe_exp):
    """The training curve, each point at the middle of what it is the mean of, and a dot for each validation. height_of
    maps a loss to where it is drawn. Returns the finite heights."""
    trained = [row for row in rows if row["train_loss"] is not None]
    middles = [(a + b["epoch"]) / 2 for a, b in zip([0] + [row["epoch"] for row in trained], trained, strict=False)]
    training = [height_of(row["train_loss"]) for row in trained]
    axes.plot(middles, training, color=BLUE, label="training")
    validated = [row for row in rows if row["valid_loss"] is not None]
    validation = [height_of(row["valid_loss"]) for row in validated]
    axes.plot([row["epoch"] for row in validated], validation, "o--", color=ORANGE, label="validation")
    return [height for height in training + validation if height < math.inf]


def set_scale(axes, heights, floor):
    """A logarithmic axis over the heights, labelled 10, 20, 50, not 10¹. Per cents above a floor have a linear part
    around 0, because a perplexity on finite text can also lie below the floor."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    lowest, highest = min(heights, default=1), max(heights, default=10)
    if floor:
        axes.set_yscale("symlog", linthresh=LINEAR, linscale=1)
        axes.set_ylim(min(lowest, 0) - 0.5, max(highest, LINEAR) * 1.2)
        axes.yaxis.set_major_locator(FixedLocator(PER_CENTS))
    else:
        axes.set_yscale("log")
        lowest = max(lowest, 1e-4)  # nats can come down to zero
        axes.set_ylim(lowest * 0.9, highest * 1.1)
        decades = highest > 4 * lowest
        axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)) if decades else MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def plot_references(axes, heights):
    """A line for each labelled height, the floor's solid, its label at the right edge; above the axis, the label."""
    to_fraction = (axes.transScale + axes.transLimits).transform
    fractions = {label: min(to_fraction((0, height))[1], 1) for label, height in heights.items()}
    labels = sorted(heights, key=heights.get)
    for label, place in zip(labels, label_places([fractions[label] for label in labels]), strict=True):
        style, color = ("-", GREEN) if label.startswith("floor") else (":", GREY)
        at_edge = {"xycoords": "axes fraction", "va": "center", "color": color, "fontsize": 10}
        if fractions[label] == 1:
            axes.annotate(f"{label} ↑", (1.04, place), **at_edge, annotation_clip=False)
            continue
        axes.axhline(heights[label], linestyle=style, color=color, linewidth=1.5)
        leader = {"arrowstyle": "-", "color": color, "linewidth": 0.8, "relpos": (0, 0.5), "shrinkB": 0}
        axes.annotate(label, (1, fractions[label]), (1.04, place), **at_edge, arrowprops=leader, annotation_clip=False)


def label_places(heights):
    """Where the labels of rising heights (0 to 1) go: there, or where they keep LABEL_GAP apart."""
    gaps = LABEL_GAP * np.arange(len(heights))
    pushed_up = np.maximum.accumulate(heights - gaps) + gaps
    return np.minimum(pushed_up, 1 - gaps[::-1])  # what was pushed beyond the top comes down again
