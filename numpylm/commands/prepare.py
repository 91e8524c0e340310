"""The prepare command: from texts of any size to a token file, which train and evaluate then stream from."""

import sys
from pathlib import Path

from numpylm.commands.console import byte_bar, program, quoted
from numpylm.commands.run_folder import check_new_file
from numpylm.commands.train import note_lines_without_spaces
from numpylm.commands.trained import invite_typing, load_trained
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
    add = parser.add_argument
    add("texts", nargs="+", metavar="TEXT", help="UTF-8 files, taken as one text, or - for standard input; or a folder "
        "with train, valid and test")  # fmt: skip
    add("--out", metavar="FILE", help="a new file (the text's name, with .tokens for its suffix)")
    add("--level", choices=("char", "word"), help="tokens (char for a text, word for a folder)")
    add("--min-count", type=int, default=1, metavar="K", help="rarer tokens become <unk> (1)")
    add("--max-vocabulary", type=int, metavar="V", help="the most frequent tokens only (all)")
    add("--split", nargs=3, type=float, metavar=("TRAIN", "VALID", "TEST"),
        help="shares of the text, in order; with 0 for validation the test part is used for both (0.8 0.1 0.1). "
        "Of a large text a small share is enough to validate and test on: 0.998 0.001 0.001")  # fmt: skip
    add("--vocabulary", metavar="RUN", help="the vocabulary of a run, a checkpoint or a token file in place of a new "
        "one; with --split 0 0 1 the whole text is there to evaluate on")  # fmt: skip


def run(options):
    texts = options.texts
    vocabulary = None if options.vocabulary is None else known_vocabulary(options)
    is_folder = len(texts) == 1 and texts[0] != "-" and Path(texts[0]).is_dir()
    out = target(options, is_folder)
    level = options.level or (vocabulary.level if vocabulary else "word" if is_folder else "char")
    if is_folder and options.split is not None:
        raise ValueError(f"--split cuts one text; {texts[0]} has its three parts already")
    if is_folder:
        texts, split = map(str, find_parts(Path(texts[0]))), None
    else:
        if texts.count("-") > 1:
            raise ValueError("standard input, -, can be read once only")
        if "-" in texts:
            invite_typing()
        for name in filter(is_token_file, texts):
            raise ValueError(f"{name} is a token file already; prepare takes texts")
        split = options.split or DEFAULT_FRACTIONS
    with open_texts(texts, out.parent, sys.stdin and sys.stdin.buffer) as files:
        prepare_files(files, out, level, split, options.min_count, options.max_vocabulary, vocabulary, byte_bar)
    file = open_token_file(out)
    known, counts = file.vocabulary, [f"{max(0, len(stream) - 1):,} {part}" for part, stream in file.tokens.items()]
    note_lines_without_spaces(known, file.tokens["train"])
    print(f"{out}: tokens are {known.level}s, V = {len(known)}, {file.tokens['train'].dtype}\n  {', '.join(counts)}")
    print(f"train on it with\n  {program()} train --corpus {quoted(out)}")


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
    return check_new_file(beside if options.out is None else options.out)
