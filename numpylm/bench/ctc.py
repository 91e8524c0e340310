"""CTC beside PyTorch's: log_softmax, the loss and its gradient, of random logits and labels."""

from importlib.util import find_spec

import numpy as np

from numpylm.bench.shapes import Shape
from numpylm.ctc import ctc_backward, ctc_forward

NUM_LABELS = 15
SHAPE = Shape("100,32", T=100, N=32, D=1, H=1, V=30)  # V symbols, the blank among them; D and H mean nothing here


def functions(shape):
    """name -> function of no arguments that returns (loss, dlogits): numpylm, and torch where it is installed."""
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((shape.T, shape.N, shape.V)).astype(np.float32)
    labels = rng.integers(1, shape.V, (NUM_LABELS, shape.N))

    def ours():
        loss, trace = ctc_forward(logits, labels)
        return loss, ctc_backward(trace).dlogits

    return {"numpylm": ours} | ({"torch": in_torch(logits, labels)} if find_spec("torch") else {})


def in_torch(logits, labels):
    """The same by torch.nn.functional.ctc_loss."""
    import torch

    logits, targets = torch.tensor(logits, requires_grad=True), torch.tensor(labels.T.copy())
    T, N, _ = logits.shape
    lengths = torch.full((N,), T), torch.full((N,), len(labels))

    def run():
        logits.grad = None
        summed = torch.nn.functional.ctc_loss(logits.log_softmax(dim=2), targets, *lengths, reduction="sum")
        loss = summed / labels.size
        loss.backward()
        return loss.item(), logits.grad.numpy()

    return run
