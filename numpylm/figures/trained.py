"""Small models that the pictures look into, trained on the built-in grammar in a few seconds."""

from functools import cache

import numpy as np

from numpylm.data import grammar
from numpylm.data.batches import cut_streams
from numpylm.data.text import build_vocabulary, encode_stream
from numpylm.model import LSTMLM, RNNLM
from numpylm.optimizers import Adam
from numpylm.training import train_step

NUM_WORDS, N, T, D, H = 300_000, 32, 32, 32, 32
MODELS = {
    "tanh": lambda V: RNNLM(V, D, H),
    "relu": lambda V: RNNLM(V, D, H, nonlinearity="relu"),
    "lstm": lambda V: LSTMLM(V, D, H),
}


@cache
def corpus():
    """(vocabulary, tokens) of a text from the grammar."""
    text = grammar.generate_text(NUM_WORDS, seed=1)
    vocabulary = build_vocabulary(text, "word")
    return vocabulary, encode_stream(vocabulary, text)


@cache
def trained(name):
    """The model of that name after one pass over the text, in float64 so that its gradients can be followed far."""
    vocabulary, tokens = corpus()
    model = MODELS[name](len(vocabulary))
    inputs, targets = cut_streams(tokens, N)
    optimizer, state = Adam(learning_rate=0.01), None
    starts = range(0, len(inputs) - T + 1, T)
    for done, start in enumerate(starts):
        optimizer.learning_rate = 0.01 * (1 - done / len(starts))
        window = slice(start, start + T)
        _, _, state = train_step(model, optimizer, inputs[window], targets[window], state, max_norm=5.0)
    return model.astype(np.float64)
