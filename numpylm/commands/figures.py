"""python -m numpylm figures: draw the pictures that README.md and the notebooks show.

Each has a file in the folder figures/ of the project's repository, with a function draw() that returns a Figure. A file
whose name begins with _ is no picture: it holds what several of them use.
"""

import sys
from importlib import import_module
from pathlib import Path

from numpylm import plots

DESCRIPTION = "Draw every picture that README.md and the notebooks show, or those named."
SOURCES = Path(__file__).parents[2] / "figures"
DPI = 110  # with figures about ten inches wide: legible at a README's width


def add_options(parser):
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as lstm_cell (all)")
    parser.add_argument("--out", default="figures", metavar="DIR", help="the folder to write to (figures)")


def run(options):
    known = [path.stem for path in sorted(SOURCES.glob("[!_]*.py"))]
    if not known:
        raise ValueError("what draws the pictures is in the project's repository, not in the installed package")
    for name in options.names:
        if name not in known:
            raise ValueError(f"there is no picture {name!r}; there are {', '.join(known)}")
    sys.path.append(str(SOURCES))
    for name in options.names or known:
        path = Path(options.out) / f"{name}.png"
        save(name, path)
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB", flush=True)


def save(name, path):
    """Draw one picture into a file, with nothing in it that a second drawing would write differently."""
    from matplotlib import rc_context

    from numpylm.figures.drawing import FIGURE_STYLE

    with rc_context(FIGURE_STYLE):
        figure = import_module(name).draw()
        path.parent.mkdir(parents=True, exist_ok=True)
        plots.save(figure, path, dpi=DPI, metadata={"Software": None})
