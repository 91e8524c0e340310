"""The sample command: a trained model writes."""

import math
import sys
from itertools import count, islice, repeat

import numpy as np

from numpylm.base import require
from numpylm.commands.console import terminal_width
from numpylm.commands.trained import add_run_argument, load_trained, note_unknown, unknown_tokens
from numpylm.data.printable import printable
from numpylm.data.text import END_OF_SENTENCE, encode_stream, stream_start
from numpylm.generation import generate_batch, generate_stream, until

DESCRIPTION = "Write text with a trained model, token by token. <unk> is never drawn."
DEFAULT_LENGTH = {"word": 60, "char": 400}
SEED = (
    "the same seed writes the same text (default: a new seed each time); with --count, text k (from 0) is the text "
    "that seed S + k writes alone"
)
AT_ONCE = 256  # texts that are drawn side by side
LONG_WORD = 12  # characters: where a line of characters is broken at a space


def add_options(parser):
    add_run_argument(parser)
    add = parser.add_argument
    add("--prompt", default="", metavar="TEXT", help="what to go on from (the beginning of a line)")
    add("--length", type=int, metavar="K", help="how many tokens (60 words or 400 characters)")
    add("--count", type=int, metavar="K", help="write K texts at once (1)")
    add("--one-line", action="store_true", help="end a text with its first line")
    add("--temperature", type=float, metavar="X", help="below 1 bolder, above 1 more varied (1)")
    add("--top-k", type=int, metavar="K", help="draw from the K most probable tokens only")
    add("--top-p", type=float, metavar="P", help="draw from the fewest tokens of joint probability P")
    add("--greedy", action="store_true", help="always the most probable token (temperature 0)")
    add("--seed", type=int, help=SEED)


def run(options):
    if options.seed is not None:
        require.count("seed", options.seed)
    model, vocabulary, _ = load_trained(options.trained)
    line_end = stream_start(vocabulary)
    start = 1 if line_end is None else line_end  # without line ends: the most frequent token
    prompt = encode_stream(vocabulary, options.prompt) if options.prompt else np.array([start])
    note_unknown(unknown_tokens(vocabulary, options.prompt))
    length = DEFAULT_LENGTH[vocabulary.level] if options.length is None else require.count("length", options.length)
    K = 1 if options.count is None or options.greedy else require.positive_integer("count", options.count)
    if options.one_line and line_end is None:
        raise ValueError("--one-line: the model was trained on a text without line ends, and knows none")
    stop = [start] if options.one_line else []
    filters = temperature(options), options.top_k, options.top_p
    rngs = map(np.random.default_rng, repeat(None) if options.seed is None else count(options.seed))
    if K == 1:
        stream = generate_stream(model, prompt, *filters, next(rngs), exclude=[0])
        print_tokens(vocabulary, until(islice(stream, length), stop), options.prompt)
        return
    for first in range(0, K, AT_ONCE):
        some = [*islice(rngs, min(AT_ONCE, K - first))]
        texts = generate_batch(model, [prompt] * len(some), length, *filters, some, exclude=[0], stop=stop)
        for k, text in enumerate(texts, start=first + 1):
            if not options.one_line:
                print(f"--- {k} of {K} ---")
            print_tokens(vocabulary, text, options.prompt)


def temperature(options):
    """The temperature. With --greedy nothing is drawn: options that then have no effect are noted."""
    if not options.greedy:
        return 1.0 if options.temperature is None else options.temperature
    names = ("temperature", "top_k", "top_p", "seed", "count")
    without_effect = ["--" + name.replace("_", "-") for name in names if getattr(options, name) is not None]
    if without_effect:
        print(f"note: --greedy draws nothing: no effect of {', '.join(without_effect)}", file=sys.stderr)
    return 0


def print_tokens(vocabulary, tokens, prompt):
    """Prints a prompt, and then each token as it comes; a terminal's lines are broken between words.

    Words are set off by spaces, and <eos> ends the line.
    """
    width, by_words = terminal_width() if sys.stdout.isatty() else math.inf, vocabulary.level == "word"
    print(printable(prompt), end="", flush=True)
    previous = prompt[-1:] or "\n"
    column = len(prompt.rpartition("\n")[2])
    for token in tokens:
        piece = printable(vocabulary.tokens[token])
        if by_words:
            piece = "\n" if piece == END_OF_SENTENCE else piece if previous in "\n " else f" {piece}"
        needed = LONG_WORD if piece == " " else len(piece.strip("\n"))  # a word may follow a space
        if column + needed > width:
            piece = "\n" + piece.strip()
        print(piece, end="", flush=True)
        previous = piece[-1]
        column = len(piece.rpartition("\n")[2]) + (0 if "\n" in piece else column)
    if previous != "\n":
        print()
