"""Corpora: a training, a validation and a test text from the built-in grammar, a text file or a folder.

    "grammar"   text drawn from a probabilistic grammar (`numpylm.data.grammar`), the same at every call; its
                entropy is known, so it comes with the floor that no model's mean loss can get below
    a file      one text, cut in order into three parts
    a folder    three text files whose names say train, valid (or validation, val, dev) and test, as in
                train.txt, ptb.valid.txt, wiki.test.tokens

In a folder of WikiText (wiki.train.tokens, …) every line ends in <eos> at level "word", blank lines too. The published
perplexities count so, and ours can be compared with them.

The word "grammar" always means the built-in corpus; a file or folder of that name is given as ./grammar.
"""

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from numpylm.base import require
from numpylm.data.text import SPECIAL_TOKENS
from numpylm.data.text_files import read_text, split_pieces

GRAMMAR = "grammar"
GRAMMAR_WORDS = (1_000_000, 50_000, 50_000)  # train, valid, test
GRAMMAR_SEEDS = (1, 2, 3)
DEFAULT_FRACTIONS = (0.8, 0.1, 0.1)
PART_NAMES = {"train": ("train", "training"), "valid": ("valid", "validation", "val", "dev"), "test": ("test",)}
TEXTS = ("train.txt", "wiki.train.tokens", "wiki.train.raw")  # names of a folder's training texts


@dataclass(frozen=True)
class Corpus:
    """Three texts; `floor` maps "char" and "word" to the entropy in nats per token, where that is known.

    `ends_blank_lines` says whether a blank line gives an <eos> at level "word", for `text.build_vocabulary`.
    """

    name: str
    train: str = field(repr=False)
    valid: str = field(repr=False)
    test: str = field(repr=False)
    floor: dict[str, float] | None = None
    ends_blank_lines: bool = False


def load_corpus(source, level="char", fractions=DEFAULT_FRACTIONS, grammar_words=GRAMMAR_WORDS):
    """The corpus that `source` names: "grammar", the path of a text file, or the path of a folder.

    `fractions` are the shares of train, valid and test in a file's characters; at level "word" each cut is
    moved to the next line end, so that no line is cut. `grammar_words` are the sizes of the built-in parts, each of
    which has its own fixed seed.
    Raises FileNotFoundError if there is no such source, ValueError if a part is missing or has no text.
    """
    require.one_of("level", level, SPECIAL_TOKENS)
    if not isinstance(source, (str, Path)) or not str(source):
        raise ValueError(f'a corpus is "{GRAMMAR}", a text file or a folder, got {source!r}')
    path = Path(source)
    if source == GRAMMAR:
        from numpylm.data import grammar

        floor = {"char": grammar.entropy_per_character(), "word": grammar.entropy_per_word()}
        corpus = Corpus(GRAMMAR, *map(grammar.generate_text, grammar_words, GRAMMAR_SEEDS), floor)
    elif path.is_dir():
        files = find_parts(path)
        corpus = Corpus(path.resolve().name, *map(read_text, files), ends_blank_lines=is_wikitext(files))
    elif path.exists():
        corpus = Corpus(path.stem, *split_text(read_text(path), level, fractions))
    else:
        raise FileNotFoundError(f'{source} is neither "{GRAMMAR}" nor a text file nor a folder')
    lengths = {part: len(getattr(corpus, part).strip()) for part in PART_NAMES}
    check_parts(lengths, "characters", f" of the corpus {corpus.name}")
    return corpus


def is_wikitext(files):
    """Whether a folder's parts have WikiText's names: wiki.train.tokens, wiki.valid.tokens, wiki.test.tokens."""
    return all(file.name.startswith("wiki.") and file.name.endswith(".tokens") for file in files)


def split_text(text, level="char", fractions=DEFAULT_FRACTIONS):
    """A text's train, valid and test part, in order; together they are the text. They end at its cut_points; at level
    "word" each cut moves to the next line end, or where none is near to the next white space.

    With a share of 0 for valid, the test part serves as both, as is usual for Tiny Shakespeare. Then the checkpoint was
    chosen by the test text, and the result on it is a little too good.
    """
    parts = ["", "", ""]
    for part, piece in split_pieces([text], cut_points(len(text), fractions), level):
        parts[part] += piece
    train, valid, test = parts
    return train, valid if fractions[1] else test, test


def cut_points(num_characters, fractions, train_may_be_zero=False):
    """Where a text of n characters is cut: floor(train n) and floor((train + valid) n), computed exactly.

    Raises ValueError unless the fractions are three that sum to 1, and none is 0 but that of valid (and of train, if it
    may).
    """
    shares = [Fraction(str(fraction)) for fraction in fractions]  # exact: 0.7 + 0.2 of ten characters are nine
    in_range = len(shares) == 3 and min(shares) >= 0 and (shares[0] > 0 or train_may_be_zero) and shares[2] > 0
    if not in_range or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(
            "fractions are three numbers (train, valid, test) that sum to 1, of which only valid may be 0, "
            f"got {fractions}"
        )
    return [math.floor(share * num_characters) for share in accumulate(shares[:2])]


def find_parts(folder, names=TEXTS, parts=tuple(PART_NAMES), hint=""):
    """The folder's only file of each part, such as its train, valid and test text.

    `names` are names that a training file may have; the files end as they do. Raises ValueError with the hint unless
    there is exactly one file of each part.
    """
    visible = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    endings = tuple(name.partition("train")[2].lower() for name in names)
    found = {part: [file for file in visible if part_of(file.name, endings) == part] for part in parts}
    if all(len(files) == 1 for files in found.values()):
        return [file for (file,) in found.values()]
    listed = "; ".join(f"{part}: {[file.name for file in files]}" for part, files in found.items())
    raise ValueError(
        f"{folder} must have exactly one file each for {', '.join(parts)} (validation may be valid, val or dev), with "
        f"names like {', '.join(names)}; it has {listed}; all its files: {[file.name for file in visible]}{hint}"
    )


def part_of(file_name, endings):
    """Which part a file stands for: "ptb.train.txt" -> "train", "test2016.de" -> "test", else None."""
    name = file_name.lower()
    words = re.split(r"[ ._-]|(?=\d{4})", name)
    parts = [part for part, names in PART_NAMES.items() if any(word in names for word in words)]
    return parts[0] if name.endswith(endings) and len(parts) == 1 and "readme" not in words else None


def check_parts(lengths, unit, of=""):
    """Raise ValueError if a part has no text. lengths has, in the unit, how long each part is that must have one."""
    for part, length in lengths.items():
        if not length:
            counts = ", ".join(f"{part} has {length}" for part, length in lengths.items())
            raise ValueError(f"the {part} part{of} has no text; in {unit}, {counts}: give a longer text")
