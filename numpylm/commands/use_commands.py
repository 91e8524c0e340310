"""The commands that use a trained model: sample, evaluate and score. Each reads its parsed options, and prints."""

import json
import sys
from itertools import islice
from pathlib import Path

import numpy as np

from numpylm import require
from numpylm.checkpoint import load_checkpoint
from numpylm.commands.console import cut, terminal_width
from numpylm.commands.run import open_corpus, open_verified
from numpylm.commands.run_folder import RunError, fingerprint, finite_or_none, read_config
from numpylm.data import text
from numpylm.data.archive import CheckpointError
from numpylm.data.mapped import blocks
from numpylm.data.token_file import TokenFile, is_token_file
from numpylm.evaluation import evaluate as evaluate_tokens
from numpylm.evaluation import surprisals
from numpylm.generation import generate_stream

DEFAULT_LENGTH = {"word": 60, "char": 400}
LONGEST_NAME = 20  # columns of a token above its surprisal
LONG_WORD = 12  # characters: where a line of characters is broken at a space


def sample(options):
    """numpylm sample"""
    model, vocabulary = load_trained(options.trained)
    prompt = text.encode_stream(vocabulary, options.prompt) if options.prompt else start_tokens(vocabulary)
    note_unknown(vocabulary, options.prompt)
    length = DEFAULT_LENGTH[vocabulary.level] if options.length is None else require.count("length", options.length)
    temperature = 0 if options.greedy else options.temperature
    rng = np.random.default_rng(options.seed)
    stream = generate_stream(model, prompt, temperature, options.top_k, options.top_p, rng)
    print_tokens(vocabulary, islice(stream, length), options.prompt)


def note_unknown(vocabulary, prompt):
    """Says which of a prompt's tokens the vocabulary lacks."""
    known = set(vocabulary.tokens)
    tokens = prompt if vocabulary.level == "char" else prompt.split()
    unknown = [repr(token) for token in dict.fromkeys(tokens) if token not in known]
    if unknown:
        shown = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        print(f"note: the model does not know {shown} and reads {text.UNKNOWN} there", file=sys.stderr)


def print_tokens(vocabulary, tokens, prompt):
    """Prints a prompt, and then each token as it comes; a terminal's lines are broken between words."""
    width = terminal_width() if sys.stdout.isatty() else np.inf
    print(prompt, end="", flush=True)
    line = prompt.rpartition("\n")[2]
    previous, column = prompt[-1:] or "\n", len(line)
    for token in tokens:
        piece = spelled(vocabulary, token, previous)
        if not fits(vocabulary, piece, column, width):
            piece = "\n" + piece.strip()
        print(piece, end="", flush=True)
        previous = piece[-1]
        column = len(piece.rpartition("\n")[2]) + (0 if "\n" in piece else column)
    if previous != "\n":
        print()


def fits(vocabulary, piece, column, width):
    """Whether a piece fits into a line of width columns; a space, whether a word does that may follow it."""
    needed = LONG_WORD if vocabulary.level == "char" and piece == " " else len(piece.strip("\n"))
    return column + needed <= width


def start_tokens(vocabulary):
    """What an unprompted text begins after: the end of a line, or the most frequent token where there are no lines."""
    start = text.stream_start(vocabulary)
    return np.array([1 if start is None else start])


def spelled(vocabulary, token, previous):
    """How a token is printed after the character before it: words are set off by spaces, <eos> ends the line."""
    if vocabulary.level == "char":
        return vocabulary.tokens[token]
    if vocabulary.tokens[token] == text.END_OF_SENTENCE:
        return "\n"
    return ("" if previous in "\n " else " ") + vocabulary.tokens[token]


def evaluate(options):
    """numpylm evaluate"""
    model, vocabulary = load_trained(options.trained)
    tokens, num_characters, name = evaluated_tokens(options, vocabulary)
    if len(tokens) < 2:
        raise ValueError(f"{name} holds {len(tokens)} tokens, where two are needed: one to read and one to predict")
    result = evaluate_tokens(model, tokens)
    if vocabulary.level == "char":
        num_characters = result.num_tokens
    unknown = sum(int((block == 0).sum()) for block in blocks(tokens))
    # <unk> says nothing of a word's spelling, so that a text with unknown tokens has no such number.
    bits_per_character = result.total_nats / np.log(2) / num_characters if unknown == 0 else None
    if options.json:
        print_json(result, bits_per_character, unknown)
        return
    print(f"{name}: {result.num_tokens:,} tokens ({vocabulary.level}s), {unknown:,} of them unknown to the model")
    print(f"  perplexity per token   {result.perplexity:10.3f}")
    print(f"  nats per token         {result.loss:10.4f}")
    print(f"  bits per character     {format_bits(bits_per_character)}")
    print(f"  guessed right          {100 * result.accuracy:10.1f} %")


def format_bits(bits_per_character):
    """The number, or why there is none."""
    return (
        "         - (not defined: <unk> has no spelling)"
        if bits_per_character is None
        else f"{bits_per_character:10.4f}"
    )


