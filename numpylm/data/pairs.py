"""Pairs of sentences to translate between: read from files, split, and put into padded batches.

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

from numpylm import require
from numpylm.data.batches import side_by_side
from numpylm.data.corpora import PART_NAMES, find_parts
from numpylm.data.grammar.pairs import Pair
from numpylm.data.text import encoder
from numpylm.data.text_files import read_lines, read_rows

SHARE = 0.05  # of the distinct source sentences of a single file: valid, and as much for test


class PairBatch(NamedTuple):
    """source (T_x, N) and its mask; inputs and targets (T_y, N). Padding is 0, False, 0 and -1."""

    source: np.ndarray
    source_mask: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray


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
