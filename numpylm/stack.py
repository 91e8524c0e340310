"""A stack of recurrent layers: each reads the states of the one below.

    x (T, N, D) -> layer 0 -> h (T, N, H) -> layer 1 -> h -> …

All layers are of one kind of cell (recurrence.py, bidirectional.py). Dropout, where there is a mask, acts on the input
of each layer (dropout.py).
"""

from typing import NamedTuple

from numpylm.dropout import drop
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
