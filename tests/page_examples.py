"""Small models for the tests of the page, and what a page shows as numbers."""

from functools import cache

import numpy as np
import pytest

import numpylm as nlm
from numpylm.stepping.html_page import page


def drawn(model, seed=3, scale=1.0):
    """A model of this kind in float64, with parameters of order one, biases too."""
    rng = np.random.default_rng(seed)
    parameters = {name: scale * rng.standard_normal(array.shape) for name, array in model.parameters().items()}
    return model.with_parameters(parameters)


V, D, H = 5, 2, 4
PAGES = {
    "rnn": drawn(nlm.RNNLM(V, D, H)),
    "relu, two layers": drawn(nlm.RNNLM(V, D, H, nonlinearity="relu", num_layers=2), scale=0.5),
    "lstm": drawn(nlm.LSTMLM(V, D, H)),
    "lstm, tied, two layers": drawn(nlm.LSTMLM(V, H, H, tie_weights=True, num_layers=2)),
    "gru, two layers": drawn(nlm.GRULM(V, D, H, num_layers=2)),
}
TOKENS = np.array([3, 1, 1, 4, 0, 2])  # T = 5
LAYERS = [("rnn", 0), ("relu, two layers", 0), ("lstm", 0), ("lstm, tied, two layers", 1), ("gru, two layers", 1)]
all_pages = pytest.mark.parametrize(("name", "layer"), LAYERS)


@cache
def page_of(name, layer=0, names=tuple("abcde"), **options):
    return page(PAGES[name], TOKENS, names, layer, name, **options)


def number(text):
    """The number that a page shows, and how far it may lie from the true one."""
    text = text.replace("−", "-")
    digits = 10.0 ** int(text.split("e")[1]) * 0.05 if "e" in text else 0.5e-4
    return float(text), digits * (1 + 1e-9)


def assert_shown(text, true):
    shown, error = number(text)
    assert abs(shown - true) <= error, (text, true)
