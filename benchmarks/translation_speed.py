"""One training step of the encoder-decoder beside the same model in PyTorch, on one thread.

    OMP_NUM_THREADS=1 python benchmarks/translation_speed.py

A step: loss, gradients, clipping by the global norm, SGD. Both run the same weights (translation_export.py) in float32,
at T_x = T_y = 15, N = 64, D = 128, H = 256, V = 5,000, with an encoder that reads both directions. Sentences have
--shortest to 15 tokens; numpylm predicts nothing at padding, where the PyTorch module computes logits that its loss
ignores. The ratio is the median over rounds in which the two take turns, by the processor's clock.
"""

import argparse
from statistics import median

import numpy as np
import torch
from torch import nn

from numpylm.bench.clock import race, ratio
from numpylm.clipping import clip_by_global_norm
from numpylm.loss import IGNORED
from numpylm.masking import lengths_to_mask
from numpylm.optimizers import SGD
from numpylm.translation import EncoderDecoder
from numpylm.translation_export import translation_state_dict
from numpylm.translation_torch import Translator

T, N, D, H, V = 15, 64, 128, 256, 5000
MAX_NORM, RATE = 1.0, 0.1


def main():
    """Prints a line for each cell and kind of attention."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--rounds", type=int, default=9, metavar="K")
    options.add_argument("--shortest", type=int, default=T, metavar="K", help=f"tokens of the shortest sentence ({T})")
    options = options.parse_args()
    torch.set_num_threads(1)
    for cell in ("rnn", "lstm", "gru"):
        for attention in ("none", "dot", "additive"):
            model = EncoderDecoder(V, V, D, H, cell=cell, attention=attention)
            batch = random_batch(np.random.default_rng(0), options.shortest)
            steps = {"PyTorch": torch_step(model, *batch), "numpylm": our_step(model, *batch)}
            times = race(steps, options.rounds, 0, "processor")
            shown = ", ".join(f"{name} {1000 * median(seconds):5.0f} ms" for name, seconds in times.items())
            print(f"{cell:5}{attention:10}{shown}, {ratio(times['numpylm'], times['PyTorch']):.2f} ×", flush=True)


def random_batch(rng, shortest):
    """source, lengths, inputs and targets."""
    source, inputs, targets = rng.integers(0, V, (3, T, N))
    lengths = rng.integers(shortest, T + 1, (2, N))
    lengths[:, 0] = T
    return source, lengths[0], inputs, np.where(lengths_to_mask(lengths[1], T), targets, IGNORED)


def our_step(model, source, lengths, inputs, targets):
    """A function that trains one step; it changes the model."""
    optimizer, mask = SGD(RATE), lengths_to_mask(lengths, T)

    def step():
        out = model.loss_and_gradients(source, inputs, targets, mask)
        clipped, _ = clip_by_global_norm(out.gradients, MAX_NORM)
        optimizer.step(model.parameters(), clipped)

    return step


def torch_step(model, *batch):
    """The same of a Translator with copies of the model's weights."""
    network = Translator(**model.config)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in translation_state_dict(model).items()})
    parameters = list(network.parameters())
    optimizer = torch.optim.SGD(parameters, lr=RATE)
    source, lengths, inputs, targets = (torch.tensor(array) for array in batch)

    def step():
        optimizer.zero_grad()
        logits = network(source, lengths, inputs)
        nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED).backward()
        nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
