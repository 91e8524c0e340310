"""The error of numerical derivatives against their step: drawn in numpylm/proof/gradient_plots.py."""

from numpylm.proof.gradient_plots import step_size_figure


def draw():
    """The picture, as a Figure."""
    return step_size_figure()
