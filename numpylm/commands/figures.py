"""python -m numpylm figures: draw the pictures that README.md and the notebooks show."""

import sys
from importlib import import_module
from pathlib import Path

from numpylm import plots
from numpylm.figures import FIGURES

DESCRIPTION = "Draw every picture that README.md and the notebooks show, or those named."
DPI = 110  # with figures about ten inches wide: legible at a README's width


def add_options(parser):
    """NAME …, and the folder."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as lstm_cell (all)")
    parser.add_argument("--out", default="figures", metavar="DIR", help="the folder to write to (figures)")


def run(options):
    """numpylm figures"""
    folder = Path(options.out)
    for name in options.names:
        if name not in FIGURES:
            raise ValueError(f"there is no picture {name!r}; there are {', '.join(FIGURES)}")
    for name in options.names or FIGURES:
        path = folder / f"{name}.png"
        try:
            save(name, path)
        except FileNotFoundError as error:
            if options.names:
                raise
            print(f"{name} is not drawn: {error}", file=sys.stderr)
            continue
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB", flush=True)


def save(name, path):
    """Draw one picture into a file, with nothing in it that a second drawing would write differently."""
    from matplotlib import rc_context

    from numpylm.figures.drawing import FIGURE_STYLE

    with rc_context(FIGURE_STYLE):
        figure = import_module(f"numpylm.figures.{name}").draw()
        path.parent.mkdir(parents=True, exist_ok=True)
        plots.save(figure, path, dpi=DPI, metadata={"Software": None})
