"""What the gradient tests share: one scalar loss, every argument, two numerical derivatives.

A function of several arrays is made a number by random cotangents (never by a plain sum, under which many mistakes
cancel). Its hand-derived gradients must then agree with central differences and, exactly to rounding, with the complex
step.
"""

import numpy as np

from numpylm import central_difference, complex_step


def prove(loss, arrays, gradients, central=1e-7, exact=1e-12):
    """Asserts that gradients[name] is the derivative of loss(**arrays) with respect to each arrays[name].

    The tolerances are relative to the largest entry of the gradient (or to 1 where that is smaller).
    """
    assert arrays.keys() == gradients.keys()
    for name, array in arrays.items():
        claimed = gradients[name]
        assert claimed.shape == array.shape, name
        scale = max(1.0, np.abs(claimed).max())
        numeric = central_difference(lambda: loss(**arrays), array)
        np.testing.assert_allclose(claimed, numeric, rtol=0, atol=central * scale, err_msg=f"central: {name}")
        complexes = {other: values.astype(complex) for other, values in arrays.items()}
        numeric = complex_step(lambda given=complexes: loss(**given), complexes[name])
        np.testing.assert_allclose(claimed, numeric, rtol=0, atol=exact * scale, err_msg=f"complex: {name}")


def assert_pytorchs(ours, network):
    """Fails unless the gradients of PyTorch's network are ours, a state dict of them. Its bias_hh is ours only where
    that is not zero: the GRU's b_hn."""
    for name, tensor in network.named_parameters():
        scale = max(1.0, tensor.grad.abs().max().item())
        own = ours[name] != 0 if "bias_hh" in name else ...
        np.testing.assert_allclose(ours[name][own], tensor.grad[own], rtol=0, atol=1e-10 * scale, err_msg=name)


def read_only(record):
    """A copy of a record, dict or array whose arrays refuse to be written to."""
    if isinstance(record, np.ndarray):
        copy = record.copy()
        copy.flags.writeable = False
        return copy
    if isinstance(record, dict):
        return {name: read_only(value) for name, value in record.items()}
    if isinstance(record, tuple) and hasattr(record, "_fields"):
        return type(record)(*[read_only(value) for value in record])
    if isinstance(record, list | tuple):
        return type(record)([read_only(value) for value in record])
    return record


def flat(record):
    """Every array in a nested record, in order."""
    if isinstance(record, np.ndarray):
        return [record]
    if isinstance(record, dict):
        record = tuple(record.values())
    if isinstance(record, list | tuple):
        return [array for value in record for array in flat(value)]
    return []


def assert_same(first, second):
    """Bit-for-bit equality of two nested records."""
    arrays, others = flat(first), flat(second)
    assert len(arrays) == len(others) > 0
    for array, other in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(array, other)
