"""The prepare command: from texts of any size to a token file, which train and evaluate then stream from."""

import sys
from pathlib import Path

from numpylm.commands.console import byte_bar, program, quoted
from numpylm.commands.run_folder import RunError
from numpylm.commands.train import note_lines_without_spaces
from numpylm.commands.trained import load_trained
from numpylm.data.corpora import DEFAULT_FRACTIONS, find_parts
from numpylm.data.preparation import open_texts
from numpylm.data.preparation import prepare as prepare_files
from numpylm.data.token_file import is_token_file, open_token_file

SUFFIX = ".tokens"
DESCRIPTION = (
    "Turn texts of any size into a token file, in little memory. Then train --corpus "
    "FILE and evaluate RUN FILE stream from it."
)


def add_options(parser):
    """TEXT …, the new file, and how the text is cut and counted."""
    parser.add_argument(
        "texts", nargs="+", metavar="TEXT",
        help="UTF-8 files, taken as one text, or - for standard input; or a folder with train, valid and test",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE", help="a new file (the text's name, with .tokens for its suffix)")
    parser.add_argument("--level", choices=("char", "word"), help="tokens (char for a text, word for a folder)")
    parser.add_argument("--min-count", type=int, default=1, metavar="K", help="rarer tokens become <unk> (1)")
    parser.add_argument("--max-vocabulary", type=int, metavar="V", help="the most frequent tokens only (all)")
    parser.add_argument(
        "--split", nargs=3, type=float, metavar=("TRAIN", "VALID", "TEST"),
        help="shares of the text, in order; with 0 for validation the test part is used for both (0.8 0.1 0.1). "
        "Of a large text a small share is enough to validate and test on: 0.998 0.001 0.001",
    )  # fmt: skip
    parser.add_argument(
        "--vocabulary", metavar="RUN",
        help="the vocabulary of a run, a checkpoint or a token file in place of a new one; with --split 0 0 1 the "
        "whole text is there to evaluate on",
    )  # fmt: skip


def run(options):
    """numpylm prepare"""
    vocabulary = None if options.vocabulary is None else known_vocabulary(options)
    is_folder = len(options.texts) == 1 and options.texts[0] != "-" and Path(options.texts[0]).is_dir()
    out = target(options, is_folder)
    level = options.level or (vocabulary.level if vocabulary else "word" if is_folder else "char")
    choices = (options.min_count, options.max_vocabulary, vocabulary, byte_bar)
    if is_folder:
        if options.split is not None:
            raise ValueError(f"--split cuts one text; {options.texts[0]} has its three parts already")
        with open_texts(map(str, find_parts(Path(options.texts[0]))), out.parent, None) as files:
            prepare_files(files, out, level, None, *choices)
    else:
        check_sources(options.texts)
        with open_texts(options.texts, out.parent, sys.stdin.buffer) as files:
            prepare_files(files, out, level, options.split or DEFAULT_FRACTIONS, *choices)
    print_prepared(out)


def check_sources(names):
    """Raises ValueError for names that cannot be read as one text."""
    if names.count("-") > 1:
        raise ValueError("standard input, -, can be read once only")
    if "-" in names and sys.stdin.isatty():
        print("type or paste the text; end it with Ctrl-D (Windows: Ctrl-Z, Enter)", file=sys.stderr)
    prepared = [name for name in names if is_token_file(name)]
    if prepared:
        raise ValueError(f"{prepared[0]} is a token file already; prepare takes texts")


def known_vocabulary(options):
    """The vocabulary of a token file, a run or a checkpoint. Raises ValueError for options that would be ignored."""
    if options.min_count != 1 or options.max_vocabulary is not None:
        raise ValueError("--vocabulary brings its own words; leave out --min-count and --max-vocabulary")
    if is_token_file(options.vocabulary):
        return open_token_file(options.vocabulary).vocabulary
    return load_trained(options.vocabulary).vocabulary


def target(options, is_folder):
    """The new file: --out, or the text's name with another suffix. Raises RunError if it exists, or has no folder."""
    if options.out is None and (options.texts[0] == "-" or len(options.texts) > 1):
        raise ValueError("name the token file to write: --out FILE.tokens")
    text = Path(options.texts[0])
    beside = text.with_name(text.resolve().name + SUFFIX) if is_folder else text.with_suffix(SUFFIX)
    out = Path(options.out) if options.out is not None else beside
    if out.exists():
        raise RunError(f"{out} exists already; name a new file (--out)")
    if not out.parent.is_dir():
        raise RunError(f"{out} cannot be written: there is no folder {out.parent}")
    return out


def print_prepared(out):
    """Prints what is in a token file, and how to train on it."""
    file = open_token_file(out)
    unit = file.vocabulary.level
    counts = ", ".join(f"{max(0, len(stream) - 1):,} {part}" for part, stream in file.tokens.items())
    note_lines_without_spaces(file.vocabulary, file.tokens["train"])
    print(f"{out}: tokens are {unit}s, V = {len(file.vocabulary)}, {file.tokens['train'].dtype}\n  {counts}")
    print(f"train on it with\n  {program()} train --corpus {quoted(out)}")
