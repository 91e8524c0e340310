"""Translation: an encoder reads the source sentence, a decoder predicts the target sentence token by token.

    h_j = encoder(E_x[source_j], h_{j-1})                       one direction, or both: (14) to (16)
    s_0 = the encoder's last state, of each layer
    s_t = decoder(E_y[input_t], s_{t-1})                        input_t is target_{t-1}; it begins with <s>     (21)
    s̃_t = tanh(ctx_t W_cs + s_t W_ss + b_s)                     with attention, (17) to (20); else s̃_t = s_t    (22)
    y_t = softmax(s̃_t W_sy + b_y)                               the distribution of target_t                    (23)

    T_x source steps · T_y target steps · N sentences · D embedding size · H hidden size · V_x, V_y vocabularies

    E_x (V_x, D)   E_y (V_y, D)   h (T_x, N, H)   s (T_y, N, H)   W_cs, W_ss (H, D)   b_s (D,)
    s̃ (T_y, N, D), or (T_y, N, H) without attention   W_sy (D or H, V_y)   b_y (V_y,)

Encoder and decoder are L layers of one kind of cell: equation (1), (3) to (8), or (10) to (13). A bidirectional encoder
has H/2 units in each direction, so that the decoder can start from its last state as it is. In training the decoder
reads the right token, not its own prediction (teacher forcing). So its T_y inputs are known at once: we compute first
all s_t, then all attention and output, by a few large products for the whole batch.

Sources: Sutskever, Vinyals and Le, Sequence to Sequence Learning with Neural Networks (2014); Cho et al., Learning
Phrase Representations using RNN Encoder-Decoder (2014); Luong, Pham and Manning (2015), equation 5, for (22), here
with D numbers instead of H. With tied weights (Press and Wolf, 2017) W_sy is E_yᵀ.
"""

from typing import NamedTuple

import numpy as np

from numpylm.activations import tanh, tanh_backward
from numpylm.affine import affine_backward, affine_forward
from numpylm.attention import ATTENTIONS, AttentionGradients, AttentionTrace, attention_backward, attention_forward
from numpylm.base import require
from numpylm.dropout import drop, optional_masks
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.loss import IGNORED, affine_cross_entropy
from numpylm.model import ForwardOutput, LossOutput
from numpylm.parameters import Model, bias, check_tied, matrix, record_of, table
from numpylm.stack import CELLS, Stack, stack_backward, stack_cell, stack_forward, stack_parts


class TranslationSizes(NamedTuple):
    """An encoder-decoder's sizes and kind: the arguments that make it."""

    source_vocab_size: int  # V_x
    target_vocab_size: int  # V_y
    embedding_dim: int
    hidden_dim: int
    num_layers: int = 1
    cell: str = "lstm"
    attention: str = "dot"
    bidirectional: bool = True
    dropout: float = 0.0
    tie_weights: bool = False

    @property
    def input_dims(self):
        """The sizes of what each layer reads."""
        return [self.embedding_dim] + [self.hidden_dim] * (self.num_layers - 1)

    @property
    def output_dim(self):
        """The size of s̃, which W_sy reads: D with attention, H without."""
        return self.hidden_dim if self.attention == "none" else self.embedding_dim

    def check(self):
        """Raises a ValueError that names the size or kind that is wrong."""
        require.positive_integers(self, "source_vocab_size", "target_vocab_size", "embedding_dim")
        stack_cell(self)  # checks the layers' choices
        require.one_of("attention", self.attention, ("none", *ATTENTIONS))
        check_tied(self, "W_sy the transpose of E_y, without attention," if self.attention == "none" else None)


class Encoded(NamedTuple):
    """The source, and what the encoder makes of it."""

    source: np.ndarray  # (T_x, N)
    mask: np.ndarray | None  # (T_x, N)
    h: np.ndarray  # (T_x, N, H)
    state: tuple  # s_0 of each layer
    trace: NamedTuple  # a StackTrace


class TranslationTrace(NamedTuple):
    """The forward pass as the backward pass reads it. attention is None in a model without it."""

    encoded: Encoded
    inputs: np.ndarray  # (T_y, N)
    state_given: bool  # the decoder did not start from s_0
    decoder: NamedTuple  # a StackTrace
    s: np.ndarray  # (T_y, N, H)
    attention: AttentionTrace | None
    s_tilde: np.ndarray  # (T_y, N, D or H), before dropout
    output_mask: np.ndarray | None  # dropout's


class OutputGradients(NamedTuple):
    """From s̃ back to both states: dctx, the attention's gradients, ds by (22) and the score, dh by (20) and the score.

    Without attention, dctx and the attention's gradients are None.
    """

    dctx: np.ndarray | None
    attention: AttentionGradients | None
    ds: np.ndarray
    dh: np.ndarray
    dparameters: dict


