"""The cliff: a loss that is flat on both sides of a steep wall, and descent over it with and without clipping.

One hidden unit without input, h_t = tanh(w h_{t-1} + b), runs T steps from h_0; the loss is (h_T - target)² / 2. For
w > 1 the unit has two resting places, and the wall stands where h_0 changes from one to the other. After the picture
by Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013), figure 6.
"""

import numpy as np

from numpylm.clipping import clip_by_global_norm
from numpylm.figures.drawing import charts
from numpylm.plots import BLUE, ORANGE
from numpylm.rnn import RNNParameters, RNNState, rnn_backward, rnn_forward

T, H_0, TARGET = 15, 0.1, 0.5
W_RANGE, B_RANGE, GRID = (0.8, 2.0), (-0.3, 0.2), 241
START, LEARNING_RATE, MAX_NORM, STEPS = (1.7, 0.0), 0.2, 0.3, 40
DESCENTS = (
    (np.inf, ORANGE, "s--", "without clipping"),
    (MAX_NORM, BLUE, "o-", f"clipped to norm {MAX_NORM:g}"),
)


def draw():
    """The picture, as a Figure."""
    figure, (left, right) = charts(10, 4.8, 2, width_ratios=(1.25, 1))
    draw_surface(figure, left)
    for max_norm, color, style, label in DESCENTS:
        path, losses = descend(max_norm)
        draw_path(left, path, color, style)
        right.semilogy(losses, style, color=color, markersize=5, lw=1.5, markerfacecolor="white", label=label)
    right.set(xlabel="step of gradient descent", title="the loss at each step", ylim=(3e-5, 8))
    right.legend(loc="lower left")
    return figure


def draw_surface(figure, axes):
    """The loss over w and b, darker where it is lower."""
    w, b = np.linspace(*W_RANGE, GRID), np.linspace(*B_RANGE, GRID)
    image = axes.imshow(
        np.log10(np.maximum(loss_surface(w, b), 1e-4)), extent=(*W_RANGE, *B_RANGE), origin="lower", aspect="auto",
        cmap="Greys_r", vmin=-5, vmax=0.4, interpolation="none",
    )  # fmt: skip
    bar = figure.colorbar(image, ax=axes, ticks=[-4, -3, -2, -1, 0], boundaries=np.linspace(-4, 0, 100))
    bar.ax.set_yticklabels([f"{10.0**k:g}" for k in range(-4, 1)])
    axes.grid(False)
    axes.set(xlabel="w", ylabel="b", xlim=W_RANGE, ylim=B_RANGE, title="the loss over w and b")


def draw_path(axes, path, color, style):
    """Where a descent went, and how far beyond the picture if it left it."""
    axes.plot(*path.T, style, color="white", markersize=7, lw=4)  # an edge, to be seen on dark and on light
    axes.plot(*path.T, style, color=color, markersize=5, lw=1.6, markerfacecolor="white")
    outside = np.flatnonzero((path[:, 1] < B_RANGE[0]) | (path[:, 1] > B_RANGE[1]))
    if len(outside):
        w, b = path[outside[0] - 1][0], path[outside[0]][1]
        axes.text(w - 0.05, -0.24, f"without clipping:\nthrown to b = {b:.1f}", fontsize=12, ha="right", va="center")


def descend(max_norm):
    """(w and b before each step (STEPS, 2), the losses there) of gradient descent from START."""
    place = dict(zip("wb", START, strict=True))
    path, losses = [], []
    for _ in range(STEPS):
        loss, gradients = loss_and_gradients(**place)
        path.append(tuple(place.values()))
        losses.append(loss)
        clipped, _ = clip_by_global_norm(gradients, max_norm)
        place = {name: float(place[name] - LEARNING_RATE * clipped[name]) for name in place}
    return np.array(path), losses


def loss_surface(w, b):
    """The loss at each w (columns) and b (rows): the units of one wide network do not see each other."""
    units = len(w)
    x, state_0 = np.zeros((T, 1, 1)), RNNState(np.full((1, units), H_0))
    rows = []
    for bias in b:
        parameters = RNNParameters(np.zeros((1, units)), np.diag(w), np.full(units, bias))
        rows.append((rnn_forward(parameters, x, state_0).h[-1, 0] - TARGET) ** 2 / 2)
    return np.array(rows)


def loss_and_gradients(w, b):
    """The loss at one place, and its gradients by name."""
    parameters = RNNParameters(np.zeros((1, 1)), np.array([[w]]), np.array([b]))
    out = rnn_forward(parameters, np.zeros((T, 1, 1)), RNNState(np.full((1, 1), H_0)))
    dh = np.zeros_like(out.h)
    dh[-1] = out.h[-1] - TARGET
    gradients = rnn_backward(parameters, dh, RNNState(np.zeros((1, 1))), out.trace).dparameters
    return float(dh[-1, 0, 0] ** 2 / 2), {"w": gradients.W_hh[0, 0], "b": gradients.b_h[0]}
