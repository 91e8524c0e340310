"""Small models for tests: every kind of language model, with weights and biases of order one."""

import numpy as np
import pytest

from numpylm import GRULM, LSTMLM, RNNLM

MODELS = {"tanh": RNNLM, "relu": RNNLM, "lstm": LSTMLM, "gru": GRULM}
every_model = pytest.mark.parametrize("kind", MODELS)


def randomized(model, rng, scale=0.7):
    """The model, once each of its parameters, biases too, has random numbers of order one."""
    for array in model.parameters().values():
        array[...] = scale * rng.standard_normal(array.shape)
    return model


def random_model(kind, *sizes, scale=0.7, seed=0, dtype=np.float64, **options):
    """A model of one of MODELS; sizes and options are those of its class."""
    nonlinearity = {"nonlinearity": kind} if MODELS[kind] is RNNLM else {}
    return randomized(MODELS[kind](*sizes, dtype=dtype, **options, **nonlinearity), np.random.default_rng(seed), scale)


def random_state(model, N, seed=1):
    """A state of N sequences that is not zero."""
    rng, zeros = np.random.default_rng(seed), model.initial_state(N)
    return tuple(type(layer)(*[rng.standard_normal(q.shape) for q in layer]) for layer in zeros)
