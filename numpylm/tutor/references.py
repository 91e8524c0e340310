"""Reference solutions of exercises that no single function of ours answers; mistakes.txt has rows for them as well."""

import numpy as np

from numpylm.ctc import ctc_backward, ctc_forward
from numpylm.rnn import RNNState, rnn_backward, rnn_forward


def truncated_bptt(parameters, x, state_0, dh, window):
    """Windows of `window` steps: the state goes on, and no gradient goes back over a window's start."""
    state, parts = state_0, []
    for start in range(0, len(x), window):
        out = rnn_forward(parameters, x[start : start + window], state)
        state = out.state
        zeros = RNNState(np.zeros_like(state.h))
        parts.append(rnn_backward(parameters, dh[start : start + window], zeros, out.trace).dparameters)
    return {f"d{name}": sum(arrays) for name, arrays in zip(parameters._fields, zip(*parts, strict=True), strict=True)}


def ctc_utterance(y, labels):
    """alpha, beta, gamma and dlogits of one utterance; dlogits is that of its own loss, no mean over labels."""
    _, trace = ctc_forward(np.log(y)[:, None], np.asarray(labels)[:, None])
    found = ctc_backward(trace)
    return {
        "alpha": np.exp(trace.alpha[:, 0]),
        "beta": np.exp(found.beta[:, 0]),
        "gamma": found.gamma[:, 0],
        "dlogits": len(labels) * found.dlogits[:, 0],
    }
