"""python -m numpylm gradcheck: the package proves its own gradients.

Every function and every whole model, every argument, in float64, with weights, biases and cotangents of order one and
sizes that all differ, by three methods that have nothing in common: central differences, the complex step, and random
projection (the dot-product test). Each cell of the table is the worst relative error over an array's entries.
"""

import time
from typing import Any, NamedTuple

import numpy as np

from numpylm.activations import (
    log_softmax,
    log_softmax_backward,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    softmax,
    softmax_backward,
    tanh,
    tanh_backward,
)
from numpylm.affine import affine_backward, affine_forward
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.gru import gru_cell
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.lstm import lstm_cell
from numpylm.model import GRULM, LSTMLM, RNNLM, make_model
from numpylm.projection import Lookup, projection_backward, projection_forward
from numpylm.proof.gradient_check import check_gradients
from numpylm.rnn import rnn_cell

METHODS = ("central", "complex", "projection")
T, N, D, H, V = 4, 3, 2, 5, 7
LINE = "{:<19}{:<16}{:>8}{:>12}{:>12}{:>12}"
CELLS = {
    "rnn (tanh)": rnn_cell("tanh"),
    "rnn (relu)": rnn_cell("relu"),
    "lstm": lstm_cell(),
    "gru": gru_cell(),
}
MODELS = {
    "RNNLM (tanh)": RNNLM(V, D, H, num_layers=2),
    "RNNLM (relu)": RNNLM(V, D, H, num_layers=2, nonlinearity="relu"),
    "LSTMLM": LSTMLM(V, D, H, num_layers=2),
    "LSTMLM, tied": LSTMLM(V, H, H, tie_weights=True),
    "GRULM": GRULM(V, D, H, num_layers=2),
    "LSTMLM, dropout": LSTMLM(V, D, H, num_layers=2, dropout=0.4),
    "GRULM, variational": GRULM(V, D, H, dropout=0.4, dropout_kind="variational"),
}
MASK = np.arange(T)[:, None] < np.array([T, 1, 3])  # (T, N): the second and third sequence end early


class Case(NamedTuple):
    """One function to prove: f(**arguments), its claimed gradients, and cotangents where f returns arrays."""

    name: str
    f: Any
    arguments: dict
    gradients: dict
    cotangents: Any


def gradcheck(options):
    """Prints the table and the verdict; returns 0 if every gradient is right, else 1."""
    started = time.perf_counter()
    print(LINE.format("function", "gradient of", "entries", *METHODS))
    worst, failed, num_entries = dict.fromkeys(METHODS, 0.0), [], 0
    for case in cases(np.random.default_rng(options.seed)):
        reports = {method: prove(case, method) for method in METHODS}
        failed += [f"{case.name} by {method}" for method, report in reports.items() if not report.ok]
        for rows in zip(*[reports[method].rows for method in METHODS], strict=False):
            errors = [scaled_error(row) for row in rows]
            print(LINE.format(case.name, rows[0].name, rows[0].num_checked, *[f"{error:.0e}" for error in errors]))
            worst = {method: max(worst[method], error) for method, error in zip(METHODS, errors, strict=True)}
            num_entries += rows[0].num_checked
    print(LINE.format("worst", "", f"{num_entries:,}", *[f"{worst[method]:.0e}" for method in METHODS]))
    verdict = "WRONG: " + ", ".join(failed) if failed else "Every gradient is right"
    print(f"{verdict}; {time.perf_counter() - started:.1f} s.")
    return 1 if failed else 0


def prove(case, method):
    """The report of one case by one method, every entry of every array."""
    return check_gradients(*case[1:4], method, case.cotangents, max_entries=None)


def scaled_error(row):
    """The largest |claimed - numeric| of an array, relative to the size of its largest entry (or of the projection)."""
    if row.error is None:
        return row.relative_error
    return float(row.error.max() / max(1.0, row.largest))


def cases(rng):
    """Every function with its derivative, every cell, every model."""
    yield from activation_cases(rng)
    yield affine_case(rng)
    yield embedding_case(rng)
    yield cross_entropy_case(rng)
    yield projection_case(rng)
    for name, cell in CELLS.items():
        yield sequence_case(name, cell, rng)
        yield sequence_case(f"{name}, masked", cell, rng, MASK, rng.choice([0, 2.0], (N, H)))
    for name, model in MODELS.items():
        yield model_case(name, model, rng)


