"""A stack of recurrent layers: each reads the states of the one below.

    x (T, N, D) -> layer 0 -> h (T, N, H) -> layer 1 -> h -> …

All layers are of one kind of cell (recurrence.py, bidirectional.py). Dropout, where there is a mask, acts on the input
of each layer (dropout.py). The stack's name stands before the layer's: story.layer_0.W_x, or story.W_x of one layer.
"""

from typing import NamedTuple

from numpylm.base import require
from numpylm.bidirectional import bidirectional_cell
from numpylm.dropout import drop
from numpylm.model import CELLS
from numpylm.parameters import layer_prefix, record_of, recurrent_layer
from numpylm.recurrence import Gradients, Output


class StackTrace(NamedTuple):
    """layers: each layer's trace; masks: the dropout mask of each layer's input, or None."""

    layers: list
    masks: list


def stack_forward(cell, parameters, x, state_0, mask=None, masks=None):
    """x (T, N, D) gives Output(h, state, trace). parameters, state_0 and state have one entry a layer."""
    masks = masks or [None] * len(parameters)
    outs, h = [], x
    for layer_parameters, layer_state, dropout_mask in zip(parameters, state_0, masks, strict=True):
        out = cell.forward(layer_parameters, drop(h, dropout_mask), layer_state, mask)
        h = out.h
        outs.append(out)
    return Output(h, tuple(out.state for out in outs), StackTrace([out.trace for out in outs], masks))


def stack_backward(cell, parameters, dh, dstate_T, trace):
    """dh (T, N, H) and dstate_T give Gradients, with dparameters and dstate_0 tuples of one entry a layer."""
    outs = []
    for layer in reversed(range(len(parameters))):
        out = cell.backward(parameters[layer], dh, dstate_T[layer], trace.layers[layer])
        dh = drop(out.dx, trace.masks[layer])  # of the layer below; of layer 0 it is dx
        outs.insert(0, out)
    return Gradients(tuple(out.dparameters for out in outs), dh, tuple(out.dstate_0 for out in outs))


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


def stack_parts(cell, name, D, H, num_layers):
    """A Part (parameters.py) for each layer."""
    return [recurrent_layer(cell, name + layer_prefix(k, num_layers), H if k else D, H) for k in range(num_layers)]


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
