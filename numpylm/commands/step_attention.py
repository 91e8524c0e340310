"""step --attention: one sentence's attention, forward and backward, with the proof of every gradient."""

import re

import numpy as np

from numpylm import attention, require, translation
from numpylm.data.pairs import encode_lines
from numpylm.data.printable import visible
from numpylm.data.text import build_vocabulary
from numpylm.stepping.attention_walk import attention_walk
from numpylm.stepping.show import numbered, paragraph, print_passes
from numpylm.stepping.small import DEFAULT_TEXT, D, one_decimal
from numpylm.translation import EncoderDecoder

H = 4  # half of it for each direction


def step_attention(options, directions, width):
    """`numpylm step --attention dot`: the exit status, 1 if a gradient is wrong."""
    given = [f"--{name}" for name, value in (("run", options.trained), ("layer", options.layer)) if value is not None]
    if given + ["--pdb"] * options.pdb:
        raise ValueError(f"--attention steps through a small model: leave out {', '.join(given) or '--pdb'}")
    content = " ".join((options.text or DEFAULT_TEXT).split())
    vocabulary = build_vocabulary(content + "\n", "char")
    source, target = encode_lines(vocabulary, [content, content[::-1]])
    inputs, targets = np.array([source[-1], *target[:-1]])[:, None], target[:, None]
    model = small_translator(options, len(vocabulary))
    steps = range(len(target)) if options.at is None else [at(options.at, len(target))]
    walked = attention_walk(model, source[:, None], inputs, targets, steps)
    names = [" ".join(visible(vocabulary.tokens[token]) for token in side) for side in (source, target)]
    introduce(walked, model, names, options.seed or 0, width)
    return print_passes(walked, directions, width)


def small_translator(options, V):
    """An EncoderDecoder whose weights, drawn with the seed, have one decimal."""
    model = EncoderDecoder(V, V, D, H, cell=options.cell or "lstm", attention=options.attention, dtype=np.float64)
    rng = np.random.default_rng(require.count("seed", options.seed or 0))
    return model.with_parameters({name: one_decimal(rng, q.shape) for name, q in model.parameters().items()})


def at(t, T_y):
    """t, if it is a target step."""
    if t not in range(T_y):
        raise ValueError(f"--at must lie in 0..{T_y - 1}; got {t}")
    return t


def introduce(walked, model, names, seed, width):
    """Print what is computed, on which tokens and with which sizes, and the equations."""
    print(f"A small {model.cell.name.upper()} encoder-decoder, its weights drawn with seed {seed}")
    paragraph(f"reads {names[0]} and is to write {names[1]}: loss {walked.loss:.4f} nats per target token", width)
    paragraph(f"N = 1 sentence, D = {D}, H = {H}; s_t and h_j are given: without --attention, step shows a cell", width)
    print()
    other_score = "(18)" if model.attention.name == "dot" else "(17)"
    for module in (attention, translation):
        for formula, number in re.findall(r"^    (\S.*? = \S.*?)   .*(\(\d+\))$", module.__doc__, re.MULTILINE):
            if number != other_score:
                print("\n".join(numbered(formula, number, width)))
    print()
