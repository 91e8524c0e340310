"""step --attention: one sentence's attention, forward and backward, with the proof of every gradient."""

import numpy as np

from numpylm import attention, translation
from numpylm.data.pairs import encode_lines
from numpylm.data.printable import visible
from numpylm.stepping.attention_walk import attention_walk
from numpylm.stepping.show import introduce, print_passes
from numpylm.stepping.small import small_translator


def step_attention(options, content, directions, width):
    """`numpylm step --attention dot`: the exit status, 1 if a gradient is wrong."""
    given = [f"--{name}" for name, value in (("run", options.trained), ("layer", options.layer)) if value is not None]
    if given + ["--pdb"] * options.pdb:
        raise ValueError(f"--attention steps through a small model: leave out {', '.join(given) or '--pdb'}")
    content = " ".join(content.split())
    cell, seed = options.cell or "lstm", options.seed or 0
    model, vocabulary = small_translator(content, options.attention, cell, seed)
    source, target = encode_lines(vocabulary, [content, content[::-1]])
    inputs, targets = np.array([source[-1], *target[:-1]])[:, None], target[:, None]
    if options.at not in (None, *range(len(target))):
        raise ValueError(f"--at must lie in 0..{len(target) - 1}; got {options.at}")
    steps = range(len(target)) if options.at is None else [options.at]
    walked = attention_walk(model, source[:, None], inputs, targets, steps)
    names = [" ".join(visible(vocabulary.tokens[token]) for token in side) for side in (source, target)]
    reads = f"reads {names[0]} and is to write {names[1]}"
    sizes = f"N = 1 sentence, D = {model.sizes.embedding_dim}, H = {model.sizes.hidden_dim}; s_t and h_j are given"
    origin = f"A small {cell.upper()} encoder-decoder, its weights drawn with seed {seed}"
    other_score = "(18)" if options.attention == "dot" else "(17)"
    introduce(walked, origin, reads, sizes, (attention, translation), width, other_score)
    return print_passes(walked, directions, width)
