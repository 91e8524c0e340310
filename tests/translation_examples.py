"""Small encoder-decoders and batches of unequal lengths, for the tests of translation and beam search."""

import numpy as np
from models import randomized

from numpylm.masking import lengths_to_mask
from numpylm.translation import EncoderDecoder

T_X, T_Y, N, D, H, V_X, V_Y = 5, 4, 3, 4, 6, 7, 5
SOURCE_LENGTHS, TARGET_LENGTHS = np.array([5, 2, 4]), np.array([3, 4, 2])
MASK = lengths_to_mask(SOURCE_LENGTHS, T_X)


def random_model(seed=0, dtype=np.float64, embedding_dim=D, **kind):
    """An EncoderDecoder whose parameters, biases too, are of order one."""
    return randomized(EncoderDecoder(V_X, V_Y, embedding_dim, H, dtype=dtype, **kind), np.random.default_rng(seed))


def random_batch(seed=0):
    """source (T_x, N), inputs and targets (T_y, N); a target after the sentence's end is -1."""
    rng = np.random.default_rng(seed)
    source, inputs = rng.integers(0, V_X, (T_X, N)), rng.integers(0, V_Y, (T_Y, N))
    targets = np.where(lengths_to_mask(TARGET_LENGTHS, T_Y), rng.integers(0, V_Y, (T_Y, N)), -1)
    return source, inputs, targets
