"""Memory network and recurrent reader: every parameter, with stories and sentences of unequal lengths."""

import numpy as np

from numpylm.memory_network import MemoryNetwork
from numpylm.proof.cases.case import D, N, V, model_case
from numpylm.reader import Reader

LENGTHS = np.array([[3, 1, 2], [1, 3, 2], [2, 0, 3], [3, 0, 0]])  # (I, N) words; 0: no such sentence
QUESTION_LENGTHS = np.array([2, 1, 3])
NUM_SENTENCES, J = len(LENGTHS), LENGTHS.max()


def cases(rng):
    """Both ways to share tables, with and without softmax; a reader. Words beyond a sentence's length are -1."""
    story = np.where(np.arange(J) < LENGTHS[:, :, None], rng.integers(0, V, (NUM_SENTENCES, N, J)), -1)
    question = np.where(np.arange(J) < QUESTION_LENGTHS[:, None], rng.integers(0, V, (N, J)), -1)
    data = story, question, rng.integers(0, V, N)
    for tying, linear in (("adjacent", False), ("layer-wise", False), ("adjacent", True)):
        model = MemoryNetwork(V, D, 2, NUM_SENTENCES, tying)
        yield model_case(f"memory, {'linear' if linear else tying}", model, rng, *data, linear, draws=False)
    yield model_case("reader", Reader(V, D, 4, 2, cell="gru", first="story", dropout=0.4), rng, *data)
