"""Pairs of sentences to translate between: read from files, split, and put into padded batches.

    two files      line k of the one is the translation of line k of the other: a.de, a.en
    one file       with a tab between a sentence and its translation in each line; further columns are ignored
    a folder       train, valid (or val, dev) and test pairs: train.tsv, … or train.de and train.en, …

Files may be compressed with gzip. Lines are UTF-8 and already tokenised: a word is what stands between spaces. A single
file, or two, is split by distinct source sentences, so that no source sentence is in two parts.
"""

import gzip
import io
import zlib
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from numpylm.data.batches import side_by_side
from numpylm.data.corpora import PART_NAMES
from numpylm.data.grammar.pairs import Pair
from numpylm.data.text import encoder
from numpylm.data.text_files import TextFile, open_text, read_pieces

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
        parts = ["test"] if to_test else PART_NAMES
        return {part: read_part(Path(train), part, source, target) for part in parts}
    if train is not None and source is not None:
        raise ValueError(f"{train} is one file, which holds both languages: leave out --source and --target")
    pairs = read_two_files(source, target) if train is None else read_tab_separated(train)
    return {"test": pairs} if to_test else split_pairs(pairs)


def read_part(folder, part, source, target):
    """One part of a folder: PART.tsv, or PART.source and PART.target."""
    if source is None:
        return read_tab_separated(find_part(folder, part, "tsv"))
    return read_two_files(*[find_part(folder, part, Path(side).name.removeprefix(".")) for side in (source, target)])


def find_part(folder, part, ending):
    """The only file in a folder whose name begins with a part's name and ends in .ending or .ending.gz."""
    beginnings, endings = PART_NAMES[part], (f".{ending}", f".{ending}.gz")
    names = sorted(path.name for path in folder.iterdir())
    found = [name for name in names if name.lower().startswith(beginnings) and name.endswith(endings)]
    if len(found) == 1:
        return folder / found[0]
    hint = "; where the pairs are in two files each, say their endings: --source de --target en"
    raise ValueError(
        f"{folder} must have one file {'/'.join(beginnings)}….{ending}[.gz]; found {', '.join(found) or 'none'}"
        + (hint if ending == "tsv" else "")
    )


def read_two_files(source, target):
    """Pairs of the lines of two files. Raises ValueError if they have different numbers of lines, or an empty one."""
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        raise ValueError(
            f"{source} has {len(sources):,} lines and {target} has {len(targets):,}: "
            f"line {min(len(sources), len(targets)) + 1:,} is the first without a partner"
        )
    return checked(zip(sources, targets, strict=True), f"{source} and {target}")


def read_tab_separated(path):
    """Pairs of a file with a tab between a sentence and its translation."""
    rows = [line.split("\t")[:2] for line in read_lines(path)]
    for number, row in enumerate(rows, start=1):
        if len(row) < 2:
            raise ValueError(f"{path}, line {number}: expected a sentence, a tab and its translation; got no tab")
    return checked(rows, path)


def checked(rows, name):
    """The Pairs of rows of two sentences, with single spaces. Raises ValueError where one has an empty side."""
    pairs = [Pair(*(" ".join(side.split()) for side in row)) for row in rows]
    for number, pair in enumerate(pairs, start=1):
        if "" in pair:
            side = Pair._fields[pair.index("")]
            raise ValueError(f"{name}, line {number}: the {side} is empty; a pair needs two sentences")
    return pairs


def read_lines(path):
    """The lines of a UTF-8 file, which may be compressed with gzip. Raises what text_files.read_text does."""
    with open_text(path).stream as stream:
        content = stream.read()
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file: {error}") from None
    text = "".join(read_pieces([TextFile(str(path), io.BytesIO(content))]))
    return text.removesuffix("\n").split("\n")


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
