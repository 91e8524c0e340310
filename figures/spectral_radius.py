"""Vanishing and exploding: what T - t products with W_hh make of a gradient, by the spectral radius ρ of W_hh.

Without f the gradient of h_T with respect to h_t is a power of W_hh, and grows or shrinks as ρ to the distance. With
tanh each product is also scaled by 1 - h², at most 1. No factor is longer than before, but the product of all of them
can be: W = [[1, 1], [-1, -1]] has W² = 0, and with F = diag(1, 1/2) the square of W F is not 0. In these pictures it
comes out smaller.
"""

import numpy as np

from numpylm.figures.drawing import charts
from numpylm.figures.flow import jacobian_norms
from numpylm.plots import BLUE, GREEN, GREY, ORANGE
from numpylm.rnn import RNNParameters, rnn_cell

FAR, D, H = 60, 8, 64
LINES = ((1.2, ORANGE, "-."), (1.1, ORANGE, (0, (9, 2))), (1.0, GREY, "-"), (0.9, BLUE, "--"), (0.8, GREEN, ":"))


PANELS = (
    ("without f: powers of $W_{hh}$", None),
    ("tanh, inputs of 0.01", 0.01),
    ("tanh, inputs of 1", 1.0),
)


def draw():
    """The picture, as a Figure."""
    figure, panels = charts(10.5, 4.4, 3, sharey=True)
    for axes, (title, input_size) in zip(panels, PANELS, strict=True):
        for radius, color, style in LINES:
            norms = jacobian_norms_of(radius, input_size)
            axes.semilogy(np.arange(1, FAR), norms, linestyle=style, color=color, label=f"ρ = {radius}")
        axes.set(xlabel="distance T − t in steps", xlim=(0, FAR), ylim=(1e-8, 1e6))
        axes.set_title(title, fontsize=13)
    panels[0].set_ylabel(r"$\Vert\partial h_T \,/\, \partial h_t\Vert$")
    panels[0].legend(loc="lower left")
    return figure


def jacobian_norms_of(radius, input_size):
    """‖∂h_T/∂h_t‖ for the distances 1 to FAR - 1, of a random W_hh with this spectral radius."""
    rng = np.random.default_rng(1)
    W_hh = rng.standard_normal((H, H))
    W_hh *= radius / np.abs(np.linalg.eigvals(W_hh)).max()
    if input_size is None:
        return [np.linalg.norm(np.linalg.matrix_power(W_hh, k), 2) for k in range(1, FAR)]
    parameters = RNNParameters(rng.standard_normal((D, H)) / np.sqrt(D), W_hh, np.zeros(H))
    return jacobian_norms(rnn_cell("tanh"), parameters, input_size * rng.standard_normal((FAR, D)))
