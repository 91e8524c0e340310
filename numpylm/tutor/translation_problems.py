"""Random problems of attention, memory hops and beam search: what a student's function is given, what ours returns."""

import numpy as np

from numpylm.activations import log_softmax
from numpylm.attention import ATTENTIONS, attention_step, attention_step_backward
from numpylm.beam_search import beam_search
from numpylm.memory_hop import hop_backward, hop_forward

START, END, WIDTH, LENGTH_PENALTY = 1, 0, 3, 0.7
DOT = ATTENTIONS["dot"]


def attention_problem(rng, sizes, is_backward):
    """(symbols, answers) of one step of dot-product attention: two dicts of arrays."""
    T, N, _, H = sizes[:4]
    mask = falling_lengths(T, N)
    s_t, dctx_t = rng.standard_normal((2, N, H))
    s_t, dctx_t, h = sizes.scale * s_t, sizes.factor * dctx_t, rng.standard_normal((T, N, H))
    step = attention_step(DOT, (), s_t, h, mask)
    symbols = {"s_t": s_t, "h": h, "mask": mask}
    if not is_backward:
        return symbols, {"alpha_t": step.alpha, "ctx_t": step.ctx}
    back = attention_step_backward(DOT, (), dctx_t, step)
    answers = {"dalpha_t": back.dalpha, "de_t": back.de, "ds_t": back.ds, "dh": back.dh}
    return symbols | {"dctx_t": dctx_t, "alpha_t": step.alpha, "step": step}, answers


def hop_problem(rng, sizes, is_backward):
    """(symbols, answers) of one hop over T sentences: two dicts of arrays."""
    T, N, D = sizes[:3]
    mask = falling_lengths(T, N)
    u, du_next = rng.standard_normal((2, N, D))
    u, du_next, (m, v) = sizes.scale * u, sizes.factor * du_next, rng.standard_normal((2, T, N, D))
    hop = hop_forward(u, m, v, mask)
    symbols = {"u": u, "m": m, "v": v, "mask": mask}
    if not is_backward:
        return symbols, {"p": hop.p, "r": hop.r, "u_next": hop.u_next}
    answers = hop_backward(du_next, hop, mask)._asdict()
    del answers["du_next"], answers["dW_u"]
    return symbols | {"du_next": du_next, "p": hop.p, "step": hop}, answers


def falling_lengths(T, N):
    """A mask (T, N) of N sequences of T, T - 1, … steps."""
    return np.arange(T)[:, None] < np.arange(T, T - N, -1)


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
