"""Whole language models: every parameter, from the tokens to the loss."""

import numpy as np

from numpylm.model import GRULM, LSTMLM, RNNLM, make_model
from numpylm.proof.cases.case import Case, D, H, N, T, V

MODELS = {
    "RNNLM (tanh)": RNNLM(V, D, H, num_layers=2),
    "RNNLM (relu)": RNNLM(V, D, H, num_layers=2, nonlinearity="relu"),
    "LSTMLM": LSTMLM(V, D, H, num_layers=2),
    "LSTMLM, tied": LSTMLM(V, H, H, tie_weights=True),
    "GRULM": GRULM(V, D, H, num_layers=2),
    "LSTMLM, dropout": LSTMLM(V, D, H, num_layers=2, dropout=0.4),
    "GRULM, variational": GRULM(V, D, H, dropout=0.4, dropout_kind="variational"),
}


def cases(rng):
    """Each model, with new parameters of order one."""
    for name, model in MODELS.items():
        yield model_case(name, model, rng)


def model_case(name, model, rng):
    """Every parameter of one model. Its dropout, if any, always draws the same masks."""
    parameters = {key: rng.standard_normal(array.shape) for key, array in model.parameters().items()}
    tokens, seed = rng.integers(0, V, (T + 1, N)), int(rng.integers(1000))

    def run(parameters):
        changed = make_model(model.cell, model.sizes, parameters)
        return changed.loss_and_gradients(tokens[:-1], tokens[1:], rng=np.random.default_rng(seed))

    return Case(name, lambda **parameters: run(parameters).loss, parameters, run(parameters).gradients)
