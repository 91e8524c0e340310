"""A solution of exercise 10: truncated backpropagation through time."""

import numpy as np

from numpylm.rnn import RNNState, rnn_backward, rnn_forward


def truncated_bptt(parameters, x, state_0, dh, window):
    state, no_gradient, windows = state_0, RNNState(np.zeros_like(state_0.h)), []
    for start in range(0, len(x), window):
        here = slice(start, start + window)
        out = rnn_forward(parameters, x[here], state)
        state = out.state
        windows.append(rnn_backward(parameters, dh[here], no_gradient, out.trace).dparameters)
    return tuple(sum(arrays) for arrays in zip(*windows, strict=True))
