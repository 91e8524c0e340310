"""The parameters of an encoder-decoder: their names, shapes and first values, and its sizes.

    E_x, E_y                                 the embedding tables of source and target
    encoder.W_x, … and decoder.W_x, …        their cells; a bidirectional encoder has encoder.forwards_W_x, …
    encoder.layer_0.W_x, …                   the same in a stack of several layers
    W_sa, W_ha, b_a, v_a                     additive attention
    W_cs, W_ss, b_s                          with attention: s̃
    W_sy (unless tied to E_y), b_y           the output

The cells name their own: W_xh, W_hh, b_h of an RNN; W_x, W_h, b of an LSTM; W_x, W_h, b, b_hn of a GRU.
"""

from typing import NamedTuple

from numpylm.attention import ATTENTIONS
from numpylm.base import require
from numpylm.model import CELLS
from numpylm.parameters import bias, matrix, table
from numpylm.stack import stack_cell, stack_parts


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
        require.boolean("tie_weights", self.tie_weights)
        if self.tie_weights and self.output_dim != self.embedding_dim:
            raise ValueError(
                "tie_weights without attention makes W_sy (H, V) the transpose of E_y (V, D), so that D must equal H; "
                f"got embedding_dim={self.embedding_dim}, hidden_dim={self.hidden_dim}"
            )

    def parts(self):
        """The Parts of an encoder-decoder's parameters, in the order of EncoderDecoder.parameters."""
        V_x, V_y, D, H, L = self[:5]
        parts = [table("E_x", V_x, D), *stack_parts(stack_cell(self), "encoder.", D, H, L)]
        parts += [table("E_y", V_y, D, self.tie_weights), *stack_parts(CELLS[self.cell](), "decoder.", D, H, L)]
        if self.attention != "none":
            parts += ATTENTIONS[self.attention].parts(H, H)
            parts += [matrix("W_cs", H, D), matrix("W_ss", H, D), bias("b_s", D)]
        if not self.tie_weights:
            parts.append(matrix("W_sy", self.output_dim, V_y))
        return [*parts, bias("b_y", V_y)]
