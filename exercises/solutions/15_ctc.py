"""A solution of exercise 15: CTC's forward variable and gradient."""

import numpy as np


def with_blanks(labels):
    states = np.zeros(2 * len(labels) + 1, dtype=int)
    states[1::2] = labels
    return states


def may_skip(states, s):
    return s >= 2 and states[s] != 0 and states[s] != states[s - 2]


def ctc_alpha(y, labels):
    states = with_blanks(labels)
    alpha = np.zeros((len(y), len(states)))
    alpha[0, :2] = y[0, states[:2]]
    for t in range(1, len(y)):
        for s in range(len(states)):
            before = alpha[t - 1, max(s - 1, 0) : s + 1].sum()
            if may_skip(states, s):
                before += alpha[t - 1, s - 2]
            alpha[t, s] = y[t, states[s]] * before  # (31)
    return alpha


def ctc_beta(y, labels):
    states = with_blanks(labels)
    beta = np.zeros((len(y), len(states)))
    beta[-1, -2:] = 1
    for t in reversed(range(len(y) - 1)):
        reached = y[t + 1, states] * beta[t + 1]
        for s in range(len(states)):
            beta[t, s] = reached[s : s + 2].sum()  # (33)
            if s + 2 < len(states) and may_skip(states, s + 2):
                beta[t, s] += reached[s + 2]
    return beta


def ctc_dlogits(y, labels):
    states = with_blanks(labels)
    alpha, beta = ctc_alpha(y, labels), ctc_beta(y, labels)
    p = alpha[-1, -2:].sum()  # (32)
    gamma = alpha * beta / p  # (34)
    dlogits = y.copy()
    for t in range(len(y)):
        np.add.at(dlogits[t], states, -gamma[t])  # (36)
    return {"dlogits": dlogits, "alpha": alpha, "beta": beta, "gamma": gamma}
