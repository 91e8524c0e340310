"""One thing to prove, and the sizes that all cases share."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

T, N, D, H, V = 4, 3, 2, 5, 7


class Case(NamedTuple):
    """One function to prove: f(**arguments), its claimed gradients, and cotangents if f returns arrays."""

    name: str
    f: Callable
    arguments: dict
    gradients: dict
    cotangents: Any = None


def model_case(name, model, rng, *data, draws=True):
    """Every parameter of a model, from its data to its loss.

    Its dropout, if any, always draws the same masks; draws says whether it has any use for a generator.
    """
    parameters = {key: rng.standard_normal(array.shape) for key, array in model.parameters().items()}
    seed = int(rng.integers(1000))

    def run(parameters):
        options = {"rng": np.random.default_rng(seed)} if draws else {}
        return model.with_parameters(parameters).loss_and_gradients(*data, **options)

    return Case(name, lambda **parameters: run(parameters).loss, parameters, run(parameters).gradients)
