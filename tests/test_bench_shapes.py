"""The benchmark's shapes: which pairs are measured, and how a shape is typed."""

import numpy as np
import pytest

from numpylm.bench.shapes import NINE_PAIRS, SHAPES, Shape, pairs, parse_shape, random_batch


def test_the_pairs_of_both_cells_are_the_nine_of_the_geometric_means():
    found = [(cell, shape.name) for cell, shape in pairs(("lstm", "rnn"), SHAPES.values())]
    assert found == NINE_PAIRS and len(NINE_PAIRS) == 9
    assert [shape.name for _, shape in pairs(["gru"], SHAPES.values())] == ["A", "B", "C", "E"]


def test_a_shape_is_a_name_or_five_sizes():
    assert parse_shape("b") == ("B", 50, 50, 128, 256, 96)
    assert parse_shape("3,2,4,5,7") == Shape("3,2,4,5,7", T=3, N=2, D=4, H=5, V=7)


@pytest.mark.parametrize("text", ["", "F", "3,2,4,5", "3,2,4,5,0", "3,2,4,5,-7", "3,2,4,5,x", "3,2,4,5,7,8"])
def test_other_shapes_are_refused_by_what_was_given(text):
    with pytest.raises(ValueError, match=r"T,N,D,H,V above 0; got '" + text):
        parse_shape(text)


def test_a_random_batch_has_the_shapes_sizes_and_tokens():
    shape = Shape("tiny", T=40, N=30, D=2, H=2, V=7)
    batch = random_batch(shape, np.random.default_rng(0))
    assert batch.inputs.shape == batch.targets.shape == (40, 30)
    assert set(np.unique(batch.inputs)) == set(np.unique(batch.targets)) == set(range(7))
    assert (batch.inputs != batch.targets).any()
