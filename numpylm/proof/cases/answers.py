"""Memory network and recurrent reader: every parameter, with stories and sentences of unequal lengths."""

import numpy as np

from numpylm.memory_network import MemoryNetwork
from numpylm.proof.cases.case import D, N, V, model_case
from numpylm.reader import Reader

LENGTHS = np.array([[3, 1, 2], [1, 3, 2], [2, 0, 3], [3, 0, 0]])  # (I, N) words; 0: no such sentence
QUESTION_LENGTHS = np.array([2, 1, 3])
NUM_SENTENCES, J = len(LENGTHS), LENGTHS.max()

MEMORY_NETWORKS = {
    "memory network": (MemoryNetwork(V, D, 3, NUM_SENTENCES), False),
    "memory network, layer-wise": (MemoryNetwork(V, D, 2, NUM_SENTENCES, "layer-wise"), False),
    "memory network, linear": (MemoryNetwork(V, D, 2, NUM_SENTENCES), True),
}
READERS = {
    "reader, lstm": Reader(V, D, 4, cell="lstm", bidirectional=True),
    "reader, gru": Reader(V, D, 4, 2, cell="gru", first="story", dropout=0.4),
    "reader, rnn": Reader(V, D, 4, cell="rnn"),
}


def cases(rng):
    """Both ways to share tables, with and without softmax; a reader of each cell."""
    for name, (model, linear) in MEMORY_NETWORKS.items():
        yield model_case(name, model, rng, *data(rng), linear, draws=False)
    for name, model in READERS.items():
        yield model_case(name, model, rng, *data(rng))


def data(rng):
    """A story, a question and the answers, in words that no sentence has beyond its length."""
    story = np.where(np.arange(J) < LENGTHS[:, :, None], rng.integers(0, V, (NUM_SENTENCES, N, J)), -1)
    question = np.where(np.arange(J) < QUESTION_LENGTHS[:, None], rng.integers(0, V, (N, J)), -1)
    return story, question, rng.integers(0, V, N)
