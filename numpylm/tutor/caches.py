"""The cache that a student's forward hands to its backward: where it is found, and whether each call makes its own."""

import contextlib
import copy

import numpy as np

from numpylm.proof.nested import arrays_of
from numpylm.tutor.binding import bind, call_by_name
from numpylm.tutor.results import fields, is_record
from numpylm.tutor.stop import Stop

CACHES = ("cache", "step", "trace")
SHARED = (
    "the cache that it returned is changed by the next call: do all calls share one list, dict or array, such as a "
    "global one? A sequence keeps the caches of all its steps, so make a new one in each call"
)


class DoesNotRun(Exception):
    """The student's forward cannot be called, or crashes."""


def own_cache(assignment, forward, symbols):
    """What the student's own forward hands to the backward; None without a cache. Raises DoesNotRun."""
    return cache_of(assignment, called(assignment, forward, symbols))


def called(assignment, forward, symbols):
    """What the student's own forward returns. Raises DoesNotRun."""
    try:
        return call_by_name(forward, bind(assignment, forward, copy.deepcopy(symbols)))
    except BaseException as error:
        raise DoesNotRun from error


def has_none_for_cache(returned):
    """Whether a forward returned None where its cache belongs."""
    return isinstance(returned, tuple) and len(returned) > 1 and returned[-1] is None


def cache_of(assignment, returned):
    """The last of a tuple, its "cache", or the record itself; None where there is none."""
    if isinstance(returned, tuple) and not hasattr(returned, "_fields"):
        lengths = {len(order) for order in assignment.returns}
        last = returned[-1] if returned else None
        return last if len(returned) - 1 in lengths and not is_only_array(last, returned, lengths) else None
    if isinstance(returned, np.ndarray | np.generic | float):
        return None
    if isinstance(returned, dict) or is_record(returned):
        return fields(returned).get("cache", getattr(returned, "trace", returned))
    return returned


def is_only_array(last, returned, lengths):
    """Whether a tuple's last thing is a value of a documented order, and no cache."""
    return len(returned) in lengths and isinstance(last, np.ndarray)


def check_that_caches_are_separate(assignment, forward, symbols):
    """Raises Stop where a second call of a forward changes the cache that the first returned."""
    if not assignment.signature.endswith("cache"):
        return
    cache = own_cache(assignment, forward, symbols)
    before = {name: array.copy() for name, array in arrays_of({"": cache}, "fciub").items()}
    other = {name: 0.5 * value if is_real(value) else value for name, value in symbols.items()}
    with contextlib.suppress(DoesNotRun):  # what it makes of the other arguments is not the question
        own_cache(assignment, forward, other)
    after = arrays_of({"": cache}, "fciub")
    if before.keys() != after.keys() or any(not np.array_equal(before[n], after[n], equal_nan=True) for n in before):
        raise Stop("wrong", SHARED, shared=True)


def is_real(value):
    """Whether a symbol is an array of real numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def cache_note(assignment, asked, own, states):
    """A sentence on where the cache came from, for what may go wrong with it."""
    named = [name for name in asked if name in CACHES]
    if not named or assignment.forward is None:
        return []
    if own is None:
        return [
            f"its `{named[0]}` was our own record: your file has no {assignment.forward} that returns a cache "
            "(as the last of a tuple) when it is called"
        ]
    if states.get(assignment.forward) == "ok":
        return [f"its `{named[0]}` was what your own {assignment.forward} returned"]
    return [f"its `{named[0]}` came from your own {assignment.forward}, which is not right yet: mend that one first"]
