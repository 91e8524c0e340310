"""An acoustic model: recurrent layers read the features of a sound, and say at each frame which label is heard.

    h_t      = the last of L layers, in one direction or both: (1), (3) to (8) or (10) to (13); (14) to (16)
    logits_t = h_t W_hy + b_y                                  V labels and the blank of CTC, symbol 0
    loss     = CTC of the logits and the labels                (30) to (36): ctc.py

    T frames · N utterances · B features a frame · H hidden size · V labels

    features (T, N, B)   mask (T, N), False after an utterance's last frame   labels (U, N), 1..V, -1 is padding
    h (T, N, H)   W_hy (H, V + 1)   b_y (V + 1,)   logits (T, N, V + 1)

A bidirectional layer has H/2 units in each direction. Source: Graves, Mohamed and Hinton, Speech recognition with deep
recurrent neural networks (2013).
"""

from typing import NamedTuple

import numpy as np

from numpylm.affine import affine_backward, affine_forward
from numpylm.base import require
from numpylm.ctc import ctc_backward, ctc_forward
from numpylm.dropout import drop, optional_masks
from numpylm.loss import IGNORED
from numpylm.model import LossOutput
from numpylm.parameters import Model, bias, matrix
from numpylm.stack import Stack, stack_backward, stack_cell, stack_forward, stack_parts


class AcousticSizes(NamedTuple):
    """An acoustic model's sizes and kind: the arguments that make it."""

    num_labels: int  # V
    num_features: int  # B
    hidden_dim: int
    num_layers: int = 1
    cell: str = "lstm"
    bidirectional: bool = True
    dropout: float = 0.0

    def check(self):
        """Raises a ValueError that names the size or kind that is wrong."""
        require.positive_integers(self, "num_labels", "num_features")
        stack_cell(self)  # checks the layers' choices


class AcousticOutput(NamedTuple):
    """The logits, and what the backward pass reads."""

    logits: np.ndarray  # (T, N, V + 1)
    mask: np.ndarray | None  # (T, N), False after an utterance's end
    stack: NamedTuple  # a StackTrace
    output_mask: np.ndarray | None  # (T, N, H), dropout's
    h: np.ndarray  # (T, N, H), after dropout: what W_hy reads


class AcousticModel(Model):
    """The model, made by the fields of AcousticSizes; parameters() has the layers' (W_x or forwards_W_x, …), W_hy, b_y.
    Dropout acts between layers and on the last h, when a generator is passed in."""

    kind, Sizes = "acoustic", AcousticSizes

    def _prepare(self, sizes):
        super()._prepare(sizes)
        self.cell = stack_cell(sizes)
        self.stack = Stack(self.cell, sizes.num_layers)

    def parts(self):
        """The Parts of the parameters, in their order."""
        V, B, H = self.sizes[:3]
        return [*stack_parts(self.stack, B, H), matrix("W_hy", H, V + 1), bias("b_y", V + 1)]

    def forward(self, features, mask=None, rng=None):
        """features (T, N, B) give an AcousticOutput; a generator rng switches dropout on.

        Raises ValueError or TypeError for features or a mask that do not fit.
        """
        _, B, H, L, *_ = self.sizes
        features = np.asarray(features)
        if features.ndim != 3 or not features.size or features.shape[2] != B:
            raise ValueError(f"features must be of shape (T, N, B), time first, with B = {B}; got {features.shape}")
        if features.dtype.kind not in "fc":
            raise TypeError(f"features must be floats; got {features.dtype}")
        features = features.astype(self.dtype, copy=False)
        T, N, _ = features.shape
        mask = require.mask(mask, (T, N))
        *between, output_mask = optional_masks(rng, self.sizes.dropout, (T, N), [H] * L, self.dtype)
        masks = [None, *between]  # the features themselves are not dropped
        out = stack_forward(self.stack, self._parameters, features, self.initial_state(N), mask, masks)
        h = drop(out.h, output_mask)
        logits = affine_forward(h, self._parameters["W_hy"], self._parameters["b_y"])
        return AcousticOutput(logits, mask, out.trace, output_mask, h)

    def loss_and_gradients(self, features, labels, mask=None, rng=None):
        """The CTC loss, in nats per label, and its gradients, as LossOutput. labels (U, N): 1..V, -1 is padding.

        Raises what forward does, and ValueError for labels that are out of range or do not fit into the frames.
        """
        out = self.forward(features, mask, rng)
        labels = check_labels(labels, out.logits.shape[1], self.sizes.num_labels)
        loss, ctc_trace = ctc_forward(out.logits, labels, out.mask)
        dlogits = ctc_backward(ctc_trace).dlogits  # from here, the lines of forward in reverse order
        dh, dW_hy, db_y = affine_backward(dlogits, out.h, self._parameters["W_hy"])
        dh = drop(dh, out.output_mask)
        layers = stack_backward(self.stack, self._parameters, dh, self.initial_state(dh.shape[1]), out.stack)
        return LossOutput(loss, layers.dparameters | {"W_hy": dW_hy, "b_y": db_y}, None)


def check_labels(labels, N, num_labels):
    """labels (U, N), in 1..V or -1 after an utterance's end, or an error that says what does not fit."""
    labels = require.integer_array("labels", labels)
    real = labels != IGNORED
    fits = labels.ndim == 2 and labels.shape[1] == N and not (real[1:] > real[:-1]).any()
    if not fits or (real & ((labels < 1) | (labels > num_labels))).any():
        expected = f"(U, N = {N}), in 1..V = {num_labels} (0 is the blank), and -1 only after an utterance's end"
        raise ValueError(f"labels must be {expected}; got {labels.shape}, {np.unique(labels)}")
    return labels
