"""The sizes that the benchmark measures, from a course's exercise to Penn Treebank, and random tokens of these sizes.

T time steps · N sequences in a batch · D embedding size · H hidden size · V vocabulary size · one recurrent layer
"""

from typing import NamedTuple


class Shape(NamedTuple):
    """A name and the sizes T, N, D, H and V."""

    name: str
    T: int
    N: int
    D: int
    H: int
    V: int


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("A", 50, 32, 64, 128, 65),  # a course's character model
        Shape("B", 50, 50, 128, 256, 96),  # char-rnn
        Shape("C", 35, 20, 200, 200, 10_000),  # Penn Treebank, small
        Shape("D", 25, 1, 65, 100, 65),  # min-char-rnn
        Shape("E", 35, 20, 650, 650, 10_000),  # Penn Treebank, medium
    )
}
GATES = {"lstm": 4, "rnn": 1, "gru": 3}  # how many blocks of H columns W_x and W_h have


def pairs(cells, shapes):
    """The (cell, Shape) pairs to measure, cell by cell. D belongs to min-char-rnn: to the RNN alone."""
    return [(cell, shape) for cell in cells for shape in shapes if cell == "rnn" or shape.name != "D"]


def named(shapes, name):
    """The shape of that name; the first one if there is none."""
    return next((shape for shape in shapes if shape.name == name), shapes[0])


def parse_shape(text):
    """A Shape from its name, or from five sizes T,N,D,H,V such as 50,32,64,128,65.

    Raises ValueError that says what was expected.
    """
    if text.upper() in SHAPES:
        return SHAPES[text.upper()]
    sizes = text.split(",")
    if len(sizes) != 5 or not all(size.isdecimal() and int(size) > 0 for size in sizes):
        raise ValueError(f"a shape is one of {', '.join(SHAPES)}, or five sizes T,N,D,H,V above 0; got {text!r}")
    return Shape(text, *map(int, sizes))


def random_batch(shape, rng):
    """Random inputs and targets (2, T, N): the time of a step does not depend on them."""
    return rng.integers(shape.V, size=(2, shape.T, shape.N))
