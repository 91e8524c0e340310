"""The score command: the log-probability of each line of a text, and each token's surprisal."""

import math
import sys

import numpy as np

from numpylm.commands.console import cut, terminal_width
from numpylm.commands.run import RunDiverged
from numpylm.commands.trained import add_run_argument, ended, load_trained, note_unknown, read_lines, unknown_tokens
from numpylm.data.printable import on_one_line, visible
from numpylm.data.text import encode_stream, stream_start
from numpylm.evaluation import surprisals

DESCRIPTION = (
    "The log-probability of each line of a text in nats, and each token's surprisal. "
    "Every line is taken by itself, as if it began the text, and its end is a token too "
    "(<eos>, or the newline). The last line counts as ended, also without a line end. "
    "A blank line has no words, and so no score by words (-). With --rank, lines with "
    "unknown words come last: the probability of <unk> is not that of the word."
)
LONGEST_NAME = 20  # columns of a token above its surprisal


def add_options(parser):
    add_run_argument(parser)
    add = parser.add_argument
    add("text", nargs="?", default="-", metavar="TEXT", help="a UTF-8 file, or - for standard input (-)")
    add("--rank", action="store_true", help="the most probable line first, without the tokens")
    add("--per-token", action="store_true",
        help="the mean per token in place of the sum, so that length does not count")  # fmt: skip


def run(options):
    model, vocabulary, _ = load_trained(options.trained)
    mean_or_sum = np.mean if options.per_token else np.sum
    lines, scored = read_lines(options.text), []
    note_unknown(unknown_tokens(vocabulary, (" " if vocabulary.level == "word" else "").join(lines)))
    for line in lines:
        tokens, nats = line_surprisals(model, vocabulary, line)
        scored.append((line, tokens, nats, float(mean_or_sum(nats)) if len(nats) else 0.0))
    if options.rank:
        scored.sort(key=rank)
        last = sum(0 in tokens for _, tokens, *_ in scored)
        if last:
            print(f"note: lines with unknown words come last in the ranking: {last}", file=sys.stderr)
    for line, tokens, nats, total in scored:
        print(f"{-total:10.3f}" if len(tokens) else f"{'-':>10}", f" {on_one_line(line)}")
        if not options.rank and len(tokens):  # each token over its surprisal in nats
            names = [cut(visible(vocabulary.tokens[token]), LONGEST_NAME) for token in tokens]
            width = max(6, *map(len, names)) + 2
            per_row = max(1, (terminal_width() - 13) // width)
            for row in (slice(start, start + per_row) for start in range(0, len(names), per_row)):
                print(" " * 12 + "".join(f"{name:>{width}}" for name in names[row]))
                print(" " * 12 + "".join(f"{value:>{width}.2f}" for value in nats[row]))
    if not all(math.isfinite(total) for *_, total in scored):
        raise RunDiverged("some lines have no finite score: the model's numbers overflow on them")


def rank(scored):
    """What lines are sorted by: known words, then unknown ones; the most probable first; blank and broken ones last."""
    _, tokens, _, total = scored
    if not len(tokens) or not math.isfinite(total):
        return 2, float(len(tokens))
    return int(0 in tokens), total


def line_surprisals(model, vocabulary, line):
    """(predicted token ids, their surprisals in nats) of one line with its end, after the end of another."""
    tokens = encode_stream(vocabulary, ended(vocabulary, line))
    if len(tokens) > 1:
        return tokens[1:], surprisals(model, tokens)
    if stream_start(vocabulary) is None and line:
        raise ValueError(f"a line of one character cannot be scored without a line end in the vocabulary: {line!r}")
    return tokens[1:], np.zeros(0)
