"""Pictures, in one style that is readable in grey and to colour-blind eyes. matplotlib is imported where it draws."""

import math
import sys
import warnings
from contextlib import contextmanager

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


CHINESE_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans CN", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei"),
    *("Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans GB", "Arial Unicode MS", "Noto Sans CJK JP"),
)


@contextmanager
def may_fail(name):
    """While this context lasts, a picture is drawn without which a run is complete: that it cannot be drawn, or only
    with warnings, is one line on standard error."""
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
            print(f"note: {name} shows boxes, for no font here has all characters of its title", file=sys.stderr)
        elif caught:
            print(f"note: {name}: {caught[0].message!s:.200}".partition("\n")[0], file=sys.stderr)


def chinese_font():
    """The name of an installed font with Chinese characters, or None."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in CHINESE_FONTS if name in installed), None)


def font_families():
    """matplotlib's own font, then a Chinese one, where there is one, for what the first lacks."""
    return list(filter(None, ("DejaVu Sans", chinese_font())))


@contextmanager
def saved_figure(path, width, height):
    """The axes of a figure of this size in inches, to draw into; it is saved when the context ends."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure.subplots()
        figure.savefig(path)


def learning_curve(path, rows, reference, title, unit="word", perplexity=True):
    """Draws learning_curve_figure's picture into a file. Raises ImportError where matplotlib is not installed."""
    learning_curve_figure(rows, reference, title, unit, perplexity).savefig(path)


def learning_curve_figure(rows, reference, title, unit="word", perplexity=True):
    """Perplexity against epochs from the rows of metrics.csv, with a line for each reference, as a matplotlib Figure.

    reference maps a name ("floor", "5-gram", …) to a perplexity; the floor is drawn solid, the others dotted. Those
    above the curves are only named, with an arrow, so that the curves have the picture's height to themselves.
    perplexity=False draws nats in place of perplexities. Raises ImportError where matplotlib is not installed.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    measure = safe_exp if perplexity else float
    with rc_context(STYLE | {"font.family": font_families()}):
        figure = Figure(layout="constrained")  # without pyplot, so that a notebook's own figures are left alone
        axes = figure.subplots()
        plot_losses(axes, rows, measure)
        axes.set_title(title, parse_math=False)
        axes.set(xlabel="epoch", yscale="log", xlim=(0, None))
        axes.set_ylabel(f"{'perplexity' if perplexity else 'nats'} per {unit}", parse_math=False)
        set_plain_ticks(axes, drawn_values(rows, reference, measure))
        plot_references(axes, reference)
        axes.legend(loc="upper right", frameon=True, framealpha=0.9, edgecolor="none")
    return figure


def drawn_values(rows, reference, measure=safe_exp):
    """The finite values in the rows, and those references that are no higher; without rows, all references."""
    losses = [row[name] for row in rows for name in ("train_loss", "valid_loss") if row[name] is not None]
    values = [value for value in map(measure, losses) if 0 < value < math.inf]
    highest = max(values, default=math.inf)
    return values + [value for value in reference.values() if value <= highest]


def plot_losses(axes, rows, measure=safe_exp):
    """The training curve, each point at the middle of what it is the mean of, and a dot for each validation."""
    trained = [row for row in rows if row["train_loss"] is not None]
    middles = [(a + b["epoch"]) / 2 for a, b in zip([0] + [row["epoch"] for row in trained], trained, strict=False)]
    axes.plot(middles, [measure(row["train_loss"]) for row in trained], color=BLUE, label="training")
    validated = [row for row in rows if row["valid_loss"] is not None]
    axes.plot(
        [row["epoch"] for row in validated],
        [measure(row["valid_loss"]) for row in validated],
        "o--",
        color=ORANGE,
        label="validation",
    )


def plot_references(axes, reference):
    """A horizontal line for each reference, with its name at the right edge; above the axis, the name alone."""
    names = sorted(reference, key=reference.get)
    lowest, highest = axes.get_ylim()
    heights = [min(reference[name], highest) for name in names]
    for name, height, place in zip(names, heights, label_places(heights, lowest, highest), strict=True):
        style, color = ("-", GREEN) if name == "floor" else (":", GREY)
        label = f"{name} {reference[name]:.4g}"
        at_edge = {"xycoords": ("axes fraction", "data"), "va": "center", "color": color, "fontsize": 10}
        if height == highest:
            axes.annotate(f"{label} ↑", (1.04, place), **at_edge, annotation_clip=False)
            continue
        axes.axhline(height, linestyle=style, color=color, linewidth=1.5)
        leader = {"arrowstyle": "-", "color": color, "linewidth": 0.8, "relpos": (0, 0.5), "shrinkB": 0}
        axes.annotate(label, (1, height), (1.04, place), **at_edge, arrowprops=leader, annotation_clip=False)


def label_places(heights, lowest, highest):
    """Where the labels of rising heights go on a logarithmic axis: there, or where they keep LABEL_GAP apart."""
    gap = (highest / lowest) ** LABEL_GAP
    places = []
    for height in heights:
        places.append(max(height, places[-1] * gap) if places else height)
    for k in reversed(range(len(places))):  # what was pushed beyond the top comes down again
        places[k] = min(places[k], highest if k == len(places) - 1 else places[k + 1] / gap)
    return places


def set_plain_ticks(axes, values):
    """A logarithmic axis labelled 10, 20, 50, not 10¹, over the range of the values (one or more, finite)."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    lowest, highest = min(values) * 0.9, max(values) * 1.1
    axes.set_ylim(lowest, highest)
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)) if highest > 5 * lowest else MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
