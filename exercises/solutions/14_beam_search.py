"""A solution of exercise 14: beam search."""

import numpy as np


def beam_search(log_y, start, end, width, length_penalty):
    beam, complete = [(0.0, [])], []
    for t, table in enumerate(log_y, start=1):
        continued = [
            (log_p + step, [*tokens, v])
            for log_p, tokens in beam
            for v, step in enumerate(table[tokens[-1] if tokens else start])
        ]
        best = sorted(continued, key=lambda pair: -pair[0])[:width]
        is_last = t == len(log_y)
        complete += [pair for pair in best if pair[1][-1] == end or is_last]
        beam = [pair for pair in best if pair[1][-1] != end]
        if len(complete) >= width or not beam:
            break
    scored = [(log_p / ((5 + len(tokens)) / 6) ** length_penalty, tokens) for log_p, tokens in complete]
    score, tokens = max(scored, key=lambda pair: pair[0])
    return np.array([v for v in tokens if v != end], dtype=int), score
