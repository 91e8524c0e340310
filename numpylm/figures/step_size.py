"""The error of each numerical derivative against its step, in float32 and float64.

The left branch of each curve is rounding, which a larger step makes smaller; the right one is curvature. They meet
near eps^(1/2), eps^(1/3) and eps^(1/5); the complex step has no left branch.
"""

import numpy as np

from numpylm import plots
from numpylm.proof.numerical import ORDERS, derivative

LINES = {
    "forward": (plots.ORANGE, "-"),
    "central": (plots.BLUE, "--"),
    "fourth": (plots.GREEN, "-."),
    "complex": ("black", ":"),
}


def draw_step_sizes(axes, dtype):
    """The four curves of one dtype, each with a dot at the step that the rule recommends."""
    steps, least = 10.0 ** np.arange(-14, 0.01, 0.25), 1e-17  # an exact agreement cannot be drawn on such an axis
    for method, (color, style) in LINES.items():
        errors = [derivative_error(method, dtype, step) for step in steps]
        axes.loglog(steps, np.maximum(errors, least), style, color=color, label=method)
        if method in ORDERS:
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
