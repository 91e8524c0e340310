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

from numpylm import require
from numpylm.affine import affine_backward, affine_forward
from numpylm.bidirectional import bidirectional_cell
from numpylm.ctc import ctc_backward, ctc_forward
from numpylm.dropout import draw_mask, drop
from numpylm.initialization import glorot_uniform
from numpylm.model import CELLS, LossOutput, layer_prefix
from numpylm.stack import StackTrace, stack_backward, stack_forward
from numpylm.translation_parameters import record_of, with_prefix


class AcousticSizes(NamedTuple):
    """An acoustic model's sizes and kind: the arguments that make it."""

    num_labels: int  # V
    num_features: int  # B
    hidden_dim: int
    num_layers: int
    cell: str
    bidirectional: bool
    dropout: float


class AcousticTrace(NamedTuple):
    """The forward pass as the backward pass reads it; h (T, N, H) is what W_hy reads, after dropout."""

    stack: StackTrace
    output_mask: np.ndarray | None
    h: np.ndarray


class AcousticOutput(NamedTuple):
    """logits (T, N, V + 1), and the trace."""

    logits: np.ndarray
    trace: AcousticTrace


class AcousticModel:
    """The model. It holds parameters and sizes, and remembers nothing between calls.

    cell: "rnn", "lstm" or "gru"; bidirectional needs an even hidden_dim. dropout acts between layers and on the last h
    when a generator is passed in. dtype: float32 to train, float64 or complex128 to check gradients.
    Raises ValueError for arguments that are not of these kinds.
    """

    kind = "acoustic"

    def __init__(
        self, num_labels, num_features, hidden_dim, num_layers=1, cell="lstm", bidirectional=True, dropout=0.0,
        dtype=np.float32, seed=0,
    ):  # fmt: skip
        sizes = AcousticSizes(num_labels, num_features, hidden_dim, num_layers, cell, bidirectional, dropout)
        check_sizes(sizes)
        self._adopt(sizes, initial_parameters(sizes, dtype, seed))

    def _adopt(self, sizes, parameters):
        self.sizes = sizes
        self.cell = cell_of(sizes)
        self.dtype = parameters["W_hy"].dtype
        self._parameters = parameters

    @property
    def config(self):
        """The arguments that make a model of this kind and size again (its dtype and seed apart)."""
        return self.sizes._asdict()

    def parameters(self):
        """Name -> array: the live arrays, in a fixed order: the layers' (W_x or forwards_W_x, …), then W_hy and b_y."""
        return dict(self._parameters)

    def layers(self):
        """Each layer's Parameters."""
        return [record_of(self.cell.Parameters, self._parameters, prefix) for prefix in prefixes(self.sizes)]

    def forward(self, features, mask=None, rng=None):
        """features (T, N, B) give an AcousticOutput; a generator rng switches dropout on.

        Raises ValueError or TypeError for features or a mask that do not fit.
        """
        features, mask = self._checked(features, mask)
        state_0 = self._zeros(features.shape[1])
        layer_masks, output_mask = self._draw_masks(rng, features.shape)
        out = stack_forward(self.cell, self.layers(), features, state_0, mask, layer_masks)
        h = drop(out.h, output_mask)
        logits = affine_forward(h, self._parameters["W_hy"], self._parameters["b_y"])
        return AcousticOutput(logits, AcousticTrace(out.trace, output_mask, h))

    def loss_and_gradients(self, features, labels, mask=None, rng=None):
        """The CTC loss, in nats per label, and its gradients, as LossOutput. labels (U, N): 1..V, -1 is padding.

        Raises what forward does, and ValueError for labels that are out of range or do not fit into the frames.
        """
        features, mask = self._checked(features, mask)
        labels = check_labels(labels, features.shape, self.sizes.num_labels)
        logits, trace = self.forward(features, mask, rng)
        loss, ctc_trace = ctc_forward(logits, labels, mask)
        return LossOutput(loss, self._backward(trace, ctc_trace), None)

    def _backward(self, trace, ctc_trace):
        """The lines of forward in reverse order: gradients by name, in the parameters' order."""
        dlogits = ctc_backward(ctc_trace).dlogits
        dh, dW_hy, db_y = affine_backward(dlogits, trace.h, self._parameters["W_hy"])
        dh = drop(dh, trace.output_mask)
        dstate_T = self._zeros(dh.shape[1])
        out = stack_backward(self.cell, self.layers(), dh, dstate_T, trace.stack)
        gradients = {}
        for prefix, dparameters in zip(prefixes(self.sizes), out.dparameters, strict=True):
            gradients |= with_prefix(prefix, dparameters)
        return gradients | {"W_hy": dW_hy, "b_y": db_y}

    def _zeros(self, N):
        """A state of zeros for each layer."""
        zeros = [np.zeros((N, self.sizes.hidden_dim), self.dtype) for _ in self.cell.State._fields]
        return [self.cell.State(*zeros)] * self.sizes.num_layers

    def _draw_masks(self, rng, shape):
        """(masks of the layers' inputs, mask of the last h); the features themselves are not dropped."""
        require.generator(rng)
        if rng is None or self.sizes.dropout == 0:
            return None, None
        drawn = [
            draw_mask(rng, self.sizes.dropout, (*shape[:2], self.sizes.hidden_dim), self.dtype)
            for _ in range(self.sizes.num_layers)
        ]
        return [None, *drawn[:-1]], drawn[-1]

    def _checked(self, features, mask):
        features = np.asarray(features)
        if features.ndim != 3 or not features.size or features.shape[2] != self.sizes.num_features:
            raise ValueError(
                f"features must be of shape (T, N, B), time first, with B = {self.sizes.num_features}; "
                f"got {features.shape}"
            )
        if features.dtype.kind not in "fc":
            raise TypeError(f"features must be floats; got {features.dtype}")
        return features.astype(self.dtype, copy=False), require.mask(mask, features.shape[:2])

    def astype(self, dtype):
        """A copy of this model in another dtype: float64 or complex128 to check its gradients."""
        dtype = require.float_dtype(dtype)
        return make_acoustic_model(self.sizes, {name: q.astype(dtype) for name, q in self._parameters.items()})

    def __repr__(self):
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.config.items())
        return f"{type(self).__name__}({arguments}, dtype={self.dtype.name})"


