"""How good a language model is on a stream of tokens.

    surprisal of token t    -log y_{t-1}[token_t]                      nats
    loss                    the mean surprisal                         nats per token
    perplexity              e^loss: as uncertain as a fair choice among this number of tokens
    bits per token          loss / log 2
    accuracy                how often the most probable token is the one that comes

The stream is read once, in order, with the state carried from window to window; its first token is only context, and
every later one is predicted. With batch_size N > 1 the stream is cut into N parts that are read side by side: faster,
but N - 1 parts start without their context, and up to N - 1 tokens at the end are left out (batches.py).
"""

import math
from typing import NamedTuple

import numpy as np

from numpylm.base import require
from numpylm.base.ranks import ALONE, part_of
from numpylm.data.batches import Streams, cut_streams, num_windows, window
from numpylm.loss import surprisal

WINDOW_VALUES = 2**21  # how many numbers a window's logits and trace may have, about: 8 MiB of float32


class Evaluation(NamedTuple):
    """total_nats over num_tokens predicted tokens, of which num_correct were the most probable one."""

    total_nats: float
    num_tokens: int
    num_correct: int

    @property
    def loss(self):
        """Mean nats per predicted token."""
        return self.total_nats / self.num_tokens

    @property
    def perplexity(self):
        """e^loss; infinite where that overflows."""
        return safe_exp(self.loss)

    @property
    def bits_per_token(self):
        """Mean bits per predicted token."""
        return self.loss / math.log(2)

    @property
    def accuracy(self):
        """Share of tokens that were the most probable one, from 0 to 1."""
        return self.num_correct / self.num_tokens


def perplexity(model, tokens, batch_size=1):
    """The model's perplexity on a stream of tokens (S,), S >= 2; see evaluate."""
    return evaluate(model, tokens, batch_size).perplexity


def evaluate(model, tokens, batch_size=1, ranks=ALONE):
    """The Evaluation of a model on a stream of tokens (S,), read in batch_size parts side by side, which ranks share.

    Raises ValueError for fewer than batch_size + 1 tokens, and for ids outside 0..V-1.
    """
    require.positive_integer("batch_size", batch_size)
    total_nats, num_tokens, num_correct = 0.0, 0, 0
    for logits, targets in predictions(model, tokens, batch_size, part_of(batch_size, ranks.rank, ranks.size)):
        total_nats += float(surprisal(logits, targets).sum(dtype=float))
        num_correct += int((logits.argmax(axis=-1) == targets).sum())
        num_tokens += targets.size
    total_nats, num_tokens, num_correct = ranks.total(np.array([total_nats, num_tokens, num_correct]))
    return Evaluation(float(total_nats), int(num_tokens), int(num_correct))


def surprisals(model, tokens):
    """-log probability in nats of each token of a stream (S,) but the first: an array (S - 1,)."""
    return np.concatenate([surprisal(logits, targets)[:, 0] for logits, targets in predictions(model, tokens, 1)])


def predictions(model, tokens, batch_size, part=slice(None)):
    """Window by window: logits (T, N, V) and the targets (T, N) that they predict, of a part of the N streams."""
    tokens = require.token_stream(tokens, require.language_model(model).sizes.vocab_size)
    streams = Streams(*[array[:, part] for array in cut_streams(tokens, batch_size)])
    num_streams = streams.inputs.shape[1]
    if num_streams == 0:
        return
    num_steps = steps_at_a_time(model.sizes, num_streams)
    state = None
    for k in range(num_windows(streams, num_steps)):
        inputs, targets = window(streams, num_steps, k)
        out = model.forward(inputs, state)
        state = out.state
        yield out.logits, targets


def steps_at_a_time(sizes, batch_size):
    """T for windows of N = batch_size streams: the more a step keeps (V logits; x, and in each layer up to eight arrays
    like h, twice while one window follows another), the fewer steps."""
    V, D, H, L = sizes[:4]
    return max(1, WINDOW_VALUES // (batch_size * (V + D + 16 * L * H)))


def safe_exp(loss):
    """e^loss as a float, infinity where it is too large for one; NaN stays NaN."""
    try:
        return math.exp(loss)
    except OverflowError:
        return math.inf
