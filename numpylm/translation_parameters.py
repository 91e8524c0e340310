"""The parameters of an encoder-decoder: their names, shapes and first values, and its sizes.

    E_x                                      the source's embedding table
    encoder.W_x, …                           the encoder's cell
    encoder.forwards_W_x, …                  its two cells, where it is bidirectional
    encoder.layer_0.forwards_W_x, …          the same in a stack of several layers
    E_y                                      the target's embedding table
    decoder.W_x, … or decoder.layer_0.W_x    the decoder's cell
    W_sa, W_ha, b_a, v_a                     additive attention
    W_cs, W_ss, b_s                          with attention: s̃
    W_sy (unless tied to E_y), b_y           the output

The cells name their own: W_xh, W_hh, b_h of an RNN; W_x, W_h, b of an LSTM; W_x, W_h, b, b_hn of a GRU.
"""

from typing import NamedTuple

import numpy as np

from numpylm import require
from numpylm.attention import ATTENTIONS
from numpylm.bidirectional import bidirectional_cell
from numpylm.initialization import embedding_table, glorot_uniform
from numpylm.model import CELLS, layer_prefix

PARTS = ("encoder", "decoder")


class TranslationSizes(NamedTuple):
    """An encoder-decoder's sizes and kind: the arguments that make it."""

    source_vocab_size: int
    target_vocab_size: int
    embedding_dim: int
    hidden_dim: int
    num_layers: int
    cell: str
    attention: str
    bidirectional: bool
    dropout: float
    tie_weights: bool

    @property
    def output_dim(self):
        """The size of s̃, which W_sy reads: D with attention, H without."""
        return self.hidden_dim if self.attention == "none" else self.embedding_dim


def check_sizes(sizes):
    """Raises a ValueError that names the size or kind that is wrong."""
    for name in ("source_vocab_size", "target_vocab_size", "embedding_dim", "hidden_dim", "num_layers"):
        require.positive_integer(name, getattr(sizes, name))
    require.one_of("cell", sizes.cell, CELLS)
    require.one_of("attention", sizes.attention, ("none", *ATTENTIONS))
    require.boolean("bidirectional", sizes.bidirectional)
    require.fraction("dropout", sizes.dropout)
    require.boolean("tie_weights", sizes.tie_weights)
    if sizes.bidirectional and sizes.hidden_dim % 2:
        raise ValueError(
            f"bidirectional gives each direction H/2 units, so that H must be even; got hidden_dim={sizes.hidden_dim}"
        )
    if sizes.tie_weights and sizes.output_dim != sizes.embedding_dim:
        raise ValueError(
            "tie_weights without attention makes W_sy (H, V) the transpose of E_y (V, D), so that D must equal H; "
            f"got embedding_dim={sizes.embedding_dim}, hidden_dim={sizes.hidden_dim}"
        )


def check_source(source, mask, vocab_size):
    """source (T_x, N) and its mask (T_x, N) or None, or an error that says what does not fit."""
    source = require.tokens(source, vocab_size)
    mask = require.mask(mask, source.shape)
    if mask is not None and not (mask[0].all() and (mask[:-1] >= mask[1:]).all()):
        raise ValueError("source_mask must be True for each sentence's tokens, at least one, and False after them")
    return source, mask


def layer_prefixes(part, num_layers):
    """What stands before the names of each layer of a part, "encoder" or "decoder"."""
    return [f"{part}.{layer_prefix(layer, num_layers)}" for layer in range(num_layers)]


def cells(sizes):
    """The encoder's Cell and the decoder's."""
    cell = CELLS[sizes.cell]()
    return bidirectional_cell(cell) if sizes.bidirectional else cell, cell


def record_of(Parameters, parameters, prefix=""):
    """A record of parameters from the dict of all of them."""
    return Parameters(*[parameters[prefix + name] for name in Parameters._fields])


def with_prefix(prefix, record):
    """A record's arrays, each under its prefixed name."""
    return {prefix + name: array for name, array in record._asdict().items()}


def parameter_shapes(sizes):
    """Name -> shape of every parameter, in the order above, without making any."""
    D, H, V_y = sizes.embedding_dim, sizes.hidden_dim, sizes.target_vocab_size
    encoder, decoder = (with_prefixes(part, cell, sizes) for part, cell in zip(PARTS, cells(sizes), strict=True))
    shapes = {"E_x": (sizes.source_vocab_size, D), **encoder, "E_y": (V_y, D), **decoder}
    if sizes.attention != "none":
        shapes |= {**ATTENTIONS[sizes.attention].shapes(H, H), "W_cs": (H, D), "W_ss": (H, D), "b_s": (D,)}
    if not sizes.tie_weights:
        shapes["W_sy"] = (sizes.output_dim, V_y)
    return {**shapes, "b_y": (V_y,)}


def with_prefixes(part, cell, sizes):
    """Name -> shape of the parameters of a part's layers."""
    return {
        prefix + name: shape
        for layer, prefix in enumerate(layer_prefixes(part, sizes.num_layers))
        for name, shape in cell.shapes(sizes.hidden_dim if layer else sizes.embedding_dim, sizes.hidden_dim).items()
    }


def initial_parameters(sizes, dtype, seed):
    """Name -> freshly drawn array, in the order above; initialization.py says from which distribution."""
    dtype = require.float_dtype(dtype)
    rng = np.random.default_rng(require.count("seed", seed))
    D, H, V_y = sizes.embedding_dim, sizes.hidden_dim, sizes.target_vocab_size
    (encoder, decoder), attention = cells(sizes), ATTENTIONS.get(sizes.attention)
    parameters = {"E_x": embedding_table(rng, sizes.source_vocab_size, D, False)}
    for layer, prefix in enumerate(layer_prefixes("encoder", sizes.num_layers)):
        parameters.update(with_prefix(prefix, encoder.initialize(rng, D if layer == 0 else H, H)))
    parameters["E_y"] = embedding_table(rng, V_y, D, sizes.tie_weights)
    for layer, prefix in enumerate(layer_prefixes("decoder", sizes.num_layers)):
        parameters.update(with_prefix(prefix, decoder.initialize(rng, D if layer == 0 else H, H)))
    if attention is not None:
        parameters.update(attention.initialize(rng, H, H)._asdict())
        parameters.update({"W_cs": glorot_uniform(rng, H, D), "W_ss": glorot_uniform(rng, H, D), "b_s": np.zeros(D)})
    if not sizes.tie_weights:
        parameters["W_sy"] = glorot_uniform(rng, sizes.output_dim, V_y)
    parameters["b_y"] = np.zeros(V_y)
    return {name: array.astype(dtype) for name, array in parameters.items()}