def check_sizes(sizes):
    """Raises a ValueError that names the size or kind that is wrong."""
    for name in ("num_labels", "num_features", "hidden_dim", "num_layers"):
        require.positive_integer(name, getattr(sizes, name))
    require.one_of("cell", sizes.cell, CELLS)
    require.boolean("bidirectional", sizes.bidirectional)
    require.fraction("dropout", sizes.dropout)
    if sizes.bidirectional and sizes.hidden_dim % 2:
        raise ValueError(
            f"bidirectional gives each direction H/2 units, so that H must be even; got hidden_dim={sizes.hidden_dim}"
        )


def check_labels(labels, features_shape, num_labels):
    """labels (U, N), in 1..V or -1 after an utterance's end, or an error that says what does not fit."""
    labels = require.integer_array("labels", labels)
    if labels.ndim != 2 or labels.shape[1:] != features_shape[1:2]:
        raise ValueError(f"labels must be of shape (U, N) with the features' N; got {labels.shape}, {features_shape}")
    real = labels != -1
    if labels[real].size and not (labels[real].min() >= 1 and labels[real].max() <= num_labels):
        raise ValueError(
            f"labels must lie in 1..V = {num_labels}, for 0 is the blank; got {labels.min()}..{labels.max()}"
        )
    if (real[1:] > real[:-1]).any():
        raise ValueError("labels must have their padding, -1, after each utterance's labels")
    return labels


def cell_of(sizes):
    """The Cell of every layer."""
    cell = CELLS[sizes.cell]()
    return bidirectional_cell(cell) if sizes.bidirectional else cell


def prefixes(sizes):
    """What stands before the names of each layer's parameters."""
    return [layer_prefix(layer, sizes.num_layers) for layer in range(sizes.num_layers)]


def parameter_shapes(sizes):
    """Name -> shape of every parameter, in the order of AcousticModel.parameters, without making any."""
    cell, B, H, V = cell_of(sizes), sizes.num_features, sizes.hidden_dim, sizes.num_labels
    shapes = {}
    for layer, prefix in enumerate(prefixes(sizes)):
        shapes |= {prefix + name: shape for name, shape in cell.shapes(H if layer else B, H).items()}
    return shapes | {"W_hy": (H, V + 1), "b_y": (V + 1,)}


def initial_parameters(sizes, dtype, seed):
    """Name -> freshly drawn array; initialization.py says from which distribution."""
    dtype = require.float_dtype(dtype)
    rng = np.random.default_rng(require.count("seed", seed))
    cell, B, H, V = cell_of(sizes), sizes.num_features, sizes.hidden_dim, sizes.num_labels
    parameters = {}
    for layer, prefix in enumerate(prefixes(sizes)):
        parameters |= with_prefix(prefix, cell.initialize(rng, H if layer else B, H))
    parameters |= {"W_hy": glorot_uniform(rng, H, V + 1), "b_y": np.zeros(V + 1)}
    return {name: array.astype(dtype) for name, array in parameters.items()}


def make_acoustic_model(sizes, parameters):
    """An AcousticModel of AcousticSizes that holds these parameters, a dict as initial_parameters returns."""
    model = AcousticModel.__new__(AcousticModel)
    model._adopt(sizes, parameters)
    return model
