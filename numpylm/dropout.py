"""Dropout: in training, set a random part of the values to zero, so that no unit depends on one single other unit.

    q  <-  m ⊙ q        m = 0 with probability p, else 1 / (1 - p), so that the mean of m is 1

Two kinds, for T steps of N sequences:

    "standard"      (Zaremba, Sutskever and Vinyals, 2014): on the input of each layer and of the output projection,
                    a new m at every step; no dropout on the recurrent path h_{t-1} -> h_t
    "variational"   (Gal and Ghahramani, 2016): the same places, with one m for all steps of a call (of a window, in
                    training), and one more on h_{t-1} in the gates' product

Dropout is linear in q, so its backward pass is the same multiplication: dq = m ⊙ (gradient of the result).
"""

from typing import NamedTuple

from numpylm.base import require

KINDS = ("standard", "variational")


class DropoutMasks(NamedTuple):
    """inputs: one mask for each of the L layers' inputs, (T, N, D or H) or (1, N, D or H); output: one for the input of
    the output projection; recurrent: one (N, H) for each layer, or None."""

    inputs: list
    output: object
    recurrent: list


def drop(q, mask):
    """m ⊙ q, or q itself without a mask: the forward pass, and, for gradients, the backward pass."""
    return q if mask is None else q * mask


def draw_mask(rng, p, shape, dtype):
    """A mask m of the given shape: zero with probability p, else 1 / (1 - p)."""
    return ((rng.random(shape) >= p) / (1 - p)).astype(dtype)


def optional_masks(rng, p, shape, sizes, dtype):
    """A mask (*shape, size) for each of the sizes; shape is (T, N). Without a generator or dropout, None for each."""
    require.generator(rng)
    return [None if rng is None or p == 0 else draw_mask(rng, p, (*shape, size), dtype) for size in sizes]


def draw_masks(rng, p, kind, T, N, input_sizes, H, dtype):
    """All masks of one forward pass. input_sizes are the sizes of the layers' inputs: D, H, H, …"""
    is_variational, layers = kind == "variational", [H] * len(input_sizes)
    *inputs, output = optional_masks(rng, p, (1 if is_variational else T, N), [*input_sizes, H], dtype)
    recurrent = optional_masks(rng if is_variational else None, p, (N,), layers, dtype)
    return DropoutMasks(inputs, output, recurrent)
