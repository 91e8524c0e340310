"""What JSON from a file may hold: one error for whatever is not as described, and it names the place."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpylm.data import schema
from numpylm.data.schema import check, count, decode_json, encode_json, fields_of, number, one_of


@dataclass
class Inner:
    rate: float = 0.5
    name: str = ""


@dataclass
class Outer:
    steps: int
    inner: Inner
    minutes: float | None = None
    losses: list = field(default_factory=list)
    rng: Any = None


DESCRIPTION = fields_of(Outer, losses=[number], rng=None) | {"sums": {str: count}, "kind": one_of("a", 2)}
GOOD = {
    "steps": 3,
    "inner": {"rate": 0.5, "name": "é"},
    "minutes": None,
    "losses": [1, 2.5],
    "sums": {"x": 1},
    "kind": 2,
}


def test_a_dataclass_gives_the_description_of_its_fields():
    assert check("it", GOOD, DESCRIPTION) is GOOD
    assert check("it", GOOD | {"minutes": 1.5}, DESCRIPTION)
    assert "rng" not in DESCRIPTION


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": -1}, "it.steps must be an integer from 0 to"),
        ({"steps": 2**53}, r"it.steps must be .*; got 9007199254740992$"),
        ({"steps": True}, "it.steps must be an integer .* got True"),
        ({"steps": 3.0}, "it.steps must be"),
        ({"steps": "3"}, "got '3'"),
        ({"inner": None}, "it.inner must be an object with fields; got None"),
        ({"inner": {"rate": 1}}, "it.inner lacks name"),
        ({"inner": {"rate": float("nan"), "name": ""}}, "it.inner.rate must be a finite number; got nan"),
        ({"inner": {"rate": 10**400, "name": ""}}, "it.inner.rate must be a finite number; got 1000"),
        ({"inner": {"rate": 1, "name": 5}}, "it.inner.name must be a string; got 5"),
        ({"minutes": "1"}, "it.minutes must be a finite number"),
        ({"losses": [-1]}, r"an entry of it.losses must be a finite number, 0 or above; got -1"),
        ({"losses": [1, [2]]}, r"an entry of it.losses must be a finite number, 0 or above; got \[2\]"),
        ({"losses": {}}, "it.losses must be a list"),
        ({"sums": {"x": -1}}, "it.sums.x must be an integer"),
        ({"kind": "b"}, "it.kind must be 'a' or 2; got 'b'"),
        ({"kind": True}, "it.kind"),
        ({"kind": ["a"]}, "it.kind"),
        ({"more": 1}, r"it has fields that belong to nothing: \['more'\]"),
    ],
)
def test_what_is_not_as_described_is_named(change, message):
    with pytest.raises(ValueError, match=message) as caught:
        check("it", GOOD | change, DESCRIPTION)
    assert len(str(caught.value)) < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([*GOOD, "more"]), JSON)
def test_whatever_stands_there_the_only_error_is_a_short_value_error(name, value):
    try:
        check("it", GOOD | {name: value}, DESCRIPTION)
    except ValueError as error:
        assert len(str(error)) < 300
    else:
        encode_json(GOOD | {name: value})


@given(st.dictionaries(st.text(), JSON, max_size=3))
def test_json_comes_back_or_is_refused(value):
    try:
        content = encode_json(value)
    except ValueError:
        return
    assert decode_json(content) == value


def test_json_is_bounded_and_has_no_nan(monkeypatch):
    for content in (b"NaN", b"[Infinity]", b"[" * 10**5 + b"]" * 10**5, b"{", b"\xff", b"9" * 5000):
        with pytest.raises(ValueError):
            decode_json(content)
    monkeypatch.setattr(schema, "MAX_JSON_BYTES", 9)
    assert decode_json(encode_json("1234567")) == "1234567"
    for function, value in ((encode_json, "12345678"), (decode_json, b'"12345678"')):
        with pytest.raises(ValueError, match="its JSON has 10 bytes; expected at most 9"):
            function(value)
