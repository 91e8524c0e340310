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
LEAST = math.log(1e-4)  # with a trained model the search leaves out labels that are less probable in a frame


class Hypothesis(NamedTuple):
    """labels, a tuple of 1..V; log_p_ctc and log_p_lm in nats, 0 without a language model."""

    labels: tuple
    log_p_ctc: float
    log_p_lm: float = 0.0

    def score(self, alpha=0.0, beta=0.0):
        """What the search maximises."""
        return self.log_p_ctc + alpha * self.log_p_lm + beta * len(self.labels)


def best_path(log_y):
    """The labels, a list, of the most probable path through log_y (T, V + 1)."""
    symbols = log_y.argmax(axis=1)
    changed = np.append(True, symbols[1:] != symbols[:-1])
    return [symbol for symbol in symbols[changed].tolist() if symbol != BLANK]


def beam_search(log_y, width, language=None, alpha=0.0, beta=0.0, least=-math.inf):
    """The `width` best Hypotheses for log_y (T, V + 1), the best first. language is a LanguageScore, or None. In each
    frame, labels whose log-probability is below `least` are left out: that is faster, and no longer exact."""

    def hypothesis(labels, ended=False):
        log_p_lm = language.log_p(labels, ended) if language and (alpha or ended) else 0.0
        return Hypothesis(labels, np.logaddexp(*prefixes[labels]).item(), log_p_lm)

    prefixes = {(): (0.0, NO_PATH)}
    for frame in log_y.astype(float).tolist():
        prefixes = extend(prefixes, frame, least)
        best = ranked(map(hypothesis, prefixes), alpha, beta)[:width]
        prefixes = {one.labels: prefixes[one.labels] for one in best}
    return ranked([hypothesis(labels, ended=True) for labels in prefixes], alpha, beta)


def extend(prefixes, frame, least):
    """Each prefix after one more frame: with a blank, its last label again, or one more label.

    prefixes: {labels: (log-probability of the paths that end in a blank, of those that end in the last label)}
    """
    labels = [k for k, log_p in enumerate(frame) if k != BLANK and log_p >= least]
    extended = {}

    def add(prefix, *endings):
        if max(endings) > NO_PATH:
            old = extended.get(prefix, (NO_PATH, NO_PATH))
            extended[prefix] = tuple(map(np.logaddexp, old, endings))

    for prefix, (blank, label) in prefixes.items():
        either = np.logaddexp(blank, label)
        again = label + frame[prefix[-1]] if prefix else NO_PATH
        add(prefix, either + frame[BLANK], again)
        for k in labels:
            before = blank if prefix[-1:] == (k,) else either  # a blank has to stand between two equal labels
            add((*prefix, k), NO_PATH, before + frame[k])
    return extended


def ranked(hypotheses, alpha=0.0, beta=0.0):
    """Hypotheses by their score with this alpha and beta, the best first."""
    return sorted(hypotheses, key=lambda one: (-one.score(alpha, beta), one.labels))


class LanguageScore:
    """log p_LM of label sequences by a language model of this package. It keeps what it has computed.

    model      an RNNLM, LSTMLM or GRULM
    token_of   a function: label -> its token in the model's vocabulary
    start      the token that is read before a sentence, and that ends it: the end of a line
    """

    def __init__(self, model, token_of, start):
        self.model, self.token_of, self.start = model, token_of, start
        self._advance = one_step(model)
        nothing = np.zeros(model.sizes.vocab_size)  # before a sentence, the start is certain: log 1
        self._known = {(): (0.0, nothing, model.initial_state(1))}  # tokens that were read -> log p, log y, state

    def log_p(self, labels, ended=False):
        """The log-probability that a sentence begins with these labels; ended: that it has these, and then ends."""
        *read, last = [self.start, *map(self.token_of, labels), *[self.start] * ended]
        known = len(read)
        while tuple(read[:known]) not in self._known:
            known -= 1
        log_p, log_y, state = self._known[tuple(read[:known])]
        for length, token in enumerate(read[known:], start=known + 1):
            log_p += log_y[token].item()
            state = self._advance(np.array([token]), state)
            log_y = log_softmax(next_logits(self.model, state)[0].astype(float))  # (V,)
            self._known[tuple(read[:length])] = log_p, log_y, state
        return log_p + log_y[last].item()
