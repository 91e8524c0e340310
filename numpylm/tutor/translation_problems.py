"""Random problems of attention and beam search: what a student's function is given, and what ours returns."""

import numpy as np

from numpylm.activations import log_softmax
from numpylm.attention import ATTENTIONS, attention_step, attention_step_backward
from numpylm.beam_search import beam_search

START, END, WIDTH, LENGTH_PENALTY = 1, 0, 3, 0.7
DOT = ATTENTIONS["dot"]


def attention_problem(rng, sizes, is_backward):
    """(symbols, answers) of one step of dot-product attention: two dicts of arrays."""
    T, N, _, H = sizes[:4]
    mask = np.arange(T)[:, None] < np.arange(T, T - N, -1)  # lengths T, T - 1, …
    s_t, dctx_t = rng.standard_normal((2, N, H))
    s_t, dctx_t, h = sizes.scale * s_t, sizes.factor * dctx_t, rng.standard_normal((T, N, H))
    step = attention_step(DOT, (), s_t, h, mask)
    symbols = {"s_t": s_t, "h": h, "mask": mask}
    if not is_backward:
        return symbols, {"alpha_t": step.alpha, "ctx_t": step.ctx}
    back = attention_step_backward(DOT, (), dctx_t, step)
    answers = {"dalpha_t": back.dalpha, "de_t": back.de, "ds_t": back.ds, "dh": back.dh}
    return symbols | {"dctx_t": dctx_t, "alpha_t": step.alpha, "step": step}, answers


def beam_search_problem(rng, sizes):
    """(symbols, answers) of a table of log-probabilities in which greedy search finds another sequence."""
    while True:
        logits = 1.5 * rng.standard_normal((sizes.T, sizes.V, sizes.V))
        logits[:2, :, END] -= 9  # no answer is empty
        log_y = log_softmax(logits)
        greedy, best = (search(log_y, width) for width in (1, WIDTH))
        if greedy.tokens != best.tokens:
            break
    symbols = {"log_y": log_y, "start": START, "end": END, "width": WIDTH, "length_penalty": LENGTH_PENALTY}
    return symbols, {"tokens": np.array(best.tokens), "score": np.asarray(best.score)}


def search(log_y, width):
    """The best Hypothesis; a hypothesis's state is the number of its tokens."""

    def advance(tokens, steps):
        return log_y[steps[0], tokens], steps + 1

    first = np.array([0]), np.array([START])
    ((best,),) = beam_search(advance, *first, END, len(log_y), width, LENGTH_PENALTY)
    return best
