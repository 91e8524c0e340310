"""A backward whose forward is wrong: which of its gradients are the derivatives of that very forward?

The right answers belong to the right forward, so that what is said of the backward would be misleading. Instead the
student's own forward is differentiated numerically, by central differences, and what fits it is told apart from what
does not: two separate mistakes in a forward and its backward are both found.
"""

from typing import NamedTuple

import numpy as np

from numpylm.proof import numerical
from numpylm.tutor.results import fields, is_record

INCOMING = {"h_t": "dh_t", "c_t": "dc_next", "h": "dh", "h_T": "dh_T", "c_T": "dc_T"}
CLOSE = 1e-6


class OwnForward(NamedTuple):
    """The student's forward: its name and documented returns, how to call it, and the symbols of the problem."""

    name: str
    returns: tuple
    call: object  # symbols -> what the student's forward returns
    parameters: tuple
    symbols: dict


def fit_sentence(own, values):
    """Which gradients fit the student's own forward, in a sentence; None where nothing can be said."""
    try:
        fits = fitting(own, values)
    except BaseException:
        return None
    right, wrong = ([name for name, is_right in fits.items() if is_right is answer] for answer in (True, False))
    if not fits:
        return None
    if not wrong:
        return (
            f"{', '.join(right)}: right for your own {own.name} as it stands, by central differences. Once that is "
            "mended, see whether its derivative changes"
        )
    rest = f"; {', '.join(right)} would be right" if right else ""
    return f"for your own {own.name} as it stands, {', '.join(wrong)} would be wrong too{rest} (by central differences)"


def fitting(own, values):
    """Gradient's name -> whether it is the derivative of the student's forward."""
    inputs = [name for name in own.parameters if is_compared(own.symbols.get(name), values.get(f"d{name}"))]
    fits = {}
    for name in inputs:
        numeric = central_difference(own, name)
        size = max(1, np.abs(numeric).max(initial=0))
        fits[f"d{name}"] = bool((np.abs(values[f"d{name}"] - numeric) <= CLOSE * size).all())
    return fits


def is_compared(value, gradient):
    """Whether an input is an array of real numbers, and a gradient of its shape was returned."""
    is_real = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return is_real and gradient is not None and np.shape(gradient) == value.shape


def central_difference(own, name):
    """The derivative of Σ dq q over what the forward returns, with respect to one input."""
    x = own.symbols[name].copy()
    return numerical.central_difference(lambda: projected(own, own.symbols | {name: x}), x)


def projected(own, symbols):
    """Σ dq q over what the forward returns: the loss itself, where it returns one."""
    returned = own.call(symbols)
    total = 0.0
    for name, value in outputs(returned, own.returns).items():
        incoming = 1.0 if name == "loss" else symbols.get(INCOMING.get(name))
        if incoming is not None:
            total += float((incoming * np.asarray(value)).sum())
    return total


def outputs(returned, orders):
    """What a forward returns, by name."""
    if is_record(returned) or isinstance(returned, dict):
        return fields(returned)
    returned = returned if isinstance(returned, tuple) else (returned,)
    order = next((order for order in orders if len(returned) in (len(order), len(order) + 1)), orders[0])
    return dict(zip(order, returned, strict=False))
