"""How often each token of a text occurs, counted in bounded memory.

Characters are few: one table has a place for each of Unicode's code points. Words are not: a gigabyte of text can hold
millions of different ones, most of them once or twice. When more than MOST_WORDS are in memory, the rarer half of them
go into temporary files, each word into the one that its hash chooses, as often as it was counted. At the end the files
are counted one by one: all that was written of a word is in one file, and a file has few different words. So the counts
are exact, and memory does not grow with the text (Knuth, The Art of Computer Programming, volume 3, section 6.5, for
distribution by hashing).
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import repeat

import numpy as np

from numpylm.data.text import NUM_CODE_POINTS, code_points

MOST_WORDS = 2**20  # different ones in memory: about 150 MiB
NUM_FILES = 64


def character_counts(pieces: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Pairs (character, count)."""
    counts = np.zeros(NUM_CODE_POINTS, np.int64)
    for piece in pieces:
        found = np.bincount(code_points(piece))
        counts[: len(found)] += found
    return ((chr(code), int(counts[code])) for code in np.flatnonzero(counts))


@contextmanager
def word_counts(pieces: Iterable[str], folder) -> Iterator[Iterator[tuple[str, int]]]:
    """A context with pairs (word, count), to be read once; the pieces end between words. Where there are too many
    different words, temporary files go into the folder, and out of it at the context's end.
    """
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        files = []
        for piece in pieces:
            counts.update(piece.split())
            if len(counts) > MOST_WORDS:
                files = files or [stack.enter_context(_temporary_text(folder)) for _ in range(NUM_FILES)]
                counts = _spill(counts, files)
        yield _with_spilled(counts, files)


def _temporary_text(folder):
    return tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=folder)


def _spill(counts, files) -> Counter[str]:
    """Writes the rarer words into the files; the Counter of the others."""
    rare = np.median(np.fromiter(counts.values(), int))
    words_of_file: list[list[str]] = [[] for _ in files]
    kept = Counter()
    for word, count in counts.items():
        if count <= rare:
            words_of_file[hash(word) % len(files)].extend(repeat(word, count))
        else:
            kept[word] = count
    for file, words in zip(files, words_of_file, strict=True):
        file.write(" ".join(words) + "\n")
    return kept


def _with_spilled(counts, files) -> Iterator[tuple[str, int]]:
    for file in files:
        file.seek(0)
        spilled: Counter[str] = Counter()
        for line in file:
            spilled.update(line.split())
        for word, count in spilled.items():
            yield word, count + counts.pop(word, 0)
    yield from counts.items()
