"""Language models: embedding -> L recurrent layers -> affine map to the vocabulary -> softmax.

    x_t      = E[token_t]                                      E (V, D)
    h_t      = the last of L layers, each an RNN, an LSTM or a GRU: equation (1), (3) to (8), or (10) to (13)
    logits_t = h_t W_hy + b_y                                  W_hy (H, V)   b_y (V,)
    y_t      = softmax(logits_t)                               equations (2) and (9)

y_t is the predicted distribution of token t + 1, at every step. With tied weights (Press and Wolf, 2017; Inan et al.,
2017) W_hy is Eᵀ, and E's gradient is the sum over both its uses. Dropout (dropout.py) acts only when a generator is
passed in.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numpylm.affine import affine_forward
from numpylm.base import require
from numpylm.dropout import KINDS, DropoutMasks, draw_masks, drop
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.gru import gru_cell
from numpylm.loss import affine_cross_entropy
from numpylm.lstm import lstm_cell
from numpylm.parameters import Model, bias, check_tied, matrix, table
from numpylm.projection import Lookup
from numpylm.rnn import rnn_cell
from numpylm.stack import Stack, StackTrace, stack_backward, stack_forward, stack_parameters, stack_parts


class Sizes(NamedTuple):
    """A model's sizes and its kind of dropout, for every cell."""

    vocab_size: int
    embedding_dim: int
    hidden_dim: int
    num_layers: int
    dropout: float
    tie_weights: bool
    dropout_kind: str

    def check(self):
        """Raises a ValueError that names the wrong size."""
        require.positive_integers(self, "vocab_size", "embedding_dim", "hidden_dim")
        require.depth("num_layers", self.num_layers)
        require.fraction("dropout", self.dropout)
        require.one_of("dropout_kind", self.dropout_kind, KINDS)
        check_tied(self, "W_hy the transpose of E")


class Trace(NamedTuple):
    """The forward pass as the backward pass reads it."""

    tokens: np.ndarray  # (T, N)
    masks: DropoutMasks
    layers: list  # each layer's RNNTrace, LSTMTrace or GRUTrace
    h: np.ndarray  # (T, N, H), what the output projection reads


class ForwardOutput(NamedTuple):
    """logits (T, N, V); state, a tuple with each layer's state after the last step; trace, every intermediate."""

    logits: np.ndarray
    state: tuple
    trace: Trace


class LossOutput(NamedTuple):
    """loss, mean nats per predicted token; gradients, with the parameters' names; state after the last step."""

    loss: float
    gradients: dict
    state: tuple


