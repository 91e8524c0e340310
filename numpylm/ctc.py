"""Connectionist temporal classification (Graves, Fernández, Gomez and Schmidhuber, 2006): the loss of a label sequence
when nobody knows which frame belongs to which label.

At each of T frames the model gives a distribution over V labels and a blank, symbol 0. A path has one symbol for each
frame. To read the label sequence that it spells, merge repeats, then remove blanks: - a a - b spells ab, and a - a
spells aa. The probability of a label sequence l is the sum over all paths that spell it. We compute this sum frame by
frame, with l' = blank l_1 blank l_2 … blank, S = 2 U + 1 states for U labels:

    log y_t    = log_softmax(logits_t)                                                              (30)
    alpha_ts   = log y_t[l'_s] + log(Σ e^alpha_{t-1,r})      r = s, s - 1, and s - 2 if allowed     (31)
    log p(l)   = log(e^alpha_{T-1,S-1} + e^alpha_{T-1,S-2})                                         (32)
    beta_ts    = log(Σ e^(log y_{t+1}[l'_r] + beta_{t+1,r})) r = s, s + 1, and s + 2 if allowed     (33)
    gamma_ts   = e^(alpha_ts + beta_ts - log p(l))           a path is in state s at frame t        (34)
    loss       = -(1/M) Σ_n log p(l_n)                       M: how many labels the batch has       (35)
    dlogits_tk = (y_t[k] - Σ_{s: l'_s = k} gamma_ts) / M                                            (36)

A path may skip the blank between two labels that differ: this is the step from s - 2 to s. We compute with logarithms,
because after a few hundred frames a path's probability is smaller than the smallest float. alpha is here a forward
variable, the logarithm of a probability; attention.py uses the letter for weights. Our beta leaves out y_t, so that
alpha_ts + beta_ts has log y_t[l'_s] only once.

    logits (T, N, V + 1)   labels (U, N), 1..V, -1 after the end   mask (T, N), False after an utterance's last frame
    alpha, beta, gamma (T, N, S)   log_p (N,)
"""

from functools import reduce
from typing import NamedTuple

import numpy as np

from numpylm.activations import log_softmax
from numpylm.loss import IGNORED, num_predicted

BLANK = 0
LOG_ZERO = -1e30  # stands for log 0; it is finite, because -inf - (-inf) is NaN


class CTCTrace(NamedTuple):
    """What ctc_backward reads."""

    log_y: np.ndarray  # (T, N, V + 1)
    states: np.ndarray  # (N, S): l', the symbol of each state
    may_skip: np.ndarray  # (N, S): whether a path may step from s - 2 to s
    may_end: np.ndarray  # (N, S): whether a path may end in s
    log_at_state: np.ndarray  # (T, N, S): log y_t[l'_s]
    alpha: np.ndarray  # (T, N, S)
    log_p: np.ndarray  # (N,)
    num_frames: np.ndarray  # (N,)
    num_labels: int  # M


class CTCGradients(NamedTuple):
    """dlogits (T, N, V + 1), and the intermediates beta and gamma, each (T, N, S)."""

    beta: np.ndarray
    gamma: np.ndarray
    dlogits: np.ndarray


def ctc_forward(logits, labels, mask=None):
    """The loss, a number in nats per label, and the CTCTrace.

    Raises ValueError if an utterance's labels do not fit into its frames, or if no utterance has a label.
    """
    T, N, _ = logits.shape
    num_frames = np.full(N, T) if mask is None else mask.sum(axis=0)
    require_fit(labels, num_frames)
    num_labels = num_predicted(labels)
    if num_labels == 0:
        raise ValueError("no utterance of the batch has a label: the loss is a mean over labels")
    states, may_skip, may_end = lattice(labels)
    log_y = log_softmax(logits)  # (30)
    log_at_state = np.take_along_axis(log_y, states[None], axis=2)  # (T, N, S)
    alpha = forward_variables(log_at_state, may_skip)
    at_end = alpha[num_frames - 1, np.arange(N)]  # (N, S)
    log_p = log_sum(*np.where(may_end, at_end, LOG_ZERO).T)  # (32)
    loss = -log_p.sum() / num_labels  # (35)
    return loss.item(), CTCTrace(log_y, states, may_skip, may_end, log_at_state, alpha, log_p, num_frames, num_labels)