def print_json(result, bits_per_character, unknown):
    """Prints an Evaluation as one line of JSON, with null for what is not finite."""
    numbers = {
        "tokens": result.num_tokens,
        "nats_per_token": finite_or_none(result.loss),
        "perplexity": finite_or_none(result.perplexity),
        "bits_per_character": finite_or_none(bits_per_character),
        "accuracy": result.accuracy,
        "unknown_tokens": unknown,
    }
    print(json.dumps(numbers))


def evaluated_tokens(options, vocabulary):
    """(tokens, number of characters, name) of a text, a token file's test part, or the run's own test part."""
    if options.text == "-":
        return *encoded(vocabulary, read_file_or_stdin("-")), "standard input"
    if options.text is not None and not is_token_file(options.text):
        return *encoded(vocabulary, text.read_text(options.text)), options.text
    config = None if options.text is not None else config_beside(Path(options.trained))
    corpus = open_corpus(config) if config else open_verified(options.text)
    if config and fingerprint(corpus) != config.corpus_sha256:
        print(f"note: {config.corpus} is not what it was when the run started", file=sys.stderr)
    name = f"the test text of {corpus.name}"
    if not isinstance(corpus, TokenFile):
        return *encoded(vocabulary, corpus.test), name
    if corpus.vocabulary != vocabulary:
        raise ValueError(
            f"{corpus.path} was prepared with another vocabulary than the model's: "
            f"prepare its text again with --vocabulary {options.trained}"
        )
    return corpus.tokens["test"], corpus.characters["test"], name


def encoded(vocabulary, content):
    """(tokens, number of characters) of a text."""
    return text.encode_stream(vocabulary, content), len(content)


def config_beside(trained):
    """The configuration of the run that a folder or a checkpoint belongs to; ValueError if there is none."""
    folder = trained if trained.is_dir() else trained.parent
    if not (folder / "config.json").exists():
        raise ValueError(f"name a text to evaluate on: {folder} holds no run whose test text could be taken")
    return read_config(folder)


def score(options):
    """numpylm score"""
    model, vocabulary = load_trained(options.trained)
    mean_or_sum = np.mean if options.per_token else np.sum
    lines = [line for line in read_file_or_stdin(options.text).split("\n") if line.strip()]
    if not lines:
        raise ValueError(f"there is no line to score in {options.text}")
    scored = ((line, *line_surprisals(model, vocabulary, line)) for line in lines)
    if options.rank:
        scored = sorted(scored, key=lambda entry: mean_or_sum(entry[2]))
    for line, tokens, nats in scored:
        print(f"{-mean_or_sum(nats):10.3f}  {line}")
        if not options.rank:
            print_surprisals(vocabulary, tokens, nats)


def line_surprisals(model, vocabulary, line):
    """(predicted token ids, their surprisals in nats) of one line with its end, after the end of another."""
    ends_line = text.stream_start(vocabulary) is not None
    tokens = text.encode_stream(vocabulary, line + "\n" if ends_line else line)
    if len(tokens) < 2:
        raise ValueError(f"a line of one character cannot be scored without a line end in the vocabulary: {line!r}")
    return tokens[1:], surprisals(model, tokens)


def print_surprisals(vocabulary, tokens, nats):
    """Prints each token over its surprisal in nats, in columns, as many as the terminal is wide."""
    names = [cut(visible(vocabulary.tokens[token]), LONGEST_NAME) for token in tokens]
    width = max(6, *map(len, names)) + 2
    per_row = max(1, (terminal_width() - 13) // width)
    for start in range(0, len(names), per_row):
        print(" " * 12 + "".join(f"{name:>{width}}" for name in names[start : start + per_row]))
        print(" " * 12 + "".join(f"{value:>{width}.2f}" for value in nats[start : start + per_row]))


def visible(token):
    """A token as it can be read: spaces, line ends and control characters as Python writes them."""
    return token if token.isprintable() and not token.isspace() else repr(token)


def load_trained(path):
    """(model, vocabulary) of a run's folder or a checkpoint file."""
    path = checkpoint_path(path)
    checkpoint = load_checkpoint(path)
    if checkpoint.vocabulary is None:
        raise CheckpointError(path, "it holds a model without a vocabulary", "save it with its vocabulary")
    return checkpoint.model, checkpoint.vocabulary


def checkpoint_path(path):
    """best.npz of a run's folder (last.npz before the first validation), or the file itself. RunError for neither."""
    path = Path(path)
    if not path.exists():
        raise RunError(f"there is no run or checkpoint {path}")
    if not path.is_dir():
        return path
    for name in ("best.npz", "last.npz"):
        if (path / name).exists():
            return path / name
    raise RunError(f"the folder {path} holds no run: neither best.npz nor last.npz is in it")


def read_file_or_stdin(name):
    """The text of a file, or of standard input for -."""
    if name != "-":
        return text.read_text(name)
    if sys.stdin.isatty():
        print("type or paste the text; end it with Ctrl-D (Windows: Ctrl-Z, Enter)", file=sys.stderr)
    content = sys.stdin.buffer.read()
    try:
        decoded = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(f"standard input is not UTF-8 text: byte {error.start} does not fit") from None
    if not decoded.strip():
        raise ValueError("standard input holds no text")
    return decoded.replace("\r\n", "\n").replace("\r", "\n")
