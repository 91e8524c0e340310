"""Sequences of different lengths in one batch: a mask that freezes the state where a sequence has ended.

    q_t  <-  m_t q_t + (1 - m_t) q_{t-1}         m_t = 1 while the sequence lasts, 0 after its end

    mask (T, N) booleans   m_t (N, 1)   q (N, H), any part of the state: h, and the LSTM's c

A frozen step passes the state on unchanged, and passes the state's gradient back unchanged. So each sequence ends with
the same state as it would alone. Without a mask (None) no step is frozen.
"""

import numpy as np

from numpylm.base import require


def lengths_to_mask(lengths, num_steps):
    """The mask (T, N) of N sequences; the n-th has lengths[n] tokens: mask[t, n] is t < lengths[n].

    Raises ValueError for lengths that are not N integers in 0..T = num_steps.
    """
    require.count("num_steps", num_steps)
    lengths = require.array("lengths", lengths)
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise ValueError(f"lengths must be N integers, one for each sequence; got {lengths.dtype} {lengths.shape}")
    if lengths.size and (lengths.min() < 0 or lengths.max() > num_steps):
        raise ValueError(f"lengths must lie in 0..T = {num_steps}; got {lengths.min()}..{lengths.max()}")
    return np.arange(num_steps)[:, None] < lengths


def freeze(mask, t, q_t, q_prev):
    """q_t (N, H) for the sequences that still last at t, q_prev (N, H) for those that have ended."""
    if mask is None:
        return q_t
    return np.where(mask[t][:, None], q_t, q_prev)


def freeze_backward(mask, t, dq):
    """(dq_t, dq_prev) from dq (N, H): each sequence's gradient goes to q_t, or to q_prev if it has ended."""
    if mask is None:
        return dq, 0
    alive = mask[t][:, None]  # (N, 1)
    return np.where(alive, dq, 0), np.where(alive, 0, dq)
