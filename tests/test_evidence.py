import numpy as np
import pytest

import numpylm as nlm
from numpylm.proof.evidence import gates_of, relations, same_arrays

rng = np.random.default_rng(0)
P, SQUARE, PACKED = rng.standard_normal((5, 3, 4)), rng.standard_normal((4, 4)), rng.standard_normal((3, 24))
SIZES = {"T": 5, "N": 3}


def only(q, p):
    (sentence, *_) = relations(q, p, SIZES, gates=4 if p is PACKED else 0)
    return sentence


def changed(p, *index):
    q = p.copy()
    q[index] *= 1.5
    return q


def gates(p, order):
    return np.concatenate([np.split(p, 4, axis=-1)[k] for k in order], axis=-1)


@pytest.mark.parametrize(
    ("q", "p", "expected"),
    [
        (0 * P, P, "it is zero everywhere"),
        (P, 0 * P, "the loss does not depend on it"),
        (gates(PACKED, (1, 1, 2, 3)), PACKED, "that of i equals that of f: the same array is returned for both"),
        (-P, P, "the wrong sign"),
        (2 * P, P, "it is the right one times 2"),
        (5 * P, P, "times 5, which is T (= 5)"),
        (P / 3, P, "which is 1/N (N = 3)"),
        (P * 15, P, "which is T·N (= 15)"),
        (P * 0.7, P, "it is the right one times 0.7"),
        (SQUARE.T, SQUARE, "the transpose of the right one"),
        (P[::-1], P, "reversed along axis 0 (T)"),
        (np.concatenate([P[:1], P[:-1]]), P, "entry t holds what belongs to t - 1"),
        (np.concatenate([P[1:], P[:1]]), P, "entry t holds what belongs to t + 1"),
        (gates(PACKED, (0, 1, 3, 2)), PACKED, "its gates stand in the order i, f, c̃, o"),
        (np.clip(P, -0.5, 0.5), P, "every entry clipped to ±0.5"),
        (np.broadcast_to(P.sum(axis=1, keepdims=True), P.shape), P, "the same all along axis 1 (N): something"),
        (np.broadcast_to(SQUARE.sum(axis=0), (4, 4)), SQUARE, "the same all along axis 0: something"),
        (SQUARE[::-1], SQUARE, "it is right, but reversed along axis 0"),
        (changed(P, slice(0, 4)), P, "what is carried from step t + 1 back to step t is missing or wrong"),
        (changed(P, slice(1, 5)), P, "right at the first time step only"),
        (changed(P, 2), P, "right at t = 0, 1, 3, 4, and wrong at all others"),
        (changed(PACKED, slice(None), slice(6, 12)), PACKED, "only its columns of f are wrong, of its 4 gates"),
    ],
)
def test_each_relation_is_named(q, p, expected):
    assert expected in only(q, p)


def test_what_has_no_relation_gets_no_sentence():
    assert relations(rng.standard_normal(P.shape), P, SIZES) == []
    assert relations(P, P, SIZES) == relations(np.array(2.0), np.array(3.0), SIZES) == []
    assert only(SQUARE[::-1], SQUARE).endswith("axis 0")


def test_there_is_no_word_about_gates_of_an_array_that_has_none():
    q = changed(PACKED, slice(None), slice(6, 12))
    assert relations(q, PACKED, SIZES) == []
    arrays = {"cell.W_h": np.zeros((5, 20)), "cell.W_x": np.zeros((3, 20)), "W": np.zeros((30, 30)), "b": np.zeros(20)}
    assert [gates_of(name, arrays) for name in arrays] == [4, 4, 0, 0]


def test_the_same_array_claimed_for_two_is_said_once():
    claims = {"db_i": PACKED, "db_f": PACKED, "db_o": SQUARE}
    assert same_arrays(claims, ["db_i"]) == ["db_i equals db_f: the same array is returned for both"]
    assert len(same_arrays(claims, ["db_f", "db_i"])) == 1


def test_clipping_is_recognised_in_an_array_of_which_few_entries_are_measured():
    p = rng.standard_normal((60, 70))
    seen = p.copy()
    seen[rng.random(p.shape) > 0.02] = np.nan
    assert "every entry clipped to ±1:" in only(np.clip(p, -1, 1), seen)
    assert "times 3" in only(3 * p, seen)


def test_a_factor_that_would_be_shown_as_1_is_none():
    assert not any("times" in sentence for k in (4e-6, 1e-6, -4e-7) for sentence in relations((1 + k) * P, P, SIZES))
    assert "times 1.00001" in only((1 + 1e-5) * P, P)


def test_what_all_gradients_have_in_common_is_said_once():
    x = {name: rng.standard_normal(4) for name in "ab"}

    def said(scale):
        claim = scale({name: 2 * q for name, q in x.items()})
        return nlm.check_gradients(lambda a, b: (a @ a) + (b @ b), x, claim).diagnosis

    (clipped,) = said(lambda claim: nlm.clip_by_global_norm(claim, 0.05)[0])
    assert "their global norm is 0.05: they were clipped before they were checked" in clipped
    (averaged,) = said(lambda claim: {name: 4 * q for name, q in claim.items()})
    assert "times 4, which is axis 0 of a (= 4): the loss is averaged (or summed) over another number" in averaged
    assert said(lambda claim: {name: -q for name, q in claim.items()}) == ("all gradients have the wrong sign",)
