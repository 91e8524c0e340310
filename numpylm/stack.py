"""A stack of recurrent layers: each reads the states of the one below.

    x (T, N, D) -> layer 0 -> h (T, N, H) -> layer 1 -> h -> …

All layers are of one kind of cell (recurrence.py, bidirectional.py). Dropout, where there is a mask, acts on the input
of each layer (dropout.py).
"""

from typing import NamedTuple

from numpylm import require
from numpylm.bidirectional import bidirectional_cell
from numpylm.dropout import drop
from numpylm.model import CELLS
from numpylm.parameters import layer_prefix, record_of, recurrent_layer, with_prefix
from numpylm.recurrence import Gradients, Output


class StackTrace(NamedTuple):
    """layers: each layer's trace; masks: the dropout mask of each layer's input, or None."""

    layers: list
    masks: list


def stack_forward(cell, parameters, x, state_0, mask=None, masks=None):
    """x (T, N, D) gives Output(h, state, trace). parameters, state_0 and state have one entry a layer."""
    masks = masks or [None] * len(parameters)
    states, traces = [], []
    h = x
    for layer_parameters, layer_state, dropout_mask in zip(parameters, state_0, masks, strict=True):
        out = cell.forward(layer_parameters, drop(h, dropout_mask), layer_state, mask)
        h = out.h
        states.append(out.state)
        traces.append(out.trace)
    return Output(h, tuple(states), StackTrace(traces, masks))


def stack_backward(cell, parameters, dh, dstate_T, trace):
    """dh (T, N, H) and dstate_T give Gradients, with dparameters and dstate_0 tuples of one entry a layer."""
    layers = []
    for layer in reversed(range(len(parameters))):
        out = cell.backward(parameters[layer], dh, dstate_T[layer], trace.layers[layer])
        dh = drop(out.dx, trace.masks[layer])
        layers.insert(0, out)
    dparameters, dstate_0 = tuple(out.dparameters for out in layers), tuple(out.dstate_0 for out in layers)
    return Gradients(dparameters, dh, dstate_0)


def check_stack(sizes):
    """Raises a ValueError that names the choice of a stack of layers that is wrong."""
    require.positive_integer("hidden_dim", sizes.hidden_dim)
    require.depth("num_layers", sizes.num_layers)
    require.one_of("cell", sizes.cell, CELLS)
    require.boolean("bidirectional", sizes.bidirectional)
    require.fraction("dropout", sizes.dropout)
    if sizes.bidirectional and sizes.hidden_dim % 2:
        raise ValueError(
            f"bidirectional gives each direction H/2 units, so that H must be even; got hidden_dim={sizes.hidden_dim}"
        )


def stack_cell(sizes):
    """The Cell of every layer."""
    cell = CELLS[sizes.cell]()
    return bidirectional_cell(cell) if sizes.bidirectional else cell


def stack_parts(cell, name, D, H, num_layers):
    """A Part (parameters.py) for each layer; the stack's name stands before the layer's, as in story.layer_0.W_x."""
    return [recurrent_layer(cell, name + layer_prefix(k, num_layers), H if k else D, H) for k in range(num_layers)]


def stack_parameters(cell, name, num_layers, parameters):
    """Each layer's Parameters, of the named stack, from the dict of all of a model's."""
    return [record_of(cell.Parameters, parameters, name + layer_prefix(k, num_layers)) for k in range(num_layers)]


def stack_gradients(name, dparameters):
    """Each layer's dparameters as one dict, with the names of the parameters."""
    layers = enumerate(dparameters)
    named = [with_prefix(name + layer_prefix(k, len(dparameters)), layer) for k, layer in layers]
    return {name: gradient for layer in named for name, gradient in layer.items()}
