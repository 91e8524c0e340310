"""Clipping: the norm of all parameters together, a scaling that keeps the direction, and gradients left untouched."""

import math

import numpy as np
import pytest
from gradient_proofs import read_only
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpylm import clip_by_global_norm, clip_by_value

# entries that are zero or large enough that their squares are normal numbers
ENTRIES = st.floats(1e-3, 1e6) | st.floats(-1e6, -1e-3) | st.just(0.0)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
GRADIENTS = st.dictionaries(
    st.sampled_from(["E", "W_xh", "W_hh", "b_h", "b_y"]), hnp.arrays(np.float64, SHAPES, elements=ENTRIES)
)


def norm_entry_by_entry(gradients):
    return math.sqrt(math.fsum(float(g) ** 2 for gradient in gradients.values() for g in gradient.ravel()))


@given(GRADIENTS, st.floats(1e-3, 1e7))
def test_the_clipped_norm_is_at_most_max_norm_and_the_direction_stays(gradients, max_norm):
    expected = norm_entry_by_entry(gradients)
    clipped, norm = clip_by_global_norm(read_only(gradients), max_norm)
    assert norm == pytest.approx(expected, rel=1e-13)
    assert norm_entry_by_entry(clipped) == pytest.approx(min(max_norm, expected), rel=1e-13)
    assert list(clipped) == list(gradients)
    scale = max_norm / expected if expected > max_norm else 1.0
    for name, gradient in gradients.items():
        assert clipped[name].shape == gradient.shape
        np.testing.assert_allclose(clipped[name], gradient * scale, rtol=1e-13)


@given(GRADIENTS, st.floats(1e-3, 1e7))
def test_by_value_brings_every_entry_into_the_limits(gradients, limit):
    clipped = clip_by_value(read_only(gradients), limit)
    assert list(clipped) == list(gradients)
    for name, gradient in gradients.items():
        expected = [min(max(float(g), -limit), limit) for g in gradient.ravel()]
        assert clipped[name].shape == gradient.shape
        assert clipped[name].ravel().tolist() == expected


def test_small_cases_by_hand():
    gradients = {"W": np.array([[3.0]]), "b": np.array([0.0, -4.0])}
    clipped, norm = clip_by_global_norm(gradients, 2.5)
    assert norm == 5 and clipped["W"].tolist() == [[1.5]] and clipped["b"].tolist() == [0, -2]
    clipped, norm = clip_by_global_norm({"W": np.array([3 + 4j])}, 2.5)
    assert norm == 5 and clipped["W"].tolist() == [1.5 + 2j]
    assert clip_by_global_norm({}, 1.0) == ({}, 0.0) and clip_by_value({}, 1.0) == {}
    for max_norm in (5, 5.0, 6, math.inf):  # nothing is clipped at the limit itself
        clipped, norm = clip_by_global_norm(gradients, max_norm)
        assert norm == 5 and clipped["W"] is gradients["W"] and clipped is not gradients


@pytest.mark.parametrize("clip", [lambda *given: clip_by_global_norm(*given)[0], clip_by_value])
@pytest.mark.parametrize("limit", [0.5, np.float32(0.5), np.float64(0.5), 1, np.int64(1)])
def test_float32_gradients_stay_float32_whatever_number_the_limit_is(clip, limit):
    clipped = clip({"W": np.full(10, 3, np.float32)}, limit)
    assert clipped["W"].dtype == np.float32
    assert np.abs(clipped["W"]).max() <= limit


def test_gradients_whose_squares_overflow_are_clipped_all_the_same():
    for dtype, huge in ((np.float32, 1e30), (np.float64, 1e200)):
        W, b = np.array([[1, -4, 2], [0, 1, 3]], dtype) * dtype(huge), np.array([-3 * huge], dtype)
        clipped, norm = clip_by_global_norm(read_only({"W": W, "b": b}), 2.0)
        assert norm == pytest.approx(math.sqrt(40) * huge, rel=1e-6)
        assert norm_entry_by_entry(clipped) == pytest.approx(2.0, rel=1e-6)
        assert clipped["b"].dtype == dtype
        assert clipped["b"][0] == pytest.approx(-6 / math.sqrt(40), rel=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_norm_that_is_not_finite_is_told_and_nothing_is_scaled(bad):
    gradients = {"W": np.array([1.0, bad], np.float32), "b": np.array([100.0], np.float32)}
    clipped, norm = clip_by_global_norm(gradients, 1.0)
    assert not math.isfinite(norm)
    assert all(clipped[name] is gradients[name] for name in gradients)
    by_value = clip_by_value(gradients, 2.0)["W"]
    np.testing.assert_array_equal(by_value, [1.0, bad if math.isnan(bad) else math.copysign(2, bad)])


def test_wrong_limits_are_refused():
    gradients = {"W": np.ones(2)}
    for wrong in (0, -1.0, math.nan, -math.inf, None, "5", True, [5.0], 1j):
        with pytest.raises(ValueError, match="max_norm must be a number above 0"):
            clip_by_global_norm(gradients, wrong)
        with pytest.raises(ValueError, match="limit must be a number above 0"):
            clip_by_value(gradients, wrong)


@pytest.mark.parametrize("clip", [clip_by_global_norm, clip_by_value])
def test_what_is_no_dict_of_arrays_is_refused(clip):
    for wrong, message in (
        (None, "gradients must be a dict, name -> array; got NoneType"),
        ([np.ones(2)], "gradients must be a dict, name -> array; got list of 1"),
        ({"W": None}, r"gradients\['W'\] must be a NumPy array; got NoneType"),
        ({"W": np.ma.ones(2)}, r"gradients\['W'\] must be a plain array; got a masked array"),
    ):
        with pytest.raises(TypeError, match=message):
            clip(wrong, 1.0)
