"""The step command: one forward and backward pass on a few tokens, line by line, as a page, or in pdb; or the attention
of an encoder-decoder over one sentence."""

import inspect

import numpy as np

from numpylm import attention, translation
from numpylm.commands.console import cut
from numpylm.commands.run_folder import check_new_file, write_whole
from numpylm.commands.trained import kind_of, load_trained, note_unknown, unknown_tokens
from numpylm.data import text
from numpylm.data.pairs import encode_lines
from numpylm.data.printable import on_one_line, visible
from numpylm.kinds.translation_task import translate_lines
from numpylm.proof.moved_step import cell_function
from numpylm.stepping.attention_walk import attention_walk
from numpylm.stepping.debugger import debug
from numpylm.stepping.html_page import LONGEST_NAME, MOST_STEPS, page
from numpylm.stepping.show import introduce, print_passes
from numpylm.stepping.small import DEFAULT_TEXT, small_model, small_translator
from numpylm.stepping.walk import chosen, walk

DESCRIPTION = (
    "One forward and backward pass over a few tokens, line by line: each equation's\n"
    "line of the source, its numbers, and for each gradient its proof beside it.\n"
    "--html writes it as a page for a browser; --pdb runs the same pass in Python's debugger."
)
PAGE_TEXT = "she sells sea shells"  # long enough to see a gradient vanish


def add_options(parser):
    add = parser.add_argument
    add("--cell", choices=("rnn", "lstm", "gru"), help="the recurrent cell (lstm, or the run's)")
    add("--attention", choices=("dot", "additive"), help="step through attention instead, in a small encoder-decoder; "
        "with --run of a translator, through its attention over the text")  # fmt: skip
    add("--text", metavar="TEXT", help="T + 1 tokens to read and predict (look)")
    add("--run", dest="trained", metavar="RUN", help="a run's folder or a checkpoint (a small model)")
    add("--at", type=int, metavar="t", help="the one time step to show, from 0 (all)")
    add("--layer", type=int, metavar="l", help="the one layer to show, from 0 (all)")
    add("--forward", action="store_true", help="the forward pass alone")
    add("--backward", action="store_true", help="the backward pass alone")
    add("--pdb", action="store_true", help="stop inside the step functions, at --at (0)")
    add("--html", metavar="FILE", help="write a page for a browser instead: a new file, one layer; "
        "of a large model it proves the gradients of step --at alone")  # fmt: skip
    add("--seed", type=int, metavar="K", help="of the small model's weights (0)")


def run(options):
    directions = [name for name in ("forward", "backward") if getattr(options, name)] or ["forward", "backward"]
    if options.html:
        refuse(options, ("attention", "pdb", "forward", "backward"), "a page (--html)")
        check_new_file(options.html, ".html", ".htm")
    content = (PAGE_TEXT if options.html else DEFAULT_TEXT) if options.text is None else options.text
    is_translator = bool(options.trained) and kind_of(options.trained).name == "translation"
    if options.trained and (options.text is None or (is_translator and not content.split())):
        raise ValueError("--run needs --text: a few tokens for the model to read, or a sentence to translate")
    if options.attention or is_translator:
        return step_attention(options, " ".join(content.split()), directions)
    cell, seed = options.cell or "lstm", options.seed or 0
    model, vocabulary = trained_model(options) if options.trained else small_model(content, cell, seed)
    tokens = window(content, vocabulary, options.trained)
    inputs, targets = tokens[:-1, None], tokens[1:, None]  # (T, 1)
    sizes = model.sizes
    layers, steps = chosen("--layer", options.layer, sizes.num_layers), chosen("--at", options.at, len(inputs))
    origin = options.trained or f"A small {cell.upper()}, its weights drawn with seed {seed}"
    if options.html:
        return write(options.html, page(model, tokens, vocabulary.tokens, layers[-1], origin, options.at))
    if options.pdb:
        return debug(model, inputs, targets, layers[0], steps[0], directions)
    walked = walk(model, inputs, targets, layers, steps)
    reads = f"reads {shown(vocabulary, tokens[:-1])} and is to predict {shown(vocabulary, tokens[1:])}"
    described = f"T = {len(inputs)} steps, N = 1 sequence, D = {sizes.embedding_dim}, H = {sizes.hidden_dim}"
    described += f", V = {sizes.vocab_size}"
    if "nonlinearity" in model.cell.options:
        described += f"; f is {model.cell.options['nonlinearity']}"
    introduce(walked, on_one_line(origin), reads, described, [inspect.getmodule(cell_function(model.cell, "step"))])
    return print_passes(walked, directions)


