"""step of an encoder-decoder: one sentence's attention, forward and backward, with the proof of every gradient."""

import numpy as np

from numpylm import attention, translation
from numpylm.commands.console import cut
from numpylm.commands.trained import load_trained, note_unknown
from numpylm.data.pairs import encode_lines
from numpylm.data.printable import visible
from numpylm.stepping.attention_walk import attention_walk
from numpylm.stepping.show import introduce, print_passes
from numpylm.stepping.small import small_translator
from numpylm.stepping.walk import chosen
from numpylm.translation_task import translate_lines

LONGEST_NAME = 12  # characters of a token that are shown


def step_attention(options, content):
    """`numpylm step --attention dot`, or --run of a translator: the exit status, 1 if a gradient is wrong."""
    refuse_idle(options)
    content = " ".join(content.split())
    model, vocabularies, origin = trained(options, content) if options.trained else small(options, content)
    written = translate_lines(model, vocabularies, [content], width=1)[0][0][0] if options.trained else content[::-1]
    (source,), (target,) = (
        encode_lines(vocabularies[side], [line]) for side, line in (("source", content), ("target", written))
    )
    inputs, targets = np.array([target[-1], *target[:-1]])[:, None], target[:, None]
    walked = attention_walk(model, source[:, None], inputs, targets, chosen("--at", options.at, len(target)))
    read, wrote = shown(vocabularies["source"], source), shown(vocabularies["target"], target)
    reads = f"reads {read} and {'writes' if options.trained else 'is to write'} {wrote}"
    sizes = f"N = 1 sentence, D = {model.sizes.embedding_dim}, H = {model.sizes.hidden_dim}; s_t and h_j are given"
    other_score = "(18)" if model.attention.name == "dot" else "(17)"
    introduce(walked, origin, reads, sizes, (attention, translation), other_score)
    return print_passes(walked)


def refuse_idle(options):
    """Raises ValueError for an option that changes nothing here."""
    names = ["layer", "pdb", "html"] + (["attention", "cell", "seed"] if options.trained else [])
    given = [f"--{name}" for name in names if not any(getattr(options, name) is idle for idle in (None, False))]
    if given:
        what = "a translator" if options.trained else "attention"
        raise ValueError(f"step through {what} has no {', '.join(given)}: leave it out")


def small(options, content):
    """(a small EncoderDecoder, which is to write the text backwards; its vocabularies; where it comes from)."""
    cell, seed = options.cell or "lstm", options.seed or 0
    model, vocabulary = small_translator(content, options.attention, cell, seed)
    origin = f"A small {cell.upper()} encoder-decoder, its weights drawn with seed {seed}"
    return model, {"source": vocabulary, "target": vocabulary}, origin


def trained(options, content):
    """(a run's EncoderDecoder in float64, its vocabularies, the run's name). ValueError where it has no attention."""
    model, vocabularies, _ = load_trained(options.trained, "translation")
    if model.attention is None:
        raise ValueError(f"{options.trained} has no attention to step through: it was trained with --score none")
    if options.text is None or not content:
        raise ValueError("--run needs --text: a sentence to translate")
    note_unknown(vocabularies["source"], content + "\n")
    return model.astype(np.float64), vocabularies, options.trained


def shown(vocabulary, tokens):
    """The tokens as text, long ones cut."""
    return " ".join(cut(visible(vocabulary.tokens[token]), LONGEST_NAME) for token in tokens)
