"""A small model for the step command: its text, its sizes and its weights."""

DEFAULT_TEXT = "look"  # the first o is followed by o, the second by k: the state must tell them apart
D, H = 2, 3


def one_decimal(rng, shape):
    """Numbers from -0.9 to 0.9 with one decimal, none of them zero: a missing term shows."""
    return rng.choice([-1, 1], shape) * rng.integers(1, 10, shape) / 10
