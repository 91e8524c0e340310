"""One training step of the same language model, in numpylm and in whatever else is installed.

embedding -> one recurrent layer -> affine map -> softmax cross-entropy at every step, its gradients by backpropagation
through time, clipping by global norm, and θ <- θ - α g; in float32.

An implementation is a function of a numpylm model, which it may not change, a Batch and a learning rate. It starts from
the model's weights and returns a Step.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

import numpylm as nlm
from numpylm.torch_bridge import to_torch_state_dict

MAX_NORM = 0.01  # far below any gradient's norm here, so that every step has to scale its gradients


class Step(NamedTuple):
    """run() does one training step and returns the loss before it; weights() are the state dict's arrays now."""

    run: Callable
    weights: Callable


def numpylm_step(model, batch, learning_rate):
    """This package's training step."""
    model = model.astype(model.dtype)
    optimizer = nlm.SGD(learning_rate)

    def run():
        out = model.loss_and_gradients(batch.inputs, batch.targets)
        clipped, _ = nlm.clip_by_global_norm(out.gradients, MAX_NORM)
        optimizer.step(model.parameters(), clipped)
        return out.loss

    return Step(run, lambda: to_torch_state_dict(model))


def installed_implementations():
    """Name -> implementation, numpylm first."""
    found = {"numpylm": numpylm_step}
    if find_spec("torch"):
        from numpylm.commands.bench_torch import torch_step

        found["torch"] = torch_step
    return found
