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

from numpylm.ctc import BLANK
from numpylm.generation import next_logits, one_step


class Hypothesis(NamedTuple):
    """labels, a tuple of 1..V; score, what the search maximises; log_p_ctc and log_p_lm in nats (0 without a model)."""

    labels: tuple
    score: float
    log_p_ctc: float
    log_p_lm: float


class Ending(NamedTuple):
    """Of a prefix's paths so far: the log-probability of those that end in a blank, and in its last label."""

    blank: float
    label: float

    @property
    def log_p(self):
        """Of all its paths."""
        return log_add(self.blank, self.label)


NO_PATH = Ending(-math.inf, -math.inf)


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
    prefixes = {(): Ending(0.0, -math.inf)}

    def rank(prefix, ending):
        return ending.log_p + alpha * (language.log_p(prefix) if language else 0) + beta * len(prefix)

    for frame in log_y.astype(float):
        symbols = [int(symbol) for symbol in np.flatnonzero(frame >= least) if symbol != BLANK]
        extended = extend(prefixes, frame, symbols)
        possible = [prefix for prefix, ending in extended.items() if ending.log_p > -math.inf]
        best = sorted(possible, key=lambda prefix: (-rank(prefix, extended[prefix]), prefix))
        prefixes = {prefix: extended[prefix] for prefix in best[:width]}
    found = []
    for prefix, ending in prefixes.items():
        log_p_lm = language.log_p_ended(prefix) if language else 0.0
        score = ending.log_p + alpha * log_p_lm + beta * len(prefix)
        found.append(Hypothesis(prefix, score, ending.log_p, log_p_lm))
    return sorted(found, key=lambda one: (-one.score, one.labels))


def extend(prefixes, frame, symbols):
    """Each prefix after one more frame, prefix -> Ending: with a blank, its last label again, or one label more."""
    extended = {}

    def add(prefix, blank=-math.inf, label=-math.inf):
        old = extended.get(prefix, NO_PATH)
        extended[prefix] = Ending(log_add(old.blank, blank), log_add(old.label, label))

    for prefix, ending in prefixes.items():
        add(prefix, blank=ending.log_p + frame[BLANK])
        if prefix:
            add(prefix, label=ending.label + frame[prefix[-1]])
        for symbol in symbols:
            repeated = prefix and symbol == prefix[-1]  # then a blank has to stand between the two
            add((*prefix, symbol), label=(ending.blank if repeated else ending.log_p) + frame[symbol])
    return extended


class LanguageScore:
    """log p_LM of label sequences by a language model of this package. It keeps what it has computed.

    model      an RNNLM, LSTMLM or GRULM
    token_of   label - 1 -> the token of that label in the model's vocabulary
    start      the token that is read before a sentence, and that ends it: the end of a line
    """

    def __init__(self, model, token_of, start):
        self.token_of, self.start = token_of, start
        self.model, self._advance = model, one_step(model)
        self._known = {(): (0.0, *self._step(start, model.initial_state(1)))}  # prefix -> (log p, log y, state)

    def log_p(self, prefix):
        """Of the sentences that begin with a prefix."""
        if not prefix:
            return 0.0
        before, log_y, _ = self._known_after(prefix[:-1])
        return before + float(log_y[self.token_of[prefix[-1] - 1]])

    def log_p_ended(self, prefix):
        """Of the sentence that is this prefix."""
        before, log_y, _ = self._known_after(prefix)
        return before + float(log_y[self.start])

    def _known_after(self, prefix):
        if prefix not in self._known:
            before, log_y, state = self._known_after(prefix[:-1])
            token = self.token_of[prefix[-1] - 1]
            self._known[prefix] = (before + float(log_y[token]), *self._step(token, state))
        return self._known[prefix]

    def _step(self, token, state):
        state = self._advance(np.array([token]), state)
        logits = next_logits(self.model, state)[0]
        shifted = logits.astype(float) - logits.max()
        return shifted - np.log(np.exp(shifted).sum()), state


def rescored(hypotheses, alpha, beta):
    """Hypotheses with the score of another alpha and beta, the best first."""
    again = [one._replace(score=one.log_p_ctc + alpha * one.log_p_lm + beta * len(one.labels)) for one in hypotheses]
    return sorted(again, key=lambda one: (-one.score, one.labels))


def log_add(a, b):
    """log(e^a + e^b) of two numbers, of which one or both may be -infinity."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))