def refuse(options, names, what):
    """Raises ValueError for options of these names, which would change nothing of what is shown."""
    given = [f"--{name}" for name in names if str(getattr(options, name)) not in ("None", "False")]  # 0 is given
    if given:
        raise ValueError(f"{what} has no {', '.join(given)}: leave it out")


def write(path, made):
    """Write a page whole or not at all, and say where it is."""
    write_whole(path, made)
    print(f"wrote {on_one_line(path)}, {len(made.encode('utf-8')) / 1000:.0f} kB: open it in a browser")


def trained_model(options):
    """(a checkpoint's model in float64, its vocabulary). ValueError if it is not of the cell asked for."""
    refuse(options, ["seed"], "a trained model (--run)")
    model, vocabulary, _ = load_trained(options.trained, real=True)
    if options.cell not in (None, model.cell.name):
        held = f"{options.trained} holds a model of cell {model.cell.name}"
        raise ValueError(f"{held}, not {options.cell}; leave out --cell")
    return model.astype(np.float64), vocabulary


def window(content, vocabulary, trained):
    """The ids of the text's tokens, at least two. ValueError for one that the vocabulary lacks."""
    tokens = text.encode(vocabulary, content)
    if not 2 <= len(tokens) <= MOST_STEPS + 1:
        raise ValueError(
            f"--text must have 2 to {MOST_STEPS + 1} tokens ({vocabulary.level}s), one to read and one to predict at "
            f"least; {content!r} has {len(tokens)}"
        )
    unknown = unknown_tokens(vocabulary, content)
    if unknown:
        raise ValueError(f"the vocabulary of {trained} lacks {', '.join(map(repr, unknown))}")
    return tokens.astype(int)


def shown(vocabulary, tokens):
    """The tokens as text, long ones cut."""
    return " ".join(cut(visible(vocabulary.tokens[token]), LONGEST_NAME) for token in tokens)


def step_attention(options, content, directions):
    """A small encoder-decoder that is to write the text backwards, or a run's: the exit status, 1 if a gradient is
    wrong."""
    refuse(options, ("layer", "pdb", "html"), "step through attention")
    if options.trained:
        refuse(options, ("attention", "cell", "seed"), "step through a translator")
        model, vocabularies, _ = load_trained(options.trained, "translation")
        if model.attention is None:
            raise ValueError(f"{options.trained} has no attention to step through: it was trained with --score none")
        note_unknown(unknown_tokens(vocabularies["source"], content + "\n"))
        model, origin = model.astype(np.float64), options.trained
        written = translate_lines(model, vocabularies, [content], width=1)[0][0][0]
    else:
        cell, seed = options.cell or "lstm", options.seed or 0
        model, vocabulary = small_translator(content, options.attention, cell, seed)
        vocabularies, written = {"source": vocabulary, "target": vocabulary}, content[::-1]
        origin = f"A small {cell.upper()} encoder-decoder, its weights drawn with seed {seed}"
    source = encode_lines(vocabularies["source"], [content])[0]
    target = encode_lines(vocabularies["target"], [written])[0]
    inputs = np.array([target[-1], *target[:-1]])[:, None]
    walked = attention_walk(model, source[:, None], inputs, target[:, None], chosen("--at", options.at, len(target)))
    writes = f"{'writes' if options.trained else 'is to write'} {shown(vocabularies['target'], target)}"
    sizes = f"N = 1 sentence, D = {model.sizes.embedding_dim}, H = {model.sizes.hidden_dim}; s_t and h_j are given"
    reads = f"reads {shown(vocabularies['source'], source)} and {writes}"
    other_score = "(18)" if model.attention.name == "dot" else "(17)"
    introduce(walked, origin, reads, sizes, (attention, translation), other_score)
    return print_passes(walked, directions)