class LanguageModel(Model):
    """What RNNLM, LSTMLM and GRULM share.

    parameters() has E, then the recurrent layers' parameters, then W_hy and b_y. In a model of one layer the recurrent
    names are those of the equations (W_xh, W_hh, b_h; the LSTM's and GRU's packed W_x, W_h, b). With several layers
    they begin with the layer's number: layer_0.W_xh, layer_1.W_xh.
    """

    Sizes = Sizes
    make_cell: Callable  # of the options

    def _prepare(self, sizes, *options):
        super()._prepare(sizes)
        self.cell = self.make_cell(*options)
        self.stack = Stack(self.cell, sizes.num_layers)

    def parts(self):
        """The Parts of the parameters, in their order."""
        V, D, H, *_, tied, _ = self.sizes
        W_hy = [] if tied else [matrix("W_hy", H, V)]
        return [table("E", V, D, tied), *stack_parts(self.stack, D, H), *W_hy, bias("b_y", V)]

    @property
    def config(self):
        """The arguments that make a model of this kind and size again, except dtype and seed."""
        return super().config | self.cell.options

    def layer_parameters(self, layer):
        """One layer's parameters as a record: for an LSTM, .W_xi, .W_hf … are views of the packed arrays."""
        if layer not in range(self.sizes.num_layers):
            raise ValueError(f"layer must lie in 0..{self.sizes.num_layers - 1}; got {layer!r}")
        return stack_parameters(self.stack, self._parameters)[layer]

    def output_matrix(self):
        """W_hy (H, V); with tied weights, the transposed view of E."""
        return self._parameters["E"].T if self.sizes.tie_weights else self._parameters["W_hy"]

    def forward(self, tokens, state=None, mask=None, rng=None):
        """tokens (T, N) integers -> ForwardOutput(logits (T, N, V), state, trace).

        state       the state after the previous window (out.state), or None for zeros
        mask        (T, N) booleans, False after a sequence's end: its state stays the same there (these steps still
                    count in the loss, unless their target is -1)
        rng         a numpy.random.Generator switches dropout on; None: no dropout
        Raises ValueError or TypeError for tokens, a state or a mask that do not fit T, N, H and V.
        """
        tokens, state, mask = self._checked(tokens, state, mask)
        h, state, trace = self._hidden(tokens, state, mask, rng)
        return ForwardOutput(affine_forward(h, self.output_matrix(), self._parameters["b_y"]), state, trace)

    def loss_and_gradients(self, inputs, targets, state=None, mask=None, rng=None):
        """The loss of a window of T steps and its gradients by backpropagation through those T steps, as LossOutput.

        inputs, targets (T, N) integers; a target of -1 is not predicted (padding, or last-step-only training).
        The given state gets no gradient (truncated backpropagation); pass out.state to the next call. state, mask and
        rng are as in forward. Raises the same errors as forward, and ValueError for targets outside -1..V-1.
        """
        inputs, state, mask = self._checked(inputs, state, mask)
        targets = require.targets(targets, inputs.shape, self.sizes.vocab_size)
        h, state, trace = self._hidden(inputs, state, mask, rng)
        loss, dh, dW_hy, db_y = affine_cross_entropy(h, self.output_matrix(), self._parameters["b_y"], targets)
        gradients, _ = self.backward(trace, dh, dW_hy, db_y)
        return LossOutput(loss, gradients, state)

    def _hidden(self, tokens, state, mask, rng):
        """Embedding and recurrent layers: the h (T, N, H) that the projection reads, the state, and the Trace."""
        V, D, H, L, dropout, _, kind = self.sizes
        masks = draw_masks(rng, dropout, kind, *tokens.shape, [D] + [H] * (L - 1), H, self.dtype)
        x = embedding_forward(tokens, self._parameters["E"])
        fold = tokens.size > V and masks.inputs[0] is None  # the table has fewer rows than x
        lookup = Lookup(tokens, self._parameters["E"]) if fold else None
        out = stack_forward(self.stack, self._parameters, x, state, mask, masks.inputs, masks.recurrent, lookup)
        h = drop(out.h, masks.output)
        return h, out.state, Trace(tokens, masks, out.trace.layers, h)

    def backward(self, trace, dh, dW_hy, db_y, keep_steps=False):
        """The lines of _hidden in reverse order, from the gradients of the output projection: (gradients, layers).

        gradients have the parameters' names and order; layers has each layer's Gradients. With keep_steps, these hold
        the gradient of every intermediate of every step.
        """
        dstate_T = self.initial_state(dh.shape[1])  # zeros: no gradient comes from beyond the window
        dh = drop(dh, trace.masks.output)
        stack = StackTrace(trace.layers, trace.masks.inputs)
        out = stack_backward(self.stack, self._parameters, dh, dstate_T, stack, keep_steps)
        dE = embedding_backward(out.dx, trace.tokens, self.sizes.vocab_size) if out.dE is None else out.dE
        if self.sizes.tie_weights:
            dE += dW_hy.T
        gradients = {"E": dE, **out.dparameters, "W_hy": dW_hy, "b_y": db_y}
        return {name: gradients[name] for name in self._parameters}, out.steps

    def _checked(self, tokens, state, mask):
        """The arguments of a forward pass as arrays. Raises an error that names the argument that does not fit."""
        tokens = require.tokens(tokens, self.sizes.vocab_size)
        zeros = self.initial_state(tokens.shape[1])
        state = zeros if state is None else require.state(state, zeros)
        return tokens, state, require.mask(mask, tokens.shape)


class RNNLM(LanguageModel):
    """Language model of simple recurrent layers, equations (1) and (2); nonlinearity is "tanh" or "relu".

    tie_weights needs embedding_dim == hidden_dim. dtype: float32 to train, float64 or complex128 to check gradients.
    dropout_kind: "standard" (Zaremba et al., 2014) or "variational" (Gal and Ghahramani, 2016).
    Raises ValueError for sizes that are not positive integers, or a dropout outside 0 <= p < 1.
    """

    kind, options, make_cell = "rnn", ("nonlinearity",), staticmethod(rnn_cell)

    def __init__(
        self, vocab_size, embedding_dim, hidden_dim, num_layers=1, nonlinearity="tanh", dropout=0.0, tie_weights=False,
        dtype=np.float32, seed=0, dropout_kind="standard",
    ):  # fmt: skip
        sizes = Sizes(vocab_size, embedding_dim, hidden_dim, num_layers, dropout, tie_weights, dropout_kind)
        self._make(sizes, dtype, seed, nonlinearity)


class LSTMLM(LanguageModel):
    """Language model of LSTM layers, equations (3) to (9). forget_bias is b_f's initial value; the rest as in RNNLM."""

    kind, options, make_cell = "lstm", ("forget_bias",), staticmethod(lstm_cell)

    def __init__(
        self, vocab_size, embedding_dim, hidden_dim, num_layers=1, dropout=0.0, tie_weights=False, forget_bias=1.0,
        dtype=np.float32, seed=0, dropout_kind="standard",
    ):  # fmt: skip
        sizes = Sizes(vocab_size, embedding_dim, hidden_dim, num_layers, dropout, tie_weights, dropout_kind)
        self._make(sizes, dtype, seed, forget_bias)


class GRULM(LanguageModel):
    """Language model of GRU layers, equations (10) to (13); the arguments are as in RNNLM."""

    kind, options, make_cell = "gru", (), staticmethod(gru_cell)

    def __init__(
        self, vocab_size, embedding_dim, hidden_dim, num_layers=1, dropout=0.0, tie_weights=False,
        dtype=np.float32, seed=0, dropout_kind="standard",
    ):  # fmt: skip
        sizes = Sizes(vocab_size, embedding_dim, hidden_dim, num_layers, dropout, tie_weights, dropout_kind)
        self._make(sizes, dtype, seed)


MODELS = {"rnn": RNNLM, "lstm": LSTMLM, "gru": GRULM}
