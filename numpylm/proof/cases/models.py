"""Whole language models: every parameter, from the tokens to the loss."""

from numpylm.model import GRULM, LSTMLM, RNNLM
from numpylm.proof.cases.case import D, H, N, T, V, model_case

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
        tokens = rng.integers(0, V, (T + 1, N))
        yield model_case(name, model, rng, tokens[:-1], tokens[1:])
