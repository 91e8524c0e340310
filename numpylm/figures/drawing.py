"""What the pictures are drawn with: their style, and panels for curves."""

from numpylm.plots import STYLE

FIGURE_STYLE = STYLE | {"mathtext.fontset": "stix"}


def charts(width, height, columns=1, rows=1, **options):
    """(figure, panels) of a size in inches; options are those of matplotlib's subplots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)
