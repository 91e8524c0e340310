"""The step command: one forward and backward pass on a few tokens, line by line, or in pdb."""

import numpy as np

from numpylm import require
from numpylm.commands.console import cut, terminal_width
from numpylm.commands.step_attention import step_attention
from numpylm.commands.step_page import check_page, print_page
from numpylm.commands.trained import load_trained
from numpylm.data import text
from numpylm.data.printable import visible
from numpylm.model import MODELS, make_model
from numpylm.stepping.debugger import debug
from numpylm.stepping.show import introduce, print_passes
from numpylm.stepping.small import DEFAULT_TEXT, D, H, one_decimal
from numpylm.stepping.walk import walk

DESCRIPTION = (
    "One forward and backward pass over a few tokens, line by line: each equation's\n"
    "line of the source, its numbers, and for each gradient its proof beside it.\n"
    "--html writes it as a page for a browser; --pdb runs the same pass in Python's debugger."
)
LONGEST = 61  # tokens of a text: T is at most 60
LONGEST_NAME = 12  # characters of a token that are shown
NARROWEST = 60  # columns


def add_options(parser):
    """The model, the text, and what of the pass to show."""
    parser.add_argument("--cell", choices=("rnn", "lstm", "gru"), help="the recurrent cell (lstm, or the run's)")
    parser.add_argument(
        "--attention", choices=("dot", "additive"), help="step through attention instead, in a small encoder-decoder"
    )
    parser.add_argument("--text", metavar="TEXT", help="T + 1 tokens to read and predict (look)")
    parser.add_argument("--run", dest="trained", metavar="RUN", help="a run's folder or a checkpoint (a small model)")
    parser.add_argument("--at", type=int, metavar="t", help="the one time step to show, from 0 (all)")
    parser.add_argument("--layer", type=int, metavar="l", help="the one layer to show, from 0 (all)")
    parser.add_argument("--forward", action="store_true", help="the forward pass alone")
    parser.add_argument("--backward", action="store_true", help="the backward pass alone")
    parser.add_argument("--pdb", action="store_true", help="stop inside the step functions, at --at (0)")
    parser.add_argument("--html", metavar="FILE", help="write a page for a browser instead: a new file, one layer")
    parser.add_argument("--seed", type=int, metavar="K", help="of the small model's weights (0)")


def run(options):
    """numpylm step"""
    directions = [name for name in ("forward", "backward") if getattr(options, name)] or ["forward", "backward"]
    width = max(NARROWEST, terminal_width())
    if options.html:
        check_page(options)
    if options.attention:
        return step_attention(options, directions, width)
    model, vocabulary = trained_model(options) if options.trained else small_model(options)
    tokens = window(options, vocabulary)
    inputs, targets = tokens[:-1, None], tokens[1:, None]  # (T, 1)
    layers, steps = chosen("--layer", options.layer, model.sizes.num_layers), chosen("--at", options.at, len(inputs))
    origin = options.trained or f"A small {model.cell.name.upper()}, its weights drawn with seed {options.seed or 0}"
    if options.html:
        return print_page(options, model, tokens, vocabulary.tokens, layers[-1], origin)
    if options.pdb:
        return debug(model, inputs, targets, layers[0], steps[0], directions)
    names = [cut(visible(vocabulary.tokens[token]), LONGEST_NAME) for token in tokens]
    walked = walk(model, inputs, targets, layers, steps)
    introduce(walked, model, origin, names, width)
    return print_passes(walked, directions, width)


def small_model(options):
    """(a model whose weights, drawn with the seed, have one decimal, so that they can be copied; its vocabulary)."""
    content = DEFAULT_TEXT if options.text is None else options.text
    vocabulary = text.build_vocabulary(content, "char")
    model = MODELS[options.cell or "lstm"](len(vocabulary), D, H, dtype=np.float64)
    rng = np.random.default_rng(require.count("seed", 0 if options.seed is None else options.seed))
    parameters = {name: one_decimal(rng, array.shape) for name, array in model.parameters().items()}
    return make_model(model.cell, model.sizes, parameters), vocabulary


def trained_model(options):
    """(a checkpoint's model in float64, its vocabulary). ValueError if it is not of the cell asked for."""
    if options.seed is not None:
        raise ValueError("--seed draws the weights of a small model; with --run they are the run's")
    if options.text is None:
        raise ValueError("--run needs --text: a few tokens for the model to read")
    model, vocabulary, _ = load_trained(options.trained)
    if options.cell not in (None, model.cell.name):
        raise ValueError(
            f"{options.trained} holds a model of cell {model.cell.name}, not {options.cell}; leave out --cell"
        )
    if np.issubdtype(model.dtype, np.complexfloating):
        raise ValueError(f"{options.trained} holds a model of {model.dtype}; step shows real numbers")
    return model.astype(np.float64), vocabulary


def window(options, vocabulary):
    """The ids of the text's tokens, at least two. ValueError for one that the vocabulary lacks."""
    content = DEFAULT_TEXT if options.text is None else options.text
    tokens = text.encode(vocabulary, content)
    if not 2 <= len(tokens) <= LONGEST:
        raise ValueError(
            f"--text must have 2 to {LONGEST} tokens ({vocabulary.level}s), one to read and one to predict at least; "
            f"{content!r} has {len(tokens)}"
        )
    pieces = content if vocabulary.level == "char" else text.split_words(content)
    unknown = [piece for piece in dict.fromkeys(pieces) if piece not in vocabulary.tokens]
    if unknown:
        raise ValueError(f"the vocabulary of {options.trained} lacks {', '.join(map(repr, unknown))}")
    return tokens.astype(int)


def chosen(option, given, number):
    """All of 0..number-1, or the one that is given. Raises ValueError if it lies outside."""
    if given is None:
        return list(range(number))
    if given not in range(number):
        raise ValueError(f"{option} must lie in 0..{number - 1}; got {given}")
    return [given]
