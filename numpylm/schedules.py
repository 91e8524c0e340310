"""Learning-rate schedules: functions of how far training is.

constant            α
decay               α factor^max(0, epoch - start)     epoch counted from 0         Zaremba et al. (2014)
plateau             α factor^k       k: how often validation failed to improve      PyTorch's word_language_model
cosine              α (1 + cos(π progress)) / 2        progress from 0 to 1         Loshchilov and Hutter (2017)
"""

import math

SCHEDULES = ("constant", "decay", "plateau", "cosine")


def decay(learning_rate, epoch, start, factor):
    """The full rate up to and including epoch `start` (counted from 0); then times factor with each further epoch.

    The small model of Zaremba et al. has start=3 and factor=0.5: the first four epochs (0 to 3) at the full rate, the
    fifth at half of it, the sixth at a quarter.
    """
    return learning_rate * factor ** max(0, epoch - start)


def plateau(learning_rate, valid_losses, factor):
    """Times factor for each epoch whose validation loss was no better than the best before it."""
    failures, best = 0, math.inf
    for loss in valid_losses:
        failures += loss >= best
        best = min(best, loss)
    return learning_rate * factor**failures


def cosine(learning_rate, progress):
    """From the full rate at progress 0 along half a cosine to zero at progress 1."""
    return learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
