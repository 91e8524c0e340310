"""A backward whose forward is wrong: which of its gradients are the derivatives of that very forward?

The right answers belong to the right forward, so that they would mislead here. Instead the student's own forward is
differentiated numerically: two separate mistakes, in a forward and in its backward, are both found.
"""

from typing import NamedTuple

import numpy as np

from numpylm.tutor.numeric import Program, derivative
from numpylm.tutor.stop import Stop

INCOMING = {"h_t": "dh_t", "c_t": "dc_next", "h": "dh", "h_T": "dh_T", "c_T": "dc_T"}
CLOSE = 1e-6


class OwnForward(NamedTuple):
    """The student's forward: the child, its assignment, the steps and inputs that call it, and what it returned."""

    child: object
    assignment: NamedTuple
    steps: list
    inputs: dict
    symbols: dict
    returned: object


def fit_sentence(own, values):
    """Which gradients fit the student's own forward, in a sentence; None where nothing can be said."""
    try:
        fits = fitting(own, values)
    except (Stop, ValueError):
        return None
    right, wrong = ([name for name, is_right in fits.items() if is_right is answer] for answer in (True, False))
    if not fits:
        return None
    name = own.assignment.name
    if not wrong:
        return (
            f"{', '.join(right)}: right for your own {name} as it stands, by central differences. Once that is "
            "mended, see whether its derivative changes"
        )
    rest = f"; {', '.join(right)} would be right" if right else ""
    return f"for your own {name} as it stands, {', '.join(wrong)} would be wrong too{rest} (by central differences)"


def fitting(own, values):
    """Gradient's name -> whether it is the derivative of the student's forward."""
    paths, weights = weighted_outputs(own)
    program = Program(own.child, own.steps, own.inputs, paths, weights)
    fits = {}
    for name, x in own.inputs.items():
        claim = values.get(f"d{name}")
        if isinstance(x, np.ndarray) and x.dtype.kind == "f" and np.shape(claim) == x.shape:
            slope, _ = derivative(program, name)
            fits[f"d{name}"] = bool((np.abs(claim - slope) <= CLOSE * max(1, np.abs(slope).max(initial=0))).all())
    return fits


def weighted_outputs(own):
    """(paths to the forward's outputs, the gradient that comes in at each)."""
    returned = own.returned if isinstance(own.returned, tuple | dict) else (own.returned,)
    places = dict(enumerate(returned)) if isinstance(returned, tuple) else returned
    orders = own.assignment.returns
    order = next((order for order in orders if len(returned) in (len(order), len(order) + 1)), orders[0])
    found = []
    for place, name in zip(places, order if isinstance(returned, tuple) else places, strict=False):
        weight = 1.0 if name == "loss" else own.symbols.get(INCOMING.get(name))
        if weight is not None:
            found.append((["made", place] if returned is own.returned else ["made"], weight))
    return [path for path, _ in found], [weight for _, weight in found]
