"""What may stand in a line of a backward pass: the gradients known there, the forward pass's fields, the weights.

All arrays hold one value for each call of the line, (calls, N, H); run is a Wiretap (wiretap.py).
"""

from typing import Any, NamedTuple

import numpy as np


class Formula(NamedTuple):
    """A formula, how long it is, and in how many symbols it differs from the right one (None: to be counted)."""

    text: str
    complexity: int
    value: Any
    changes: int | None = None


class Symbols:
    """What may stand in a line, each at the entries that matter: gradients, products with weights, factors."""

    def __init__(self, run, line, shape, active):
        gradients = gradients_before(run, line, shape)
        self.gradients = {name: value[active] for name, value in gradients.items()}
        self.products = [product._replace(value=product.value[active]) for product in products(run, line, shape)]
        self.factors = factors_of(run, line, shape, active)
        dropout = dropout_of(run.inputs, shape)
        self.dropout = None if dropout is None else np.broadcast_to(dropout, shape)[active]
        fields = fields_of(run, line, shape)
        self.names = {*values_before(run, line), *fields, *weights_of(run.inputs)}


def dropout_of(inputs, shape):
    """What recurrent dropout multiplies by, if it is on; of the shape of one step's gradients."""
    dropout = inputs.get("recurrent_dropout", getattr(inputs.get("trace"), "recurrent_dropout", None))
    return dropout if dropout is not None and dropout.shape == shape[1:] else None


def products(run, line, shape):
    """Gradients times the recurrent weights, and their transpose."""
    weights = weights_of(run.inputs)
    found = []
    for name, calls in values_before(run, line).items():
        u = np.stack(calls)
        for symbol, W in weights.items():
            for text, matrix in ((f"{name} {symbol}", W), (f"{name} {symbol}ᵀ", W.T)):
                if u.shape[-1] == matrix.shape[0] and (*u.shape[:-1], matrix.shape[1]) == shape:
                    found.append(Formula(text, 2, u @ matrix))
    return found


def weights_of(inputs):
    """The recurrent weights among the inputs."""
    given = {**inputs, **(inputs["parameters"]._asdict() if "parameters" in inputs else {})}
    return {name: given[name] for name in ("W_h", "W_hh") if name in given}


def gradients_before(run, line, shape):
    """Name -> array of every gradient of a line's shape that is known when it runs."""
    stacked = {name: np.stack(calls) for name, calls in values_before(run, line).items()}
    return {name: array for name, array in stacked.items() if array.shape == shape}


def values_before(run, line):
    """Name -> calls of every gradient that is known when a line runs; in a loop dh_next is what it was before."""
    known = {}
    for key, calls in run.arguments.items():
        function, name = key.split()
        if function == line.function and name.startswith("d") and isinstance(calls[0], np.ndarray):
            known[name] = calls
    in_step = "step" in line.function
    for other, calls in run.values.items():
        if (other.function == line.function and other.order >= line.order) or (
            in_step and other.function != line.function
        ):
            continue
        known[other.quantity] = calls
    if "trace" in run.inputs and not in_step and "dh" in run.inputs:
        known["dh[t]"] = list(run.inputs["dh"][::-1])
        for name in ("dh_next", "dc_next"):
            calls = [call for other, found in run.values.items() if other.quantity == name for call in found]
            known[name] = calls[: len(run.inputs["dh"])]  # the first is dstate_T's
        known.update({other.quantity: calls for other, calls in run.values.items() if "step" in other.function})
    return {name: [np.asarray(call) for call in calls] for name, calls in known.items() if len(calls)}


def factors_of(run, line, shape, active):
    """What a gradient may have been multiplied by: the step's fields, in the forms that derivatives have."""
    fields = {name: array[active] for name, array in fields_of(run, line, shape).items()}
    found = []
    for q, x in fields.items():
        found += [Formula(q, 1, x), Formula(f"(1 - {q})", 2, 1 - x), Formula(f"{q}²", 2, x * x)]
        found += [Formula(f"(1 - {q}²)", 2, 1 - x * x), Formula(f"{q} (1 - {q})", 2, x * (1 - x))]
        found += [
            Formula(f"(1 - {q})²", 3, (1 - x) ** 2),
            Formula(f"(1 + {q})", 3, 1 + x),
            Formula(f"(1 + {q}²)", 3, 1 + x * x),
            Formula(f"(1 - tanh({q})²)", 4, 1 - np.tanh(x) ** 2),
        ]
        for w, y in fields.items():
            found += [
                Formula(f"{q} {w}", 4, x * y),
                Formula(f"({q} + {w})", 4, x + y),
                Formula(f"({q} - {w})", 4, x - y),
                Formula(f"(1 - {q} - {w})", 5, 1 - x - y),
                Formula(f"({q} - (1 - {w}))", 5, x - (1 - y)),
            ]
    return found


def fields_of(run, line, shape):
    """Name -> array of the forward pass's intermediates, stacked like a line's values."""
    calls = [step for key, steps in run.arguments.items() if key.endswith(" step") for step in steps]
    if not calls:
        given = {
            key.split()[1]: np.asarray(calls[0])[None]
            for key, calls in run.arguments.items()
            if isinstance(calls[0], np.ndarray) and not key.split()[1].startswith("d")
        }
        return {name: array for name, array in given.items() if array.shape == shape}
    fields = {name: np.stack([getattr(step, name) for step in calls]) for name in calls[0]._fields}
    return {name: array for name, array in fields.items() if array.shape == shape}
