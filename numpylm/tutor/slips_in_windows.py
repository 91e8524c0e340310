"""What people write in place of truncated backpropagation through time: the windows cut, or joined, in another way."""

import numpy as np

from numpylm.rnn import RNNState, rnn_backward, rnn_forward


def window_slips(symbols):
    """(words, name -> gradient) for each slip."""
    x, window, start_state = symbols["x"], symbols["window"], symbols["state_0"]
    T, whole = len(x), len(x) - len(x) % window
    windows = [(start, min(start + window, T)) for start in range(0, T, window)]
    zeros = RNNState(np.zeros_like(start_state.h))
    for which, from_where, restart in (("", "state_0 again", start_state), (" but the first", "zero", zeros)):
        yield (
            f"the state does not go on: every window{which} starts from {from_where}, and not from where the one "
            "before it ended",
            gradients_of(symbols, windows, restart=restart),
        )
    yield (
        f"the last window is left out where it is shorter: T = {T} is no multiple of window = {window}, and steps from "
        f"{whole} on have gradients too",
        gradients_of(symbols, [pair for pair in windows if pair[1] <= whole]),
    )
    for size, more in (("short", -1), ("long", 1)):
        yield (
            f"each window is one step too {size}: a slice ends before its second number, so that it is "
            "start : start + window",
            gradients_of(symbols, [(start, min(start + window + more, T)) for start, _ in windows]),
        )
    yield "nothing is truncated: the gradient goes back over the windows' starts", gradients_of(symbols, [(0, T)])
    for which, only in (("last", -1), ("first", 0)):
        words = f"only the {which} window's gradient is returned: it is a sum over all windows"
        yield words, gradients_of(symbols, windows, only=only)


def gradients_of(symbols, windows, restart=None, only=None):
    """The sum of the gradients of windows (start, end), of all or of one; each starts anew from restart, if given."""
    parameters, state, parts = symbols["parameters"], symbols["state_0"], []
    no_gradient = RNNState(np.zeros_like(state.h))
    for start, end in windows:
        out = rnn_forward(parameters, symbols["x"][start:end], state)
        state = restart or out.state
        parts.append(rnn_backward(parameters, symbols["dh"][start:end], no_gradient, out.trace).dparameters)
    parts = parts if only is None else [parts[only]]
    total = [sum(arrays) for arrays in zip(*parts, strict=True)]
    return {f"d{name}": value for name, value in zip(type(parameters)._fields, total, strict=True)}
