"""For a teacher's own tests with pytest: is a backward the derivative of its forward, in whatever layout?

    from numpylm.testing import assert_gradients
    from student import lstm_step_forward, lstm_step_backward

    def test_lstm_step():
        assert_gradients(lstm_step_forward, lstm_step_backward, x=(2, 3), prev_h=(2, 5), prev_c=(2, 5), Wx=(3, 20), …)

The student's code runs in the test's own process: for code that nobody trusts there is `python -m numpylm check`.
"""

import inspect
from copy import deepcopy

import numpy as np

from numpylm.base import require
from numpylm.proof.gradient_check import check_gradients


def assert_gradients(forward, backward, seed=0, rtol=0.0, **arguments):
    """Raise AssertionError, with the report, where backward's gradients are not the derivatives of forward's values.

    arguments    by the forward's names: a shape, for random values of order one; an array; or a dict of either
    forward      called as forward(**arguments); returns an array or several, and last its cache if backward asks for it
    backward     called with a random gradient for each array that forward returns, as far as it has parameters for
                 them, then with the cache and with any of the arguments, by name; returns the gradients in the order of
                 the arguments, or a dict with the names "dx", "dW", …
    rtol         an error up to rtol max(|claimed|, |numeric|) is right as well
    Return the report, which can be printed.
    """
    rng = np.random.default_rng(seed)
    given = {name: filled(name, value, rng) for name, value in arguments.items()}
    incoming, caches, others = parameters(backward, given)
    values, _ = split(forward(**deepcopy(given)), bool(caches))
    outputs = [k for k, value in enumerate(values) if is_real(value)][: len(incoming)]
    if not 0 < len(outputs) == len(incoming):
        raise ValueError(
            f"backward must take, before the cache, a gradient of each array of floats that forward returns; it takes "
            f"{', '.join(incoming) or 'none'}, and forward returns {len(outputs)}{' beside its cache' * bool(caches)}"
        )
    cotangents = [rng.standard_normal(np.shape(values[k])) for k in outputs]

    def output(**changed):
        made, _ = split(forward(**deepcopy(changed)), bool(caches))
        return [made[k] for k in outputs]

    _, cache = split(forward(**deepcopy(given)), bool(caches))
    called = dict(zip(incoming, deepcopy(cotangents), strict=False)) | dict.fromkeys(caches, cache)
    claimed = named(backward(**called, **deepcopy({name: given[name] for name in others})), given)
    report = check_gradients(output, given, claimed, cotangents=cotangents, rtol=rtol, rng=rng)
    assert report.ok, f"{backward.__name__} is not the derivative of {forward.__name__}\n{report}"
    return report


def filled(name, value, rng):
    """Random numbers for a shape, within dicts too; anything else as it is."""
    if isinstance(value, dict):
        return {key: filled(key, item, rng) for key, item in value.items()}
    is_shape = isinstance(value, tuple) and all(isinstance(n, int) for n in value)
    if is_shape:
        return rng.standard_normal(value)
    return require.array(name, value) if isinstance(value, np.ndarray) else value


def parameters(backward, given):
    """(parameters for gradients that come in, for the cache, for the forward's own arguments) of a backward."""
    names = list(inspect.signature(backward).parameters)
    others = [name for name in names if name in given]
    caches = [name for name in names if "cache" in name.lower() or name in ("ctx", "saved", "trace")]
    return [name for name in names if name not in others and name not in caches], caches, others


def split(returned, has_cache):
    """(the values, the cache) of what a forward returned."""
    values = list(returned) if isinstance(returned, tuple) else [returned]
    return (values[:-1], values[-1]) if has_cache else (values, None)


def named(returned, given):
    """The gradients by the arguments' names."""
    if isinstance(returned, dict):
        found = {str(key): value for key, value in returned.items()}
        nested = {
            n: {k: found[f"d{k}"] for k in v if f"d{k}" in found} for n, v in given.items() if isinstance(v, dict)
        }
        return {n: found[f"d{n}"] for n in given if f"d{n}" in found} | {n: v for n, v in nested.items() if v}
    values = list(returned) if isinstance(returned, tuple | list) else [returned]
    return dict(zip([n for n, v in given.items() if is_real(v)], values, strict=False))


def is_real(value):
    """Whether a value is a number or an array of real numbers."""
    return isinstance(value, np.ndarray | float) and np.asarray(value).dtype.kind == "f"
