"""How gradients fade with distance, in fresh and in trained networks: RNN with tanh and ReLU, and LSTM."""

import numpy as np

from numpylm.figures.drawing import charts
from numpylm.figures.flow import gradients_by_distance, jacobian_norms
from numpylm.figures.trained import corpus, trained
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.lstm import lstm_cell
from numpylm.plots import BLUE, GREEN, ORANGE
from numpylm.rnn import rnn_cell

FAR, D, H, SEQUENCES, WINDOWS = 60, 32, 32, 4, 64
FLOOR = 1e-17  # about the rounding of float64 beside 1: smaller gradients mean nothing
LINES = (
    ("RNN, tanh", "tanh", "h", BLUE, "--"),
    ("RNN, ReLU", "relu", "h", ORANGE, "-."),
    ("LSTM, through $h_t$", "lstm", "h", GREEN, ":"),
    ("LSTM, through $c_t$", "lstm", "c", GREEN, "-"),
)
CELLS = {"tanh": rnn_cell("tanh"), "relu": rnn_cell("relu"), "lstm": lstm_cell()}


def draw():
    """The picture, as a Figure."""
    figure, (left, right) = charts(10, 4.6, 2, sharey=True)
    distances = np.arange(1, FAR)
    for name, cell, field, color, style in LINES:
        left.semilogy(distances, fresh_norms(cell, field), style, color=color, label=name)
        right.semilogy(distances, trained_norms(cell, field), style, color=color)
    left.set(title="as initialized", ylabel=r"$\Vert\partial h_T \,/\, \partial h_t\Vert$   (or $\partial c_t$)")
    right.set(
        title="trained on the grammar", ylabel=r"$\Vert\partial L_T \,/\, \partial h_t\Vert$   (or $\partial c_t$)"
    )
    for axes in (left, right):
        axes.set(xlabel="distance T − t in steps", xlim=(0, FAR))
    left.legend(loc="lower left")
    return figure


def fresh_norms(name, field):
    """Geometric means over random sequences of ‖∂h_T/∂h_t‖ by distance, with the weights that training starts from."""
    rng, cell = np.random.default_rng(0), CELLS[name]
    logarithms = []
    for _ in range(SEQUENCES):
        parameters = cell.initialize(rng, D, H)
        norms = jacobian_norms(cell, parameters, rng.standard_normal((FAR, D)), field)
        logarithms.append(np.log(np.maximum(norms, FLOOR)))
    return np.exp(np.mean(logarithms, axis=0))


def trained_norms(name, field):
    """Geometric means over windows of text of ‖∂L_T/∂h_t‖, L_T being the surprisal of the last word, by distance."""
    model = trained(name)
    parameters = model.parameters()
    tokens = corpus()[1][: WINDOWS * (FAR + 1)].reshape(WINDOWS, FAR + 1).T  # (T + 1, N)
    x = parameters["E"][tokens[:-1]]
    layer = model.layer_parameters(0)
    h = model.cell.forward(layer, x, model.initial_state(WINDOWS)[0]).h
    _, trace = cross_entropy_forward(h[-1:] @ parameters["W_hy"] + parameters["b_y"], tokens[-1:])
    dh_T = WINDOWS * cross_entropy_backward(trace)[0] @ parameters["W_hy"].T
    gradients = gradients_by_distance(model.cell, layer, x, dh_T)
    norms = [np.linalg.norm(getattr(gradient, field), axis=1) for gradient in gradients]
    return np.exp(np.mean(np.log(np.maximum(norms, FLOOR)), axis=1))