class EncoderDecoder(Model):
    """The model, made by the fields of TranslationSizes. Its parameters are

        E_x, E_y                                 the embedding tables of source and target
        encoder.W_x, … and decoder.W_x, …        their cells; a bidirectional encoder has encoder.forwards_W_x, …
        encoder.layer_0.W_x, …                   the same in a stack of several layers
        W_sa, W_ha, b_a, v_a                     additive attention
        W_cs, W_ss, b_s                          with attention: s̃
        W_sy (unless tied to E_y), b_y           the output

    cell: "rnn", "lstm" or "gru"; attention: "none", "dot" or "additive" (whose A is H). bidirectional needs an even
    hidden_dim. tie_weights needs attention, or embedding_dim == hidden_dim. dropout acts on embeddings, between layers
    and on s̃, when a generator is passed in. dtype: float32 to train, float64 or complex128 to check gradients.
    Raises ValueError for arguments that are not of these kinds.
    """

    kind, Sizes = "encoder-decoder", TranslationSizes

    def _prepare(self, sizes):
        super()._prepare(sizes)
        self.cell = CELLS[sizes.cell]()  # the decoder's
        self.encoder = Stack(stack_cell(sizes), sizes.num_layers, "encoder.")
        self.decoder = Stack(self.cell, sizes.num_layers, "decoder.")
        self.attention = ATTENTIONS.get(sizes.attention)

    def parts(self):
        """The Parts of the parameters, in their order."""
        V_x, V_y, D, H = self.sizes[:4]
        parts = [table("E_x", V_x, D), *stack_parts(self.encoder, D, H)]
        parts += [table("E_y", V_y, D, self.sizes.tie_weights), *stack_parts(self.decoder, D, H)]
        if self.attention is not None:
            parts += self.attention.parts(H, H)
            parts += [matrix("W_cs", H, D), matrix("W_ss", H, D), bias("b_s", D)]
        if not self.sizes.tie_weights:
            parts.append(matrix("W_sy", self.sizes.output_dim, V_y))
        return [*parts, bias("b_y", V_y)]

    def output_matrix(self):
        """W_sy; with tied weights, the transposed view of E_y."""
        return self._parameters["E_y"].T if self.sizes.tie_weights else self._parameters["W_sy"]

    def forward(self, source, inputs, source_mask=None, state=None, rng=None):
        """ForwardOutput(logits (T_y, N, V_y), state, trace) for source (T_x, N) and inputs (T_y, N), integers.

        source_mask  (T_x, N) booleans, True for each sentence's tokens, which come first; None if all lengths are T_x
        state        the decoder's, where the chunk of the target before ended (out.state); None starts from s_0
        rng          a numpy.random.Generator switches dropout on; None leaves it out
        Raises ValueError or TypeError for arguments that do not fit each other or the model.
        """
        s_out, state, trace = self._hidden(source, inputs, source_mask, state, rng)
        return ForwardOutput(affine_forward(s_out, self.output_matrix(), self._parameters["b_y"]), state, trace)

    def loss_and_gradients(self, source, inputs, targets, source_mask=None, state=None, rng=None):
        """The loss, in nats per predicted target token, and its gradients, as LossOutput.

        targets (T_y, N) integers; a target of -1 is not predicted (padding). The other arguments are forward's; a
        state that is passed in is taken as given. Raises what forward does, and for targets outside -1..V_y-1.
        """
        targets = require.targets(targets, np.shape(inputs), self.sizes.target_vocab_size)
        s_out, state, trace = self._hidden(source, inputs, source_mask, state, rng)
        predicted = targets != IGNORED
        rows, targets = s_out[predicted][None], targets[predicted][None]  # (1, M, ·): padding costs nothing here
        loss, drows, dW_sy, db_y = affine_cross_entropy(rows, self.output_matrix(), self._parameters["b_y"], targets)
        ds_out = np.zeros_like(s_out)
        ds_out[predicted] = drows[0]
        return LossOutput(loss, self._backward(trace, ds_out, dW_sy, db_y), state)

    def encode(self, source, source_mask=None, rng=None):
        """Encoded for source (T_x, N): what the decoder reads. Arguments and errors are those of forward."""
        source = require.tokens(source, self.sizes.source_vocab_size)
        mask = require.mask(source_mask, source.shape)
        if mask is not None and not (mask[0].all() and (mask[:-1] >= mask[1:]).all()):
            raise ValueError("source_mask must be True for each sentence's tokens, at least one, and False after them")
        x = embedding_forward(source, self._parameters["E_x"])
        state_0 = self.initial_state(source.shape[1])
        masks = optional_masks(rng, self.sizes.dropout, source.shape, self.sizes.input_dims, self.dtype)
        out = stack_forward(self.encoder, self._parameters, x, state_0, mask, masks)
        return Encoded(source, mask, out.h, out.state, out.trace)

    def advance(self, tokens, state, encoded):
        """One decoder step without teacher forcing, for K N rows: (logits (K N, V_y), state).

        tokens (K N,) and the state's arrays (K N, H): row k N + n is the k-th hypothesis for the sentence n of N.
        """
        x = embedding_forward(tokens[None], self._parameters["E_y"])
        out = stack_forward(self.decoder, self._parameters, x, state)
        N, H = encoded.h.shape[1:]
        s_tilde, _ = self._output_forward(out.h.reshape(-1, N, H), encoded)  # hypotheses in the place of T_y
        logits = affine_forward(s_tilde.reshape(len(tokens), -1), self.output_matrix(), self._parameters["b_y"])
        return logits, out.state

    def _hidden(self, source, inputs, source_mask, state, rng):
        """Encoder, decoder, attention: what W_sy reads, the decoder's last state, and the TranslationTrace."""
        inputs = require.tokens(inputs, self.sizes.target_vocab_size)
        encoded = self.encode(source, source_mask, rng)
        if inputs.shape[1] != encoded.source.shape[1]:
            raise ValueError(f"source has N = {encoded.source.shape[1]} sentences, but inputs have {inputs.shape[1]}")
        s_0 = encoded.state if state is None else require.state(state, encoded.state)
        x = embedding_forward(inputs, self._parameters["E_y"])
        dims = [*self.sizes.input_dims, self.sizes.output_dim]
        *masks, output_mask = optional_masks(rng, self.sizes.dropout, inputs.shape, dims, self.dtype)
        out = stack_forward(self.decoder, self._parameters, x, s_0, None, masks)
        s_tilde, attention = self._output_forward(out.h, encoded)
        trace = TranslationTrace(encoded, inputs, state is not None, out.trace, out.h, attention, s_tilde, output_mask)
        return drop(s_tilde, output_mask), out.state, trace

    def _backward(self, trace, ds_out, dW_sy, db_y):
        """The lines of _hidden in reverse order: gradients by name, in the parameters' order."""
        ds_tilde = drop(ds_out, trace.output_mask)
        _, _, ds, dh, gradients = self.output_backward(ds_tilde, trace)
        nothing = self.initial_state(ds.shape[1])  # no gradient comes from beyond the target's end
        decoder = stack_backward(self.decoder, self._parameters, ds, nothing, trace.decoder)
        ds_0 = nothing if trace.state_given else decoder.dstate_0
        encoder = stack_backward(self.encoder, self._parameters, dh, ds_0, trace.encoded.trace)
        gradients["E_y"] = embedding_backward(decoder.dx, trace.inputs, self.sizes.target_vocab_size)
        gradients["E_x"] = embedding_backward(encoder.dx, trace.encoded.source, self.sizes.source_vocab_size)
        gradients |= encoder.dparameters | decoder.dparameters | {"W_sy": dW_sy, "b_y": db_y}
        if self.sizes.tie_weights:  # then W_sy is no parameter of its own
            gradients["E_y"] += dW_sy.T
        return {name: gradients[name] for name in self._parameters}

    def _output_forward(self, s, encoded):
        """s̃ and the AttentionTrace; without attention, s and None."""
        if self.attention is None:
            return s, None
        p, scoring = self._parameters, record_of(self.attention.Parameters, self._parameters)
        trace = attention_forward(self.attention, scoring, s, encoded.h, encoded.mask)
        a = affine_forward(trace.ctx, p["W_cs"], p["b_s"]) + s @ p["W_ss"]
        s_tilde = tanh(a)  # (22)
        return s_tilde, trace

    def output_backward(self, ds_tilde, trace):
        """OutputGradients from the gradient of s̃ (T_y, N, ·); without attention, dh is zero."""
        if self.attention is None:
            return OutputGradients(None, None, ds_tilde, np.zeros_like(trace.encoded.h), {})
        da = tanh_backward(ds_tilde, trace.s_tilde)  # (22)
        ds, dW_ss, _ = affine_backward(da, trace.s, self._parameters["W_ss"])
        dctx, dW_cs, db_s = affine_backward(da, trace.attention.ctx, self._parameters["W_cs"])
        scoring = record_of(self.attention.Parameters, self._parameters)
        out = attention_backward(self.attention, scoring, dctx, trace.attention)
        dparameters = {"W_cs": dW_cs, "W_ss": dW_ss, "b_s": db_s, **out.dparameters._asdict()}
        return OutputGradients(dctx, out, ds + out.ds, out.dh, dparameters)
