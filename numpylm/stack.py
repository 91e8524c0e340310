"""A stack of recurrent layers: each reads the states of the one below.

    x (T, N, D) -> layer 0 -> h (T, N, H) -> layer 1 -> h -> …

All layers are of one kind of cell (recurrence.py, bidirectional.py). Dropout, where there is a mask, acts on the input
of each layer (dropout.py). The stack's name stands before the layer's: story.layer_0.W_x, or story.W_x of one layer.
"""

from typing import NamedTuple

from numpylm.base import require
from numpylm.bidirectional import bidirectional_cell
from numpylm.dropout import drop
from numpylm.gru import gru_cell
from numpylm.lstm import lstm_cell
from numpylm.parameters import Part, record_of
from numpylm.recurrence import Gradients, Output
from numpylm.rnn import rnn_cell

CELLS = {"rnn": rnn_cell, "lstm": lstm_cell, "gru": gru_cell}


class StackTrace(NamedTuple):
    """layers: each layer's trace; masks: the dropout mask of each layer's input, or None."""

    layers: list
    masks: list


def stack_forward(cell, parameters, x, state_0, mask=None, masks=None, recurrent_dropout=None, lookup=None):
    """x (T, N, D) gives Output(h, state, trace). parameters, state_0 and state have one entry a layer, and so have the
    dropout masks and recurrent_dropout, if they are given. A lookup, where x = E[tokens], is for layer 0."""
    masks = masks or [None] * len(parameters)
    recurrent_dropout = recurrent_dropout or [None] * len(parameters)
    outs, h = [], x
    for layer, layer_parameters in enumerate(parameters):
        x = drop(h, masks[layer])
        out = cell.forward(layer_parameters, x, state_0[layer], mask, recurrent_dropout[layer], lookup)
        h, lookup = out.h, None
        outs.append(out)
    return Output(h, tuple(out.state for out in outs), StackTrace([out.trace for out in outs], masks))


def stack_backward(cell, parameters, dh, dstate_T, trace, keep_steps=False):
    """dh (T, N, H) and dstate_T give Gradients, with dparameters and dstate_0 tuples of one entry a layer. steps has
    each layer's Gradients, and with keep_steps these have their steps'."""
    outs = []
    for layer in reversed(range(len(parameters))):
        out = cell.backward(parameters[layer], dh, dstate_T[layer], trace.layers[layer], keep_steps)
        dh = drop(out.dx, trace.masks[layer])  # of the layer below; of layer 0 it is dx
        outs.insert(0, out)
    return Gradients(tuple(out.dparameters for out in outs), dh, tuple(out.dstate_0 for out in outs), out.dE, outs)


def stack_cell(sizes):
    """The Cell of every layer. Raises a ValueError that names the choice of a stack that is wrong."""
    require.positive_integer("hidden_dim", sizes.hidden_dim)
    require.depth("num_layers", sizes.num_layers)
    require.one_of("cell", sizes.cell, CELLS)
    require.boolean("bidirectional", sizes.bidirectional)
    require.fraction("dropout", sizes.dropout)
    cell = CELLS[sizes.cell]()
    if not sizes.bidirectional:
        return cell
    if sizes.hidden_dim % 2:
        raise ValueError(
            f"bidirectional gives each direction H/2 units, so that H must be even; got hidden_dim={sizes.hidden_dim}"
        )
    return bidirectional_cell(cell)


def layer_prefix(layer, num_layers):
    """The beginning of a recurrent parameter's name: "layer_0." and so on, or nothing in a stack of one layer."""
    return "" if num_layers == 1 else f"layer_{layer}."


def stack_parts(cell, name, D, H, num_layers):
    """A Part (parameters.py) for each layer of the named stack."""

    def layer_part(layer):
        prefix, size = name + layer_prefix(layer, num_layers), H if layer else D
        shapes = {prefix + key: shape for key, shape in cell.shapes(size, H).items()}
        return Part(shapes, lambda rng: cell.initialize(rng, size, H))

    return [layer_part(layer) for layer in range(num_layers)]


def stack_parameters(cell, name, num_layers, parameters):
    """Each layer's Parameters, of the named stack, from the dict of all of a model's."""
    return [record_of(cell.Parameters, parameters, name + layer_prefix(k, num_layers)) for k in range(num_layers)]


def stack_gradients(name, dparameters):
    """Each layer's dparameters as one dict, with the names of the parameters."""
    gradients = {}
    for k, layer in enumerate(dparameters):
        prefix = name + layer_prefix(k, len(dparameters))
        gradients |= {prefix + key: gradient for key, gradient in layer._asdict().items()}
    return gradients
