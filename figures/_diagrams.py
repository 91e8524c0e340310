"""Boxes, round operations, arrows and labels for diagrams.

Diagrams are measured in units of a box. Colours carry no meaning of their own: a shape, a line style or a label says
the same, so that the pictures can be read in grey.
"""

INK = "#222222"
STATE, GATE, INPUT, OUTPUT = "#cfe3f2", "#f6dcc8", "#ececec", "#cdeae0"  # light tints of plots.py's colours, and grey
CELL = "#fafafa"
BACK = (0, (3, 1.5))  # the dashes of what goes backward


def canvas(width, height, size):
    """(figure, axes) of width by height units, size (width in inches, height in inches), without frame or ticks."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.set_axis_off()
    return figure, axes


def box(axes, x, y, text, width=1.2, height=0.8, color=STATE, fontsize=16):
    """A rounded box with its middle at (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    corner = (x - width / 2 + 0.1, y - height / 2 + 0.1)
    shape = FancyBboxPatch(
        corner, width - 0.2, height - 0.2, boxstyle="round,pad=0.1", facecolor=color, edgecolor=INK, lw=1.3, zorder=3
    )
    axes.add_patch(shape)
    label(axes, x, y, text, fontsize=fontsize)


def operation(axes, x, y, text, radius=0.26, fontsize=16, color="white"):
    """A round operation, such as + or ⊙, with its middle at (x, y)."""
    from matplotlib.patches import Circle

    axes.add_patch(Circle((x, y), radius, facecolor=color, edgecolor=INK, lw=1.3, zorder=3))
    label(axes, x, y, text, fontsize=fontsize)


def dot(axes, x, y, color=INK):
    """Where a line branches."""
    from matplotlib.patches import Circle

    axes.add_patch(Circle((x, y), 0.07, facecolor=color, edgecolor="none", zorder=3))


def frame(axes, left, bottom, right, top, color=CELL):
    """A dashed frame around what belongs to one cell."""
    from matplotlib.patches import FancyBboxPatch

    shape = FancyBboxPatch(
        (left + 0.2, bottom + 0.2), right - left - 0.4, top - bottom - 0.4, boxstyle="round,pad=0.2",
        facecolor=color, edgecolor="#888888", lw=1.2, linestyle=(0, (5, 3)), zorder=0,
    )  # fmt: skip
    axes.add_patch(shape)


def label(axes, x, y, text, fontsize=14, color=INK, background=None, **where):
    """Text with its middle at (x, y), or as ha and va say; a background hides the lines below it."""
    where = {"ha": "center", "va": "center", "zorder": 5} | where
    if background is not None:
        where["bbox"] = {"facecolor": background, "edgecolor": "none", "pad": 1.5}
    axes.text(x, y, text, fontsize=fontsize, color=color, **where)


def arrow(axes, *points, color=INK, lw=1.6, style="-", head=True):
    """A line through the points (x, y), with an arrow's head at the last."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    shape = FancyArrowPatch(
        path=Path(points), arrowstyle="-|>" if head else "-", mutation_scale=14, color=color, lw=lw, linestyle=style,
        joinstyle="round", capstyle="butt", zorder=2,
    )  # fmt: skip
    axes.add_patch(shape)
