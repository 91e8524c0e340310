import numpy as np

from numpylm.lstm import LSTMState
from numpylm.proof.nested import arrays_of, with_arrays

A, B, C = np.zeros(2), np.ones(3), np.arange(4)


def test_names_of_nested_arrays():
    tree = {
        "x": A,
        "state": (LSTMState(B, A), LSTMState(A, B)),
        "tokens": C,
        "note": "text",
        "nothing": None,
        "rate": 0.5,
    }
    assert list(arrays_of(tree)) == ["x", "state.0.h", "state.0.c", "state.1.h", "state.1.c", "rate"]
    assert list(arrays_of(tree, "i")) == ["tokens"]


def test_with_arrays_keeps_types_and_constants():
    tree = {"state": [LSTMState(A, B)], "tokens": C, "note": "text"}
    changed = with_arrays(tree, {"state.0.c": B + 1})
    assert type(changed["state"]) is list
    assert type(changed["state"][0]) is LSTMState
    assert changed["state"][0].h is A
    assert changed["tokens"] is C
    np.testing.assert_array_equal(changed["state"][0].c, 2)
    np.testing.assert_array_equal(B, 1)
