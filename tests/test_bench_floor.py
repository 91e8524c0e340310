"""The GEMM floor: its products are those of a training step, no fewer and no more."""

import numpy as np
import pytest

from numpylm.bench import floor
from numpylm.bench.floor import floor_flops, floor_step, product_sizes
from numpylm.bench.shapes import GATES, SHAPES, Shape

SHAPE = Shape("tiny", T=3, N=2, D=5, H=7, V=11)


@pytest.fixture
def multiplied(monkeypatch):
    """The (A, B, C) of every product (A, B) (B, C) that floor.py does from here on."""
    sizes = []

    def matmul(a, b, out):
        sizes.append((*a.shape, b.shape[1]))
        assert out.dtype == a.dtype == b.dtype == np.float32
        out[...] = a @ b
        return out

    monkeypatch.setattr(floor.np, "matmul", matmul)
    return sizes


@pytest.mark.parametrize("cell", GATES)
def test_the_products_that_are_done_are_those_that_are_counted(cell, multiplied):
    floor_step(cell, SHAPE, np.random.default_rng(0))()
    counted = [(A, B, C) for count, A, B, C in product_sizes(cell, SHAPE) for _ in range(count)]
    assert multiplied == counted
    assert len(counted) == 7 + 2 * SHAPE.T


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("shape", [SHAPE, *SHAPES.values()], ids=lambda shape: shape.name)
def test_the_count_of_operations_is_the_documented_formula(cell, shape):
    _, T, N, D, H, V = shape
    G = {"rnn": 1, "gru": 3, "lstm": 4}[cell]
    assert floor_flops(cell, shape) == 6 * T * N * (D * G * H + H * G * H + H * V)


def test_the_transposed_matrix_of_the_loop_is_contiguous_before_the_clock_starts(monkeypatch):
    contiguous = []
    step = floor_step("lstm", SHAPE, np.random.default_rng(0))
    monkeypatch.setattr(floor.np, "matmul", lambda a, b, out: contiguous.append((b.shape, b.flags.c_contiguous)))
    step()
    assert contiguous.count(((28, 7), True)) == SHAPE.T
