"""What a number that is not finite comes from, where the inputs hold ±1000: of an overflow, or of a logarithm of 0.

A softmax that is written as it stands overflows in the row of the 1000. One that subtracts the largest entry of all
rows is 0/0 in every other row. A logarithm of a softmax that is right is -∞ wherever y is rounded to 0.
"""

import numpy as np

LARGE = 1000
TOO_LARGE = f"this input holds ±{LARGE}: e^{LARGE} is too large for a float64 number"
LOG_OF_ZERO = (
    f"this input holds ±{LARGE}, where the softmax's smallest y are rounded to 0, and the logarithm of 0 is -∞: "
    "compute log y without y, as a - max a - log Σ e^(a - max a)"
)
OTHER_ROWS = (
    f"this input holds {LARGE} in one row alone, and it is another row that is wrong: there e^(a - {LARGE}) is rounded "
    "to 0 in every place, and so is their sum. Subtract each row's own largest entry, not the largest of all"
)


def large_inputs_sentence(given, values):
    """A sentence on values that are not finite, given arrays with an entry of ±1000; None where there is none."""
    large = [array for array in given if array.size and np.abs(array).max() == LARGE]
    if not large or all(np.isfinite(value).all() for value in values.values()):
        return None
    for value in values.values():
        if value.shape == large[0].shape and value.ndim > 1 and not np.isfinite(value).all():
            return sentence_by_rows(large[0], value)
    return TOO_LARGE if any(np.isnan(value).any() for value in values.values()) else LOG_OF_ZERO


def sentence_by_rows(a, value):
    """By which entries are not finite: the large ones, those of rows without a 1000, or others."""
    bad, is_large, has_large = ~np.isfinite(value), np.abs(a) == LARGE, (a == LARGE).any(axis=-1)
    if bad[a == LARGE].any() or not (bad & ~is_large).any():
        return TOO_LARGE
    return OTHER_ROWS if (bad & ~is_large & ~has_large[..., None]).any() else LOG_OF_ZERO
