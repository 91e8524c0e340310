"""Beam search: the most probable continuations, found by keeping the K best hypotheses at every step.

    log p(Y) = Σ_t log y_t[Y_t]                                     of a hypothesis Y, its end included
    score(Y) = log p(Y) / ((5 + |Y|) / 6)^α                         length normalisation (Wu et al., 2016)      (24)

    K beam width · N sentences searched at once · V vocabulary · |Y| number of tokens, the end included

At each step every hypothesis of a sentence is continued by every token, and the K continuations with the highest log p
stay. One that ends with the end token is complete: it leaves the beam. A sentence is done when K hypotheses are
complete or none is left. At the last step allowed, those that are left count as complete without an end. Width 1
is greedy search; a width of V^T keeps everything, and finds the best of all sequences of T tokens.

Sources: Sutskever, Vinyals and Le (2014), section 3.2; Wu et al., Google's Neural Machine Translation System (2016),
equation 14, without its coverage penalty.
"""

from functools import partial
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from numpylm.activations import log_softmax
from numpylm.base import require
from numpylm.generation import read_prompts
from numpylm.recurrence import map_state


class Hypothesis(NamedTuple):
    """tokens, the end token not among them; log p in nats, the end's included; score of (24); is_complete: it ended."""

    tokens: list
    log_probability: float
    score: float
    is_complete: bool


def beam_search(advance, state, tokens, end, max_length, width=5, length_penalty=1.0, n_best=1):
    """For each of N sentences the n_best Hypotheses found, the highest score first: a list of N lists.

    advance         (tokens (K N,), state) -> (logits (K N, V), state): row k N + n is hypothesis k of sentence n
    state           a nested tuple of arrays (N, ·), before the first token is read
    tokens          (N,) the token that each sentence begins with, such as <s>
    end             the id of the end token; None if there is none
    max_length      tokens at most, the end included
    length_penalty  α of (24): 0 leaves log p as it is, 1 favours longer hypotheses
    Raises ValueError for a width, n_best or max_length below 1, and for n_best > width.
    """
    check_search(width, length_penalty, n_best, max_length)
    N = len(tokens)
    tokens = np.asarray(tokens)
    log_p = np.zeros((1, N))  # (K, N), one hypothesis at first
    history = np.empty((0, 1, N), dtype=int)  # (t, K, N)
    complete = [[] for _ in range(N)]
    for length in range(1, max_length + 1):
        logits, state = advance(tokens, state)
        log_p, parents, tokens = best_continuations(log_p, log_softmax(logits.astype(float)), width)  # (K, N) each
        rows = (parents * N + np.arange(N)).ravel()
        state = map_state(itemgetter(rows), state)
        history = np.concatenate((np.take_along_axis(history, parents[None], axis=1), tokens[None]))
        ended = np.full(tokens.shape, length == max_length)  # (K, N)
        if end is not None:
            ended |= tokens == end
        for k, n in np.argwhere(ended & np.isfinite(log_p)):
            complete[n].append(hypothesis(history[:, k, n].tolist(), log_p[k, n].item(), end, length_penalty))
        log_p = np.where(ended | [len(found) >= width for found in complete], -np.inf, log_p)
        if not np.isfinite(log_p).any():
            break
        tokens = tokens.ravel()
    return [sorted(found, key=lambda h: -h.score)[:n_best] for found in complete]


def best_continuations(log_p, log_y, width):
    """The width best continuations of each sentence: their log p, the hypotheses they continue, and their tokens.

    log_p (K, N) of the hypotheses and log_y (K N, V) of the next token give three arrays (min(width, K V), N), the most
    probable first.
    """
    K, N = log_p.shape
    V = log_y.shape[1]
    continued = log_p[:, :, None] + log_y.reshape(K, N, V)
    flat = continued.swapaxes(0, 1).reshape(N, K * V)
    best = np.argpartition(-flat, min(width, K * V) - 1, axis=1)[:, :width]  # (N, width), in no order
    order = np.argsort(-np.take_along_axis(flat, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    return np.take_along_axis(flat, best, axis=1).T, (best // V).T, (best % V).T


def hypothesis(tokens, log_p, end, length_penalty):
    """The Hypothesis of these tokens, of which the last may be the end token."""
    score = log_p / ((5 + len(tokens)) / 6) ** length_penalty  # (24)
    is_complete = tokens[-1] == end
    return Hypothesis(tokens[:-1] if is_complete else tokens, log_p, score, is_complete)


def check_search(width, length_penalty, n_best, max_length):
    """Raises ValueError for numbers that make no beam search."""
    for name, value in (("width", width), ("n_best", n_best), ("max_length", max_length)):
        require.positive_integer(name, value)
    if not 0 <= require.finite_number("length_penalty", length_penalty) <= 10:  # more overflows in long hypotheses
        raise ValueError(f"length_penalty must lie in 0..10; got {length_penalty}")
    if n_best > width:
        raise ValueError(f"a beam of width {width} finds at most {width} hypotheses; got n_best={n_best}")


def translate(model, source, start, end, source_mask=None, max_length=50, **search):
    """Beam search with an EncoderDecoder: source (T_x, N) gives N lists of Hypotheses. search: as in beam_search."""
    require.model(model, "encode", "an encoder-decoder")
    for name, token in (("start", start), ("end", end)):
        require.token(name, token, model.sizes.target_vocab_size)
    encoded = model.encode(source, source_mask)
    advance = partial(model.advance, encoded=encoded)
    first = np.full(encoded.h.shape[1], start)  # (N,)
    return beam_search(advance, encoded.state, first, end, max_length, **search)


def continue_prompt(model, prompt_tokens, end=None, max_length=50, **search):
    """Beam search with a language model: the Hypotheses that continue one prompt of at least one token."""
    V = require.language_model(model).sizes.vocab_size
    *before, last = require.token_stream(prompt_tokens, V)
    if end is not None:
        require.token("end", end, V)

    def advance(tokens, state):
        out = model.forward(tokens[None], state)
        return out.logits[0], out.state

    return beam_search(advance, read_prompts(model, [before]), [last], end, max_length, **search)[0]