def ctc_backward(trace):
    """CTCGradients; dlogits is zero after an utterance's end."""
    beta = backward_variables(trace)
    gamma = np.exp(trace.alpha + beta - trace.log_p[:, None])  # (34)
    onehot = (trace.states[:, :, None] == np.arange(trace.log_y.shape[2])).astype(gamma.dtype)  # (N, S, V + 1)
    counts = (gamma.swapaxes(0, 1) @ onehot).swapaxes(0, 1)  # (T, N, V + 1): Σ gamma_ts over the states of symbol k
    dlogits = (np.exp(trace.log_y) - counts) / trace.num_labels  # (36)
    ended = np.arange(len(dlogits))[:, None] >= trace.num_frames  # (T, N)
    dlogits[ended] = 0
    return CTCGradients(beta, gamma, dlogits)


def forward_variables(log_at_state, may_skip):
    """alpha (T, N, S), frame by frame."""
    T, N, S = log_at_state.shape
    alpha = np.full((T, N, S + 2), LOG_ZERO, log_at_state.dtype)  # two states that do not exist come before l'_0
    alpha[0, :, 2:4] = log_at_state[0, :, :2]  # a path begins with the blank, or with the first label
    for t in range(1, T):
        stay = alpha[t - 1, :, 2:]  # from r = s
        advance = alpha[t - 1, :, 1:-1]  # from r = s - 1
        skip = alpha[t - 1, :, :-2]  # from r = s - 2
        alpha[t, :, 2:] = log_at_state[t] + log_sum(stay, advance, np.where(may_skip, skip, LOG_ZERO))  # (31)
    return alpha[:, :, 2:]


def backward_variables(trace):
    """beta (T, N, S), backwards from each utterance's own last frame; LOG_ZERO after this frame."""
    T, N, S = trace.alpha.shape
    may_leave = np.pad(trace.may_skip[:, 2:], ((0, 0), (0, 2)))  # (N, S): whether s may step to s + 2
    at_end = np.where(trace.may_end, 0, LOG_ZERO)
    beta = np.empty_like(trace.alpha)
    after = np.full((N, S + 2), LOG_ZERO, beta.dtype)  # of t + 1; two states that do not exist come after l'_{S-1}
    for t in reversed(range(T)):
        stay = after[:, :-2]  # to r = s
        advance = after[:, 1:-1]  # to r = s + 1
        skip = after[:, 2:]  # to r = s + 2
        on_the_way = log_sum(stay, advance, np.where(may_leave, skip, LOG_ZERO))  # (33)
        beta[t] = np.where(trace.num_frames[:, None] == t + 1, at_end, on_the_way)
        after[:, :-2] = trace.log_at_state[t] + beta[t]
    return beta


def require_fit(labels, num_frames, names=None):
    """Raise ValueError if an utterance has fewer frames than labels and blanks between equal labels."""
    num_labels = (labels != IGNORED).sum(axis=0)
    repeats = ((labels[1:] == labels[:-1]) & (labels[1:] != IGNORED)).sum(axis=0)
    needed = np.maximum(num_labels + repeats, 1)
    for n in np.flatnonzero(num_frames < needed)[:1]:
        raise ValueError(
            f"{names[n] if names else f'utterance {n}'} has {num_frames[n]} frames, but its {num_labels[n]} labels "
            f"need {needed[n]}: one frame each, and one for a blank between two equal labels"
        )


def lattice(labels):
    """The states of labels (U, N), and the steps between them: states, may_skip and may_end of a CTCTrace."""
    U, N = labels.shape
    states = np.full((N, 2 * U + 1), BLANK)  # after an utterance's end, only blanks
    states[:, 1::2] = np.where(labels == IGNORED, BLANK, labels).T
    last_blank = 2 * (labels != IGNORED).sum(axis=0)[:, None]
    s = np.arange(2 * U + 1)
    may_end = (s == last_blank) | (s == last_blank - 1)  # the last blank, and the last label
    return states, skips(states), may_end


def skips(states):
    """Where (N, S) a path may come from state s - 2: at a label that differs from the one before."""
    may_skip = np.zeros(states.shape, dtype=bool)
    may_skip[:, 2:] = (states[:, 2:] != BLANK) & (states[:, 2:] != states[:, :-2])
    return may_skip


def log_sum(*logs):
    """log Σ e^q over arrays q of one shape; we first subtract the largest, so that nothing overflows."""
    largest = reduce(np.maximum, logs)
    total = sum(np.exp(q - largest) for q in logs)
    return largest + np.log(total)