def activation_cases(rng):
    """Each activation function of an array (N, V)."""
    a, dy = rng.standard_normal((2, N, V))
    pairs = {
        "sigmoid": (sigmoid, sigmoid_backward),
        "tanh": (tanh, tanh_backward),
        "relu": (relu, relu_backward),
        "softmax": (softmax, softmax_backward),
        "log_softmax": (log_softmax, log_softmax_backward),
    }
    for name, (forward, backward) in pairs.items():
        yield Case(name, forward, {"a": a}, {"a": backward(dy, forward(a))}, dy)


def affine_case(rng):
    """y = x W + b."""
    x, W, b, dy = (rng.standard_normal(shape) for shape in ((T, N, D), (D, H), H, (T, N, H)))
    gradients = affine_backward(dy, x, W)
    claim = {"x": gradients.dx, "W": gradients.dW, "b": gradients.db}
    return Case("affine", affine_forward, {"x": x, "W": W, "b": b}, claim, dy)


def embedding_case(rng):
    """x = E[tokens], with tokens that occur more than once."""
    tokens, E, dx = rng.integers(0, V, (T, N)), rng.standard_normal((V, D)), rng.standard_normal((T, N, D))
    claim = {"E": embedding_backward(dx, tokens, V)}
    return Case("embedding", lambda E: embedding_forward(tokens, E), {"E": E}, claim, dx)


def cross_entropy_case(rng):
    """The loss from logits, with some targets that are not predicted."""
    logits, targets = rng.standard_normal((T, N, V)), rng.integers(-1, V, (T, N))
    claim = {"logits": cross_entropy_backward(cross_entropy_forward(logits, targets)[1])}
    return Case(
        "cross_entropy", lambda logits: cross_entropy_forward(logits, targets)[0], {"logits": logits}, claim, None
    )


def projection_case(rng):
    """xW by the folded table, from E in place of x."""
    tokens, E, W_x, b = rng.integers(0, V, (T, N)), *[rng.standard_normal(shape) for shape in ((V, D), (D, H), H)]
    dxW = rng.standard_normal((T, N, H))
    gradients = projection_backward(dxW, E[tokens], W_x, Lookup(tokens, E))
    claim = {"E": gradients.dE, "W_x": gradients.dW_x, "b": gradients.db}

    def forward(E, W_x, b):
        return projection_forward(E[tokens], W_x, b, Lookup(tokens, E))

    return Case("folded projection", forward, {"E": E, "W_x": W_x, "b": b}, claim, dxW)


def sequence_case(name, cell, rng, mask=None, recurrent_dropout=None):
    """A whole sequence of one cell: parameters, x and state_0 from cotangents of h and state_T; with a mask, sequences
    that end early, and with recurrent_dropout (N, H) on h_{t-1}."""

    def state():
        return cell.State(*[rng.standard_normal((N, H)) for _ in cell.State._fields])

    parameters = cell.Parameters(*[rng.standard_normal(shape) for shape in cell.shapes(D, H).values()])
    x, state_0, dh, dstate_T = rng.standard_normal((T, N, D)), state(), rng.standard_normal((T, N, H)), state()

    def forward(x, state_0, **parameters):
        out = cell.forward(cell.Parameters(**parameters), x, state_0, mask, recurrent_dropout)
        return {"h": out.h, "state": out.state}

    trace = cell.forward(parameters, x, state_0, mask, recurrent_dropout).trace
    found = cell.backward(parameters, dh, dstate_T, trace)
    arguments = {**parameters._asdict(), "x": x, "state_0": state_0}
    claim = {**found.dparameters._asdict(), "x": found.dx, "state_0": found.dstate_0}
    return Case(name, forward, arguments, claim, {"h": dh, "state": dstate_T})


def model_case(name, model, rng):
    """Every parameter of a whole language model: embedding, layers, projection, loss; dropout, if any, always draws the
    same masks."""
    parameters = {key: rng.standard_normal(array.shape) for key, array in model.parameters().items()}
    tokens, seed = rng.integers(0, V, (T + 1, N)), int(rng.integers(1000))

    def run(parameters):
        changed = make_model(model.cell, model.sizes, parameters)
        return changed.loss_and_gradients(tokens[:-1], tokens[1:], rng=np.random.default_rng(seed))

    return Case(name, lambda **parameters: run(parameters).loss, parameters, run(parameters).gradients, None)
