"""Exercise 10: truncated backpropagation through time     difficulty **

    h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)                                            (1)

A long sequence is cut into windows of `window` steps (the last may be shorter). The STATE goes on from one
window to the next; the GRADIENT does not go back over a window's start. This is how language models are
trained on a stream of text.

parameters: W_xh (D, H), W_hh (H, H), b_h (H,)   x (T, N, D)   state_0.h (N, H)   dh (T, N, H): each h_t's
gradient from the outputs

truncated_bptt returns (dW_xh, dW_hh, db_h), the sums over all windows. Use the package's rnn_forward and
rnn_backward:

    out = rnn_forward(parameters, x, state)                      out.state.h is the last h_t, out.trace goes to
    rnn_backward(parameters, dh, dstate_T, out.trace)            which returns .dparameters, .dx and .dstate_0

Check it:  python -m numpylm check exercises/10_truncated_bptt.py

Hints stand at the end of this file.
"""

import numpy as np

from numpylm.rnn import RNNState, rnn_backward, rnn_forward

EXERCISE = ["truncated_bptt"]


def truncated_bptt(parameters, x, state_0, dh, window):
    """Returns (dW_xh, dW_hh, db_h)."""
    raise NotImplementedError


# -------------------- Hints, from a small one to a large one. Try without them first. --------------------

HINTS = """
1. range(0, len(x), window) gives the windows' first steps; x[start : start + window] may be shorter at the
   end.
2. Forward: each window starts from the last state of the window before.
3. Backward: each window starts from dstate_T = RNNState(np.zeros_like(state_0.h)).
4. Add the windows' dparameters up, array by array.
"""
