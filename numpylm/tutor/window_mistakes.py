"""What people write in place of truncated backpropagation through time, and of CTC.

Each function yields (Finding, name -> array): what a mistake is, and what it gives.
"""

import numpy as np

from numpylm.rnn import RNNState, rnn_backward, rnn_forward
from numpylm.tutor.mistakes import faulty_function, mistakes_of
from numpylm.tutor.sentences import Finding, known


def window_mistakes(inputs):
    """The gradients of windows that are cut, or joined, in another way."""
    for words, windows, options in other_windows(inputs):
        yield Finding(words, explains=True), gradients_of(inputs, windows, **options)


def other_windows(inputs):
    """(words, the windows as (start, end), options of gradients_of) of each mistake."""
    window, state_0, T, windows = inputs["window"], inputs["state_0"], len(inputs["x"]), windows_of(inputs)
    zeros = RNNState(np.zeros_like(state_0.h))
    for which, start, state in (("", "state_0 again", state_0), (" but the first", "zero", zeros)):
        words = f"the state does not go on: every window{which} starts from {start}"
        yield f"{words}, and not from where the one before it ended", windows, {"restart": state}
    words = (
        f"the last window is left out if it is shorter: T = {T} is no multiple of window = {window}, and the steps "
        f"from {T - T % window} on have gradients too"
    )
    yield words, [pair for pair in windows if pair[1] <= T - T % window], {}
    for size, more in (("short", -1), ("long", 1)):
        words = f"each window is one step too {size}: a slice ends before its second number: start : start + window"
        yield words, [(start, min(start + window + more, T)) for start, _ in windows], {}
    yield "nothing is truncated: the gradient goes back over the windows' starts", [(0, T)], {}
    for which, only in (("last", -1), ("first", 0)):
        yield f"only the {which} window's gradient is returned: it is a sum over all windows", windows, {"only": only}


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


@np.errstate(all="ignore")
def ctc_mistakes(inputs):
    """alpha and dlogits of one utterance; dlogits is that of its own loss, no mean over labels."""
    logits, labels = np.log(inputs["y"])[:, None], np.asarray(inputs["labels"])[:, None]
    for mistake in mistakes_of("forward_variables") + mistakes_of("ctc_backward"):
        in_forward = mistake.function == "forward_variables"
        _, trace = faulty_function("ctc_forward", mistake.changes if in_forward else ())(logits, labels)
        found = faulty_function("ctc_backward", () if in_forward else mistake.changes)(trace)
        alpha = {"alpha": np.exp(trace.alpha[:, 0])} if in_forward else {}
        yield known(mistake), {**alpha, "dlogits": len(labels) * found.dlogits[:, 0]}
