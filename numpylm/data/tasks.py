"""Two tasks that only a memory can solve, with the error of the best that can be done without one.

    adding      x_t = (value in 0..1, mark): two of T values are marked, one in each half; what is their sum?
                Always answering 1 gives a mean squared error of 1/6, the variance of the sum.
                Hochreiter and Schmidhuber (1997), section 5.4, with the ranges of Le, Jaitly and Hinton (2015)

    copy        ten symbols, T - 1 blanks, a delimiter, ten blanks; the target is T + 10 blanks, then the ten symbols.
                Knowing when, but not what, gives a loss of 10 ln 8 / (T + 20) nats per step.
                Hochreiter and Schmidhuber (1997), in the form of Arjovsky, Shah and Bengio (2016), section 4.1

The adding problem's loss is the mean squared error of N answers:

    loss = (1/N) Σ_n (y[n] - target[n])²        y (N, 1)   target (N, 1)
"""

import math

import numpy as np

from numpylm.base import require

NUM_SYMBOLS, NUM_COPIED = 8, 10
BLANK, DELIMITER = NUM_SYMBOLS, NUM_SYMBOLS + 1
COPY_VOCABULARY = NUM_SYMBOLS + 2
ADDING_BASELINE = 1 / 6  # mean squared error: the variance of the sum of two uniform numbers, each 1/12


def adding_batch(rng, T, N, dtype=np.float32):
    """N adding problems of T steps: x (T, N, 2), of values and marks, and the sums (N, 1).

    Raises ValueError unless T is an integer of 2 or more, and N of 1 or more.
    """
    require.positive_integer("N", N)
    if require.positive_integer("T", T) < 2:
        raise ValueError(f"T must be 2 or more, for two marks; got {T}")
    values, marks = rng.random((T, N)), np.zeros((T, N))
    marks[rng.integers(0, T // 2, N), np.arange(N)] = 1
    marks[rng.integers(T // 2, T, N), np.arange(N)] = 1
    sums = (values * marks).sum(axis=0)[:, None]  # (N, 1)
    return np.stack([values, marks], axis=-1).astype(dtype), sums.astype(dtype)


def copy_batch(rng, T, N):
    """N copy problems with a gap of T: inputs and targets (T + 20, N), tokens below COPY_VOCABULARY.

    Raises ValueError unless T and N are positive integers.
    """
    require.positive_integer("T", T)
    require.positive_integer("N", N)
    symbols = rng.integers(0, NUM_SYMBOLS, (NUM_COPIED, N))
    inputs = np.full((T + 2 * NUM_COPIED, N), BLANK)
    targets = inputs.copy()
    inputs[:NUM_COPIED] = symbols
    inputs[NUM_COPIED + T - 1] = DELIMITER
    targets[-NUM_COPIED:] = symbols
    return inputs, targets


def copy_baseline(T):
    """Nats per step of the best answer that remembers nothing: blanks, then each of eight symbols equally likely."""
    return NUM_COPIED * math.log(NUM_SYMBOLS) / (require.positive_integer("T", T) + 2 * NUM_COPIED)


def squared_error_forward(y, target):
    """The mean over N examples of (y - target)², a number, from y and target (N, 1)."""
    error = y - target
    return (error * error).mean().item()


def squared_error_backward(y, target):
    """dy (N, 1): 2 (y - target) / N."""
    return 2 * (y - target) / y.size
