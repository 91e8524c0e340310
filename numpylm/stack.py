"""A stack of recurrent layers: each reads the states of the one below.

    x (T, N, D) -> layer 0 -> h (T, N, H) -> layer 1 -> h -> …

All layers are of one kind of cell (recurrence.py, bidirectional.py). Dropout, where there is a mask, acts on the input
of each layer (dropout.py). The parameters' names begin with the stack's name: encoder.layer_0.W_x, or encoder.W_x if
there is one layer.
"""

from typing import NamedTuple

from numpylm.base import require
from numpylm.bidirectional import bidirectional_cell
from numpylm.dropout import drop
from numpylm.gru import gru_cell
from numpylm.lstm import lstm_cell
from numpylm.parameters import Part, record_of
from numpylm.recurrence import Cell, Gradients, Output
from numpylm.rnn import rnn_cell

CELLS = {"rnn": rnn_cell, "lstm": lstm_cell, "gru": gru_cell}


class Stack(NamedTuple):
    """L = num_layers layers of one kind of cell."""

    cell: Cell
    num_layers: int
    name: str = ""

    def prefixes(self):
        """The beginning of each layer's parameters' names."""
        layers = [""] if self.num_layers == 1 else [f"layer_{layer}." for layer in range(self.num_layers)]
        return [self.name + layer for layer in layers]


class StackTrace(NamedTuple):
    """layers: each layer's trace; masks: the dropout mask of each layer's input, or None."""

    layers: list
    masks: list


def stack_forward(stack, parameters, x, state_0, mask=None, masks=None, recurrent_dropout=None, lookup=None):
    """x (T, N, D) gives Output(h, state, trace). parameters are all of a model's, by name. state_0, state, the
    dropout masks and recurrent_dropout have one entry a layer. A lookup, where x = E[tokens], is for layer 0."""
    nothing = [None] * stack.num_layers
    masks, recurrent_dropout = masks or nothing, recurrent_dropout or nothing
    outs, h = [], x
    for layer, layer_parameters in enumerate(stack_parameters(stack, parameters)):
        x = drop(h, masks[layer])
        out = stack.cell.forward(layer_parameters, x, state_0[layer], mask, recurrent_dropout[layer], lookup)
        h, lookup = out.h, None
        outs.append(out)
    return Output(h, tuple(out.state for out in outs), StackTrace([out.trace for out in outs], masks))


def stack_backward(stack, parameters, dh, dstate_T, trace, keep_steps=False):
    """dh (T, N, H) and dstate_T give Gradients: dparameters by name, and dstate_0 with one entry a layer. steps has
    each layer's Gradients, and with keep_steps these have their steps'."""
    layers = stack_parameters(stack, parameters)
    outs = [None] * stack.num_layers
    for layer in reversed(range(stack.num_layers)):
        out = stack.cell.backward(layers[layer], dh, dstate_T[layer], trace.layers[layer], keep_steps)
        dh = drop(out.dx, trace.masks[layer])  # of the layer below; of layer 0 it is dx
        outs[layer] = out
    dparameters = {
        prefix + name: gradient
        for prefix, layer in zip(stack.prefixes(), outs, strict=True)
        for name, gradient in layer.dparameters._asdict().items()
    }
    return Gradients(dparameters, dh, tuple(layer.dstate_0 for layer in outs), out.dE, outs)


def stack_parameters(stack, parameters):
    """Each layer's Parameters, from the dict of all of a model's."""
    return [record_of(stack.cell.Parameters, parameters, prefix) for prefix in stack.prefixes()]


def stack_parts(stack, D, H):
    """A Part (parameters.py) for each layer."""

    def layer_part(prefix, size):
        shapes = {prefix + name: shape for name, shape in stack.cell.shapes(size, H).items()}
        return Part(shapes, lambda rng: stack.cell.initialize(rng, size, H))

    return list(map(layer_part, stack.prefixes(), [D] + [H] * (stack.num_layers - 1)))


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
