"""How often each token of a text occurs, counted in bounded memory.

Characters are few: one table has a place for each of Unicode's code points. Words are not: a gigabyte of text can hold
millions of different ones, most of them once or twice. When more than MOST_WORDS are in memory, they are written to a
temporary file in sorted order, with their counts, and counting begins anew; at the end the sorted files are merged, and
the counts of the same word added (external merge sort; Knuth, The Art of Computer Programming, volume 3, section 5.4).
So the counts are exact, and memory holds MOST_WORDS words, whatever the text's length.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from heapq import merge
from itertools import groupby
from operator import itemgetter

import numpy as np

from numpylm.text import NUM_CODE_POINTS, code_points

MOST_WORDS = 2**19  # different ones in memory: about 100 MiB


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
    with ExitStack() as files:
        runs = []
        for piece in pieces:
            counts.update(piece.split())
            if len(counts) > MOST_WORDS:
                run = files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=folder))
                runs.append(run)
                _write_sorted(run, counts)
                counts.clear()
        yield _added(merge(*map(_read, runs), _sorted_items(counts))) if runs else iter(counts.items())


def _sorted_items(counts) -> Iterator[tuple[str, int]]:
    return ((word, counts[word]) for word in sorted(counts))


def _write_sorted(file, counts) -> None:
    file.writelines(f"{word} {count}\n" for word, count in _sorted_items(counts))


def _read(file) -> Iterator[tuple[str, int]]:
    file.seek(0)
    for line in file:
        word, _, count = line.rpartition(" ")
        yield word, int(count)


def _added(pairs) -> Iterator[tuple[str, int]]:
    for word, same in groupby(pairs, key=itemgetter(0)):
        yield word, sum(count for _, count in same)
