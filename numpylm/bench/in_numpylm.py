"""The language model that is measured, in this package; in_torch.py and in_jax.py have the same one.

embedding -> one recurrent layer -> affine map -> softmax cross-entropy at every step, backpropagation through time,
clipping by global norm, and θ <- θ - α g, in float32. Each implementation starts from the weights of a numpylm model,
which it must not change.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import numpylm as nlm
from numpylm.data.batches import cut_streams, num_windows, window
from numpylm.evaluation import steps_at_a_time

MAX_NORM = 0.01  # below the norm of the gradients at every shape here: each step has to scale them


class Step(NamedTuple):
    """run() does one training step and returns the loss before it; weights() is the state dict, of arrays, now."""

    run: Callable
    weights: Callable


class Implementation(NamedTuple):
    """Three functions that prepare, before the clock starts, what is to be timed.

    train     (model, Batch, learning_rate) -> Step
    sample    (model, num_tokens, greedy) -> a function of no arguments: the list of token ids that follow token 0
    evaluate  (model, tokens (S,), batch_size) -> a function of no arguments: the mean nats per token
    """

    train: Callable
    sample: Callable
    evaluate: Callable


def train(model, batch, learning_rate):
    """A training step, as a Step."""
    model = model.astype(model.dtype)
    optimizer = nlm.SGD(learning_rate)

    def run():
        out = model.loss_and_gradients(batch.inputs, batch.targets)
        clipped, _ = nlm.clip_by_global_norm(out.gradients, MAX_NORM)
        optimizer.step(model.parameters(), clipped)
        return out.loss

    return Step(run, lambda: nlm.to_torch_state_dict(model))


def sample(model, num_tokens, greedy=False):
    """Generation of one sequence."""
    rng, temperature = np.random.default_rng(0), 0 if greedy else 1.0
    return lambda: nlm.generate(model, [0], num_tokens, temperature, rng=rng).tolist()


def evaluate(model, tokens, batch_size):
    """Evaluation of a stream."""
    return lambda: nlm.evaluate(model, tokens, batch_size).loss


def stream_windows(model, tokens, batch_size):
    """The windows (inputs, targets), each (T, N), in which nlm.evaluate reads a stream."""
    streams, num_steps = cut_streams(tokens, batch_size), steps_at_a_time(model.sizes, batch_size)
    return [window(streams, num_steps, k) for k in range(num_windows(streams, num_steps))]


NUMPYLM = Implementation(train, sample, evaluate)
