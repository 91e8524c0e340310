"""What people write in place of truncated backpropagation through time: the windows cut, or joined, in another way."""

import numpy as np

from numpylm.rnn import RNNState, rnn_backward, rnn_forward


def window_slips(symbols):
    """(words, name -> gradient) for each slip."""
    x, window = symbols["x"], symbols["window"]
    T, whole = len(x), len(x) - len(x) % window
    windows = [(start, min(start + window, T)) for start in range(0, T, window)]
    yield (
        "the state does not go on: every window starts from state_0 again, and not from where the one before it ended",
        gradients_of(symbols, windows, restart=symbols["state_0"]),
    )
    yield (
        "the state does not go on: every window but the first starts from zero, and not from where the one before it "
        "ended",
        gradients_of(symbols, windows, restart=RNNState(np.zeros_like(symbols["state_0"].h))),
    )
    yield (
        f"the last window is left out where it is shorter: T = {T} is no multiple of window = {window}, and steps from "
        f"{whole} on have gradients too",
        gradients_of(symbols, [pair for pair in windows if pair[1] <= whole]),
    )
    for more in (-1, 1):
        yield (
            f"each window is one step too {'short' if more < 0 else 'long'}: a slice ends before its second number, so "
            "that it is start : start + window",
            gradients_of(symbols, [(start, min(start + window + more, T)) for start, _ in windows]),
        )
    yield "nothing is truncated: the gradient goes back over the windows' starts", gradients_of(symbols, [(0, T)])
    yield (
        "only the last window's gradient is returned: it is a sum over all windows",
        gradients_of(symbols, windows, only=-1),
    )
    yield (
        "only the first window's gradient is returned: it is a sum over all windows",
        gradients_of(symbols, windows, only=0),
    )


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
