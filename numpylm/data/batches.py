"""From a stream of tokens to batches: parallel streams for truncated backpropagation, and padded sentences.

    tokens    a b c d e f g h i j k        N = 2 streams of L = 5 predictions

    inputs    a b c d e                    targets   b c d e f
              f g h i j                              g h i j k

The corpus is cut into N streams of equal length L, side by side as columns. A window is T rows of them; the last one
may be shorter. The next window starts from the state after this one. So every token has the whole of its stream before
it, while gradients reach back T steps at most. The last (S - 1) mod N of the S tokens are dropped, and every stream but
the first starts without the text before it.
"""

from typing import NamedTuple

import numpy as np

from numpylm.base import require


class Streams(NamedTuple):
    """inputs and targets, each (L, N): row t of inputs predicts row t of targets.

    Both are views of the tokens that cannot be written to; targets.astype(int) is a copy that can hold -1.
    """

    inputs: np.ndarray
    targets: np.ndarray


class PaddedBatch(NamedTuple):
    """inputs and targets (T, N), and mask (T, N); after a sequence's end inputs are 0, targets -1, and mask False."""

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray


def cut_streams(tokens, batch_size):
    """Cuts tokens (S,) into N = batch_size Streams of L = (S - 1) // N predictions each.

    Raises ValueError when there are fewer than N + 1 tokens, TypeError when they are not integers.
    """
    require.positive_integer("batch_size", batch_size)
    tokens = require.one_dimensional("tokens", require.integer_array("tokens", tokens))
    if len(tokens) < batch_size + 1:
        raise ValueError(
            f"N = {batch_size} streams need at least {batch_size + 1} tokens (one to read and one to predict in each); "
            f"got {len(tokens)}: choose a smaller batch size or a larger text"
        )
    N, L = batch_size, (len(tokens) - 1) // batch_size
    inputs = tokens[: N * L].reshape(N, L).T  # (L, N)
    targets = tokens[1 : N * L + 1].reshape(N, L).T  # (L, N)
    inputs.flags.writeable = targets.flags.writeable = False
    return Streams(inputs, targets)


def num_windows(streams, num_steps):
    """How many windows of T = num_steps rows the streams hold, the last and shorter one included."""
    return -(-len(streams.inputs) // num_steps)


def window(streams, num_steps, k):
    """The k-th window: inputs and targets, each (T, N), views of the tokens."""
    part = slice(k * num_steps, (k + 1) * num_steps)
    return streams.inputs[part], streams.targets[part]


def pad_sequences(sequences):
    """Sequences of different lengths (each a one-dimensional array of 2 or more tokens) as one PaddedBatch.

    Token t + 1 of a sequence is predicted from its tokens 0..t, so that T is the longest length less one.
    Raises ValueError for no sequence, one that is too short or has a negative token, TypeError for other than integers.
    """
    sequences = [
        require.one_dimensional("a sequence", require.integer_array("a sequence", sequence))
        for sequence in require.sequence("sequences", sequences)
    ]
    if not sequences or min(len(sequence) for sequence in sequences) < 2:
        raise ValueError(
            "pad_sequences needs one sequence or more, each of two tokens or more (one to read, one to predict)"
        )
    if min(sequence.min() for sequence in sequences) < 0:
        raise ValueError("a sequence must hold token ids, 0 or above; -1 would mean that its token is not predicted")
    targets = side_by_side([sequence[1:] for sequence in sequences], -1)
    return PaddedBatch(side_by_side([sequence[:-1] for sequence in sequences], 0), targets, targets >= 0)


def side_by_side(sequences, filled, dtype=int):
    """Sequences (T_n, …) of different lengths as the columns of one array (T, N, …), with `filled` after their ends."""
    T, N = max(map(len, sequences)), len(sequences)
    padded = np.full((T, N, *np.shape(sequences[0])[1:]), filled, dtype)
    for n, sequence in enumerate(sequences):
        padded[: len(sequence), n] = sequence
    return padded


def by_length(lengths, order, batch_size, group):
    """The places of each batch's sequences: similar lengths side by side, so that little of a batch is padding.

    The places come in the given order; those of `group` batches at a time are sorted by length.
    """
    size = group * batch_size
    groups = [sorted(order[i : i + size], key=lengths.__getitem__) for i in range(0, len(order), size)]
    return [places[i : i + batch_size] for places in groups for i in range(0, len(places), batch_size)]


def shuffled(num, seed, epoch):
    """A permutation of range(num) that depends only on seed and epoch: a resumed run cuts the same batches."""
    return np.random.default_rng([seed, 4, epoch]).permutation(num)


def batches_by_length(lengths, settings, group, batch_of):
    """(num_batches, batches) of a Task whose batches have sequences of about the same length: little is padding.

    Each epoch shuffles the sequences, sorts them within groups of `group` batches by length, and shuffles the batches.
    batch_of makes a batch from the places of its sequences.
    """
    N, seed = settings.batch_size, settings.seed
    num_batches = -(-len(lengths) // N)

    def batches(epoch, first):
        places = by_length(lengths, shuffled(len(lengths), seed, epoch), N, group)
        return (batch_of(places[k]) for k in shuffled(num_batches, seed + 1, epoch)[first:])

    return num_batches, batches
