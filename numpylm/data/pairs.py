"""Pairs of sentences to translate between: built in, or read from files and split; and padded batches of them.

Built in are English sentences of ENGLISH, each with its Chinese one. Training, validation and test sentences have at
most 20 English words. Two more test parts are longer: 21 to 30 words and 31 to 40. No sentence, English or Chinese, is
in two parts, nor twice in one. One seed gives the same text everywhere: only `random.Random(seed).random()` is used.
Or they are read from

    two files      line k of the one is the translation of line k of the other: a.de, a.en
    one file       with a tab between a sentence and its translation in each line; further columns are ignored
    a folder       train, valid (or val, dev) and test pairs: train.tsv, … or train.de and train.en, …

Files may be compressed with gzip. Lines are UTF-8 and already tokenised: a word is what stands between spaces. A single
file, or two, is split by distinct source sentences, so that no source sentence is in two parts.
"""

import math
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from numpylm.base import require
from numpylm.data.batches import side_by_side
from numpylm.data.corpora import PART_NAMES, find_parts
from numpylm.data.grammar import sample_sentence
from numpylm.data.grammar.chinese import translate
from numpylm.data.text import encoder
from numpylm.data.text_files import read_lines, read_rows

BANDS = {"21-30 words": (21, 30), "31-40 words": (31, 40)}
LENGTHS = dict.fromkeys(("test", "valid", "train"), (1, 20)) | BANDS  # of the English; we fill the parts in this order
SHARE = 0.05  # of the distinct source sentences of a single file: valid, and as much for test


class Pair(NamedTuple):
    """A sentence and its translation, each one line of text."""

    source: str
    target: str


class PairBatch(NamedTuple):
    """source (T_x, N) and its mask; inputs and targets (T_y, N). Padding is 0, False, 0 and -1."""

    source: np.ndarray
    source_mask: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray


def grammar_pairs(num_train, num_valid=500, num_test=500, num_longer=200, seed=1, level="word"):
    """The parts of the corpus by name, each a list of Pairs: test, valid, train, and the BANDS.

    level is how the Chinese is written: "word" with spaces between the words, "char" without.
    """
    wanted = {"test": num_test, "valid": num_valid, "train": num_train, **dict.fromkeys(BANDS, num_longer)}
    pairs = {name: [] for name in wanted}
    between = " " if level == "word" else ""
    rng, seen = Random(seed), set()
    while have_room := [name for name in LENGTHS if len(pairs[name]) < wanted[name]]:
        words = sample_sentence(rng)
        source = " ".join(words)
        fitting = [name for name in have_room if LENGTHS[name][0] <= len(words) <= LENGTHS[name][1]]
        if not fitting or source in seen:
            continue
        target = between.join(translate(words))
        if target not in seen:
            seen |= {source, target}
            pairs[fitting[0]].append(Pair(source, target))
    return pairs


def read_pairs(train=None, source=None, target=None, to_test=False):
    """{"train": Pairs, "valid": …, "test": …} of a tab-separated file or a folder (train), or of two files.

    With a folder, source and target are the endings of its files' names, such as "de" and "en".
    to_test: all pairs of one file, or two, are "test", and of a folder no other part is read.
    Raises FileNotFoundError, and ValueError for files that do not hold pairs.
    """
    if (source is None) != (target is None):
        raise ValueError("--source and --target belong together: give both")
    if train is not None and Path(train).is_dir():
        return read_folder(Path(train), source, target, ["test"] if to_test else list(PART_NAMES))
    if train is not None and source is not None:
        raise ValueError(f"{train} is one file, which holds both languages: leave out --source and --target")
    pairs = read_two_files(source, target) if train is None else read_tab_separated(train)
    return {"test": pairs} if to_test else split_pairs(pairs)


def read_folder(folder, source, target, parts):
    """These parts of a folder, from its files PART.tsv, or PART.source and PART.target."""
    hint = "; where the pairs are in two files each, say their endings: --source de --target en" * (source is None)
    endings = ["tsv"] if source is None else [Path(side).name.removeprefix(".") for side in (source, target)]
    files = [find_parts(folder, (f"train.{ending}", f"train.{ending}.gz"), parts, hint) for ending in endings]
    read = read_tab_separated if source is None else read_two_files
    return {part: read(*of_part) for part, of_part in zip(parts, zip(*files, strict=True), strict=True)}


def read_two_files(source, target):
    """Pairs of the lines of two files. Raises ValueError if they have different numbers of lines, or an empty one."""
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        raise ValueError(
            f"{source} has {len(sources):,} lines and {target} has {len(targets):,}: "
            f"line {min(len(sources), len(targets)) + 1:,} is the first without a partner"
        )
    sides = enumerate(zip(sources, targets, strict=True), start=1)
    return [pair_of(f"{source} and {target}, line {number}", *of_line) for number, of_line in sides]


def read_tab_separated(path):
    """Pairs of a file with a tab between a sentence and its translation."""
    rows = read_rows(path, "a sentence, a tab and its translation", 2, math.inf)
    return [pair_of(where, *fields[:2]) for where, fields in rows]


def pair_of(where, *sides):
    """The Pair of two sentences, with single spaces. Raises ValueError where one is empty."""
    pair = Pair(*(" ".join(side.split()) for side in sides))
    for name, side in pair._asdict().items():
        require.expect(f"{where}: the {name}", side, side, "a sentence")
    return pair


def split_pairs(pairs, seed=0):
    """Train, valid and test parts by distinct source sentences, shuffled by the seed. ValueError for too few."""
    sources = list(dict.fromkeys(pair.source for pair in pairs))
    if len(sources) < 3:
        raise ValueError(f"three parts need three different source sentences or more; got {len(sources)}")
    Random(seed).shuffle(sources)
    num = max(1, round(SHARE * len(sources)))
    part_of = dict.fromkeys(sources[:num], "valid") | dict.fromkeys(sources[num : 2 * num], "test")
    return {part: [pair for pair in pairs if part_of.get(pair.source, "train") == part] for part in PART_NAMES}


def encode_lines(vocabulary, lines):
    """The ids of each line, its end included: a list of integer arrays."""
    encode = encoder(vocabulary)
    return [encode(line + "\n").astype(int) for line in lines]


def pad(sources, targets, start):
    """The PairBatch of N sentences' ids; the decoder's first input is the id start."""
    source = side_by_side(sources, -1)
    inputs = side_by_side([[start, *target[:-1]] for target in targets], 0)
    return PairBatch(np.maximum(source, 0), source >= 0, inputs, side_by_side(targets, -1))
