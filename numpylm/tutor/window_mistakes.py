"""What people write in place of truncated backpropagation through time: the windows cut, or joined, in another way."""

import numpy as np

from numpylm.proof.evidence import same
from numpylm.rnn import RNNState, rnn_backward, rnn_forward
from numpylm.tutor.sentences import Finding


def findings(function, inputs, claimed):
    """A list with the Finding on the mistake that gives all gradients that are claimed, or an empty list."""
    gradients = {name: np.asarray(q) for name, q in claimed.items() if name.startswith("d")}
    for words, made in window_mistakes(inputs):
        if gradients and all(name in made and same(q, made[name]) for name, q in gradients.items()):
            return [Finding(words, explains=True)]
    return []


def window_mistakes(inputs):
    """(words, name -> gradient) for each mistake."""
    window, state_0, T, windows = inputs["window"], inputs["state_0"], len(inputs["x"]), windows_of(inputs)
    zeros = RNNState(np.zeros_like(state_0.h))
    for which, start, state in (("", "state_0 again", state_0), (" but the first", "zero", zeros)):
        words = f"the state does not go on: every window{which} starts from {start}"
        yield f"{words}, and not from where the one before it ended", gradients_of(inputs, windows, restart=state)
    whole = T - T % window
    yield (
        f"the last window is left out if it is shorter: T = {T} is no multiple of window = {window}, and the steps "
        f"from {whole} on have gradients too",
        gradients_of(inputs, [pair for pair in windows if pair[1] <= whole]),
    )
    for size, more in (("short", -1), ("long", 1)):
        words = f"each window is one step too {size}: a slice ends before its second number: start : start + window"
        yield words, gradients_of(inputs, [(start, min(start + window + more, T)) for start, _ in windows])
    words = "nothing is truncated: the gradient goes back over the windows' starts"
    yield words, gradients_of(inputs, [(0, T)])
    for which, only in (("last", -1), ("first", 0)):
        words = f"only the {which} window's gradient is returned: it is a sum over all windows"
        yield words, gradients_of(inputs, windows, only=only)


def windows_of(inputs):
    """(start, end) of each window."""
    window, T = inputs["window"], len(inputs["x"])
    return [(start, min(start + window, T)) for start in range(0, T, window)]


def gradients_of(inputs, windows, restart=None, only=None):
    """The sum of the gradients of windows (start, end), of all or of one; each starts anew from restart, if given."""
    parameters, state, parts = inputs["parameters"], inputs["state_0"], []
    for start, end in windows:
        out = rnn_forward(parameters, inputs["x"][start:end], state)
        state = restart or out.state
        zeros = RNNState(np.zeros_like(state.h))
        parts.append(rnn_backward(parameters, inputs["dh"][start:end], zeros, out.trace).dparameters)
    parts = parts if only is None else [parts[only]]
    total = [sum(arrays) for arrays in zip(*parts, strict=True)]
    return {f"d{name}": value for name, value in zip(type(parameters)._fields, total, strict=True)}
