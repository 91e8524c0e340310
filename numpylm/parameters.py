"""What all models have in common: parameters by name, their shapes and first values, and copies of a model.

A model lists its parameters in Parts: an embedding table, a recurrent layer, an output matrix. The list gives their
shapes, with which a checkpoint is compared before an array is read, and their first values (initialization.py).
"""

import copy
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numpylm.base import require
from numpylm.base.memory import machine_bytes
from numpylm.initialization import embedding_table, glorot_uniform


class Part(NamedTuple):
    """Some of a model's parameters. shapes: {name: shape}; draw: (rng) -> their first values in the same order."""

    shapes: dict
    draw: Callable


def table(name, V, D, tied=False):
    """The Part of an embedding table (V, D); tied when it is the output matrix too."""
    return Part({name: (V, D)}, lambda rng: [embedding_table(rng, V, D, tied)])


def matrix(name, A, B):
    """The Part of a matrix (A, B)."""
    return Part({name: (A, B)}, lambda rng: [glorot_uniform(rng, A, B)])


def bias(name, size):
    """The Part of a bias (size,), which starts from zeros."""
    return Part({name: (size,)}, lambda rng: [np.zeros(size)])


def parameter_shapes(parts):
    """Name -> shape of every parameter, in the order of the parts, without making any."""
    return {name: shape for part in parts for name, shape in part.shapes.items()}


def first_values(parts, dtype, seed):
    """Name -> freshly drawn array, in the order of the parts. Raises ValueError, before any is drawn, if the machine's
    memory cannot hold these parameters and, to train them, their gradients."""
    dtype, rng = require.float_dtype(dtype), np.random.default_rng(require.count("seed", seed))
    num_parameters = sum(map(math.prod, parameter_shapes(parts).values()))
    needed, available = 2 * num_parameters * dtype.itemsize, machine_bytes()
    if needed > available:
        raise ValueError(
            f"a model of {num_parameters:,} parameters does not fit into memory: with their gradients they need "
            f"{needed / 1e9:,.1f} GB, and this machine has {available / 1e9:,.1f} GB; choose smaller sizes"
        )
    drawn = ((part.shapes, part.draw(rng)) for part in parts)
    return {name: array.astype(dtype) for names, arrays in drawn for name, array in zip(names, arrays, strict=True)}


def record_of(Parameters, parameters, prefix=""):
    """A record of those parameters whose names begin with the prefix."""
    return Parameters(*[parameters[prefix + name] for name in Parameters._fields])


def check_tied(sizes, tied):
    """Raise ValueError if tie_weights is neither True nor False, or D does not equal H where tied says what is tied."""
    require.boolean("tie_weights", sizes.tie_weights)
    if sizes.tie_weights and tied and sizes.embedding_dim != sizes.hidden_dim:
        given = f"got embedding_dim={sizes.embedding_dim}, hidden_dim={sizes.hidden_dim}"
        raise ValueError(f"tie_weights makes {tied}, so that D must equal H; {given}")


class Model:
    """What a model of any kind is: sizes and parameters. It remembers nothing between calls.

    kind is its name in a checkpoint. The fields of its record Sizes are the arguments that make it, with a dtype,
    float32 to train, float64 or complex128 to check gradients, and a seed. Sizes.check() raises a ValueError that names
    the size or kind that is wrong. options are the names of further arguments, which make its cell. parts() lists the
    Parts of the parameters, in their order.
    """

    kind: str
    Sizes: type
    options = ()

    def __init__(self, *sizes, dtype=np.float32, seed=0, **named_sizes):
        self._make(self.Sizes(*sizes, **named_sizes), dtype, seed)

    def _make(self, sizes, dtype, seed, *options):
        self._prepare(sizes, *options)
        self._hold(first_values(self.parts(), dtype, seed))

    def _prepare(self, sizes):
        """Keep the sizes, once they are checked, and what follows from them alone, such as the cell."""
        sizes.check()
        self.sizes = sizes

    def _hold(self, parameters):
        self._parameters = parameters
        self.dtype = next(iter(parameters.values())).dtype

    @classmethod
    def described(cls, config):
        """A model of this config that has no parameters yet: with_parameters gives it some. Raises ValueError for sizes
        or options that cannot be."""
        model = cls.__new__(cls)
        model._prepare(cls.Sizes(*map(config.get, cls.Sizes._fields)), *map(config.get, cls.options))
        return model

    @property
    def config(self):
        """The arguments that make a model of this kind and size again (its dtype and seed apart)."""
        return self.sizes._asdict()

    def parameters(self):
        """Name -> array: the live arrays, in a fixed order. An optimizer changes them in place."""
        return dict(self._parameters)

    def with_parameters(self, parameters):
        """A model of the same kind and sizes that holds these parameters: arrays by name, in the fixed order."""
        other = copy.copy(self)
        other._hold(parameters)
        return other

    def initial_state(self, batch_size):
        """Zeros, from which a model with a recurrent cell starts: a tuple with each layer's state, of arrays (N, H)."""
        require.positive_integer("batch_size", batch_size)
        State, shape = self.cell.State, (batch_size, self.sizes.hidden_dim)
        return tuple(State(*[np.zeros(shape, self.dtype) for _ in State._fields]) for _ in range(self.sizes.num_layers))

    def astype(self, dtype):
        """A copy of this model in another dtype: float64 or complex128 to check its gradients."""
        dtype = require.float_dtype(dtype)
        return self.with_parameters({name: array.astype(dtype) for name, array in self._parameters.items()})

    def __repr__(self):
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.config.items())
        return f"{type(self).__name__}({arguments}, dtype={self.dtype.name})"
