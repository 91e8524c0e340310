"""From the distributions of an acoustic model to labels: the best path, and a beam search with a language model.

    best path      the most probable symbol of each frame, repeats merged, blanks removed
    beam search    argmax over label sequences l of   log p_CTC(l) + alpha log p_LM(l) + beta |l|

A label sequence has many paths. For every prefix the beam search keeps the log-probability of all its paths that end
in a blank, and of all that end in its last label: only the first may be followed by the same label again. alpha is how
much the language model counts. beta pays for each label, because a language model likes short sentences.

Sources: Graves et al. (2006), section 3.2, for the best path; Hannun, Maas, Jurafsky and Ng (2014), First-pass large
vocabulary continuous speech recognition using bi-directional recurrent DNNs, for the search.
"""

import math
from typing import NamedTuple

import numpy as np

from numpylm.activations import log_softmax
from numpylm.ctc import BLANK
from numpylm.generation import next_logits, one_step

NO_PATH = -math.inf


class Hypothesis(NamedTuple):
    """labels, a tuple of 1..V; score, what the search maximises; log_p_ctc and log_p_lm in nats (0 without a model)."""

    labels: tuple
    score: float
    log_p_ctc: float
    log_p_lm: float


def best_path(log_y):
    """The labels, a list, of the most probable path through log_y (T, V + 1)."""
    symbols = log_y.argmax(axis=1)
    changed = np.append(True, symbols[1:] != symbols[:-1])
    return [int(symbol) for symbol in symbols[changed] if symbol != BLANK]


def beam_search(log_y, width, language=None, alpha=0.0, beta=0.0, least=-math.inf):
    """The `width` best Hypotheses for log_y (T, V + 1), the best first.

    language   a LanguageScore, or None
    least      in each frame, symbols whose log-probability is lower are left out: faster, and no longer exact
    """

    def best_first(item):
        prefix, endings = item
        log_p_lm = language.log_p(prefix) if language else 0
        score = log_add(*endings) + alpha * log_p_lm + beta * len(prefix)
        return -score, prefix

    prefixes = {(): (0.0, NO_PATH)}
    for frame in log_y.astype(float).tolist():
        extended = extend(prefixes, frame, least)
        prefixes = dict(sorted(extended.items(), key=best_first)[:width])
    found = [Hypothesis(prefix, 0.0, log_add(*endings), 0.0) for prefix, endings in prefixes.items()]
    return rescored(with_language(found, language) if language else found, alpha, beta)


def extend(prefixes, frame, least):
    """Each prefix after one more frame: with a blank, its last label again, or one more label.

    prefixes: {labels: (log-probability of the paths that end in a blank, of those that end in the last label)}
    """
    labels = [k for k, log_p in enumerate(frame) if k != BLANK and log_p >= least]
    extended = {}

    def add(prefix, blank=NO_PATH, label=NO_PATH):
        if max(blank, label) > NO_PATH:
            old = extended.get(prefix, (NO_PATH, NO_PATH))
            extended[prefix] = log_add(old[0], blank), log_add(old[1], label)

    for prefix, (blank, label) in prefixes.items():
        either = log_add(blank, label)
        add(prefix, blank=either + frame[BLANK])
        if prefix:
            add(prefix, label=label + frame[prefix[-1]])
        for k in labels:
            before = blank if prefix[-1:] == (k,) else either  # a blank has to stand between two equal labels
            add((*prefix, k), label=before + frame[k])
    return extended


class LanguageScore:
    """log p_LM of label sequences by a language model of this package. It keeps what it has computed.

    model      an RNNLM, LSTMLM or GRULM
    token_of   label - 1 -> the token of that label in the model's vocabulary
    start      the token that is read before a sentence, and that ends it: the end of a line
    """

    def __init__(self, model, token_of, start):
        self.model, self.token_of, self.start = model, token_of, start
        self._advance = one_step(model)
        self._known = {(): (0.0, *self._read(start, model.initial_state(1)))}  # prefix -> (log p, log y, state)

    def log_p(self, prefix):
        """The log-probability that a sentence begins with this prefix."""
        return self._followed_by(prefix[:-1], self.token_of[prefix[-1] - 1]) if prefix else 0.0

    def log_p_ended(self, prefix):
        """The log-probability of the whole sentence that has these labels."""
        return self._followed_by(prefix, self.start)

    def _followed_by(self, prefix, token):
        """The log-probability of a prefix and the token after it, from the longest part of the prefix that is known."""
        known = len(prefix)
        while prefix[:known] not in self._known:
            known -= 1
        log_p, log_y, state = self._known[prefix[:known]]
        for length in range(known, len(prefix)):
            read = self.token_of[prefix[length] - 1]
            log_p = log_p + float(log_y[read])
            log_y, state = self._read(read, state)
            self._known[prefix[: length + 1]] = log_p, log_y, state
        return log_p + float(log_y[token])

    def _read(self, token, state):
        state = self._advance(np.array([token]), state)
        return log_softmax(next_logits(self.model, state)[0].astype(float)), state


def with_language(hypotheses, language):
    """Hypotheses with the log-probability of a LanguageScore."""
    return [one._replace(log_p_lm=language.log_p_ended(one.labels)) for one in hypotheses]


def rescored(hypotheses, alpha, beta):
    """Hypotheses with the score of another alpha and beta, the best first."""
    again = [one._replace(score=one.log_p_ctc + alpha * one.log_p_lm + beta * len(one.labels)) for one in hypotheses]
    return sorted(again, key=lambda one: (-one.score, one.labels))


def log_add(a, b):
    """log(e^a + e^b) of two numbers, of which one or both may be -infinity."""
    high, low = max(a, b), min(a, b)
    return high if low == NO_PATH else high + math.log1p(math.exp(low - high))
