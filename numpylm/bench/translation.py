"""A training step of the encoder-decoder with additive attention, beside the same model in PyTorch.

A step: loss, gradients, clipping by the global norm, SGD, in float32. Both start from the same weights
(translation_export.py). The encoder reads both directions. All sentences have T tokens, in both languages.
"""

from importlib.util import find_spec

import numpy as np

from numpylm.bench.in_numpylm import MAX_NORM
from numpylm.bench.shapes import Shape
from numpylm.clipping import clip_by_global_norm
from numpylm.optimizers import SGD
from numpylm.translation import EncoderDecoder
from numpylm.translation_export import translation_state_dict

SHAPE = Shape("15,64", T=15, N=64, D=128, H=256, V=5_000)


def functions(cell, shape, learning_rate, attention="additive"):
    """name -> function of no arguments that does a step and returns the loss before it: numpylm, and torch where it is
    installed."""
    model = EncoderDecoder(shape.V, shape.V, shape.D, shape.H, cell=cell, attention=attention)
    batch = np.random.default_rng(0).integers(shape.V, size=(3, shape.T, shape.N))
    others = {"torch": in_torch(model, batch, learning_rate)} if find_spec("torch") else {}  # copies of the weights
    return {"numpylm": in_numpylm(model, batch, learning_rate)} | others


def in_numpylm(model, batch, learning_rate):
    """A function that trains a step of the model."""
    optimizer = SGD(learning_rate)

    def step():
        out = model.loss_and_gradients(*batch)
        clipped, _ = clip_by_global_norm(out.gradients, MAX_NORM)
        optimizer.step(model.parameters(), clipped)
        return out.loss

    return step


def in_torch(model, batch, learning_rate):
    """The same of a Translator with copies of the model's weights."""
    import torch
    from torch import nn

    from numpylm.translation_torch import Translator

    network = Translator(**model.config)
    network.load_state_dict({name: torch.tensor(array) for name, array in translation_state_dict(model).items()})
    parameters = list(network.parameters())
    optimizer = torch.optim.SGD(parameters, lr=learning_rate)
    source, inputs, targets = (torch.tensor(tokens) for tokens in batch)
    lengths = torch.full((source.shape[1],), len(source))

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(source, lengths, inputs).flatten(0, 1), targets.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        optimizer.step()
        return loss.item()

    return step
