"""The error of each numerical derivative against its step; notebook 4 draws the same curves."""

import numpy as np

from numpylm.figures.drawing import charts
from numpylm.figures.step_size import draw_step_sizes


def draw():
    """The picture, as a Figure."""
    figure, axes = charts(10, 4.5, 2, sharey=True)
    for place, dtype in zip(axes, (np.float32, np.float64), strict=True):
        draw_step_sizes(place, dtype)
    axes[0].set_ylabel("relative error of the derivative")
    axes[0].legend(loc="lower left")
    return figure
