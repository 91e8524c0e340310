"""A model reads sentences step by step, by its cell's own steps; between two steps we may change its state.

A unit is one entry of one layer's state: h12 is entry 12 of h, c12 that of an LSTM's c; in a stack 1.c12 is in layer 1.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numpylm.embedding import embedding_forward
from numpylm.recurrence import next_state, project


class Unit(NamedTuple):
    """One entry of a state: field "h" or "c" of a layer."""

    layer: int
    field: str
    index: int


def units_of(model) -> list[Unit]:
    """All units of a model: layer by layer, field by field."""
    fields, H = model.cell.State._fields, model.sizes.hidden_dim
    layers = range(model.sizes.num_layers)
    return [Unit(layer, field, index) for layer in layers for field in fields for index in range(H)]


def unit_names(model) -> list[str]:
    """The names of units_of(model): h0, h1, …; in a stack 0.h0, …, with the layer in front."""
    is_stack = model.sizes.num_layers > 1
    return [f"{f'{unit.layer}.' * is_stack}{unit.field}{unit.index}" for unit in units_of(model)]


def state_after(model, context, batch_size):
    """The state after the tokens of a context (S,), once for each of N = batch_size sentences; zeros if S = 0."""
    if len(context) == 0:
        return model.initial_state(batch_size)
    state = model.forward(context[:, None]).state
    return tuple(type(layer)(*[np.repeat(array, batch_size, axis=0) for array in layer]) for layer in state)


def read(model, sentences, edit: Callable | None = None):
    """The states of all units after each token: an array (T, N, number of units), zeros after a sentence's end.

    sentences have tokens (T, N), lengths (N,), and a context (S,), the tokens that are read before each one. Lengths
    must not rise: the sentences that go on are the first ones. edit(t, layer, state) -> state, if there is one, changes
    a layer's state at t before anything reads it: the next layer, the output, and step t + 1. Raises ValueError where a
    state is not finite.
    """
    tokens, cell, E = sentences.tokens, model.cell, model.parameters()["E"]
    layers = [model.layer_parameters(layer) for layer in range(model.sizes.num_layers)]
    state = state_after(model, sentences.context, tokens.shape[1])
    states = np.zeros((*tokens.shape, len(units_of(model))), model.dtype)
    for t in range(len(tokens)):
        n = int((sentences.lengths > t).sum())  # the sentences that go on
        h, new = embedding_forward(tokens[t, :n], E), []
        for layer, (parameters, before) in enumerate(zip(layers, state, strict=True)):
            before = type(before)(*[array[:n] for array in before])
            after = next_state(cell, parameters, project(parameters, h), before)
            new.append(after if edit is None else edit(t, layer, after))
            h = new[-1].h
        state = new
        states[t, :n] = np.concatenate([array for layer_state in state for array in layer_state], axis=1)
    if not np.isfinite(states).all():
        raise ValueError("the model's states are not finite on what it reads: has its training diverged?")
    return states


def hold(values: dict[Unit, np.ndarray]) -> Callable:
    """An edit for read that holds units at values: each an array (T, N), in which NaN leaves the unit as it is."""

    def edit(t, layer, state):
        arrays = {field: array.copy() for field, array in state._asdict().items()}
        for unit, column in values.items():
            if unit.layer == layer:
                now = arrays[unit.field][:, unit.index]
                value = column[t, : len(now)]
                now[...] = np.where(np.isnan(value), now, value)
        return type(state)(**arrays)

    return edit


def output_h(model, states):
    """h (…, H) of the last layer, which the output projection reads, from states (…, number of units)."""
    H = model.sizes.hidden_dim
    start = units_of(model).index(Unit(model.sizes.num_layers - 1, "h", 0))
    return states[..., start : start + H]


def logit_difference(model, h, token, other):
    """logit[token] - logit[other] for rows h (M, H): positive where the model prefers the token. token, other (M,)."""
    W_hy, b_y = model.output_matrix(), model.parameters()["b_y"]
    return (h * (W_hy[:, token] - W_hy[:, other]).T).sum(axis=1) + b_y[token] - b_y[other]
