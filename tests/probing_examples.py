"""A vocabulary of the built-in grammar, and small models of it with weights of order one."""

import numpy as np

import numpylm as nlm
from numpylm.data.grammar import generate_text

VOCABULARY = nlm.build_vocabulary(generate_text(20_000, 0), "word")
ID = {token: k for k, token in enumerate(VOCABULARY.tokens)}
V = len(VOCABULARY)
MODELS = {"rnn": nlm.RNNLM, "lstm": nlm.LSTMLM, "gru": nlm.GRULM}


def random_model(cell, num_layers=1, seed=0, vocab_size=V):
    """Weights and biases of order one, float64."""
    model = MODELS[cell](vocab_size, 5, 7, num_layers, dtype=np.float64)
    rng = np.random.default_rng(seed)
    for array in model.parameters().values():
        array[...] = 0.7 * rng.standard_normal(array.shape)
    return model
