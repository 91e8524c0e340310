"""The small models that the step command shows; their weights have one decimal, so that they can be copied."""

import numpy as np

from numpylm.base import require
from numpylm.data.text import build_vocabulary
from numpylm.model import MODELS
from numpylm.translation import EncoderDecoder

DEFAULT_TEXT = "look"  # the first o is followed by o, the second by k: the state must tell them apart
D, H = 2, 3


def small_model(content=DEFAULT_TEXT, cell="lstm", seed=0):
    """(a model of the content's characters, their Vocabulary)."""
    vocabulary = build_vocabulary(content, "char")
    return one_decimal(MODELS[cell](len(vocabulary), D, H, dtype=np.float64), seed), vocabulary


def small_translator(content, attention, cell="lstm", seed=0):
    """(an EncoderDecoder of the content's characters, their Vocabulary): two hidden units for each direction."""
    vocabulary = build_vocabulary(content + "\n", "char")
    V = len(vocabulary)
    model = EncoderDecoder(V, V, D, 4, cell=cell, attention=attention, dtype=np.float64)
    return one_decimal(model, seed), vocabulary


def one_decimal(model, seed):
    """The model with parameters from -0.9 to 0.9 of one decimal, none of them zero: a missing term shows."""
    rng = np.random.default_rng(require.count("seed", seed))
    drawn = {}
    for name, array in model.parameters().items():
        drawn[name] = rng.choice([-1, 1], array.shape) * rng.integers(1, 10, array.shape) / 10
    return model.with_parameters(drawn)
