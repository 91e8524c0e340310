"""What is measured: the same language model in numpylm, and in whatever else is installed.

embedding -> one recurrent layer -> affine map -> softmax cross-entropy at every step, its gradients by backpropagation
through time, clipping by global norm, and θ <- θ - α g; in float32. Each implementation is handed a numpylm model,
whose weights it starts from and which it may not change.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

import numpylm as nlm
from numpylm.data.batches import cut_streams, num_windows, window
from numpylm.evaluation import steps_at_a_time

MAX_NORM = 0.01  # below the gradients' norm at every shape here, so that each step does have to scale its gradients


class Step(NamedTuple):
    """run() does one training step and returns the loss before it; weights() is the state dict, of arrays, now."""

    run: Callable
    weights: Callable


class Implementation(NamedTuple):
    """A version, and three functions that get ready outside the clock and return what is to be timed.

    train     (model, Batch, learning_rate) -> Step
    sample    (model, num_tokens, greedy) -> a function of no arguments: the list of token ids that follow token 0
    evaluate  (model, tokens (S,), batch_size) -> a function of no arguments: the mean nats per token
    two_biases  whether it learns PyTorch's two biases: bias_ih and bias_hh, one gradient in both
    """

    version: str
    train: Callable
    sample: Callable
    evaluate: Callable
    two_biases: bool = False


def numpylm_train(model, batch, learning_rate):
    """This package's training step."""
    model = model.astype(model.dtype)
    optimizer = nlm.SGD(learning_rate)

    def run():
        out = model.loss_and_gradients(batch.inputs, batch.targets)
        clipped, _ = nlm.clip_by_global_norm(out.gradients, MAX_NORM)
        optimizer.step(model.parameters(), clipped)
        return out.loss

    return Step(run, lambda: nlm.to_torch_state_dict(model))


def numpylm_sample(model, num_tokens, greedy=False):
    """This package's generation of one sequence."""
    rng = np.random.default_rng(0)
    temperature = 0 if greedy else 1.0
    return lambda: nlm.generate(model, [0], num_tokens, temperature, rng=rng).tolist()


def numpylm_evaluate(model, tokens, batch_size):
    """This package's evaluation of a stream."""
    return lambda: nlm.evaluate(model, tokens, batch_size).loss


def stream_windows(model, tokens, batch_size):
    """The windows (inputs, targets), each (T, N), in which nlm.evaluate reads a stream."""
    streams, num_steps = cut_streams(tokens, batch_size), steps_at_a_time(model.sizes, batch_size)
    return [window(streams, num_steps, k) for k in range(num_windows(streams, num_steps))]


def implementation(name):
    """The implementation of that name, or None where it is not installed. Nothing but what it needs is imported."""
    if name == "numpylm":
        return Implementation(nlm.__version__, numpylm_train, numpylm_sample, numpylm_evaluate)
    if find_spec(name) is None:
        return None
    if name == "torch":
        from numpylm.bench.in_torch import TORCH

        return TORCH
    from numpylm.bench.in_jax import JAX

    return JAX


def installed():
    """Name -> Implementation, numpylm first."""
    found = {name: implementation(name) for name in ("numpylm", "torch", "jax")}
    return {name: one for name, one in found.items() if one is not None}
