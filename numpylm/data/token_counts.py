"""How often each token of a text occurs, counted exactly and in bounded memory.

Characters are few: one table has a place for each of Unicode's code points. Words are not: a gigabyte of text can hold
millions of different ones. When more than MOST_WORDS are in memory, they go with their counts into a temporary SQLite
database, which adds up the counts of a word at the end. The database lies on disk and vanishes with its process.
"""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing

import numpy as np

from numpylm.data.atomic import one_error
from numpylm.data.text import NUM_CODE_POINTS, code_points

MOST_WORDS = 2**20  # different ones in memory: about 150 MiB


def character_counts(pieces: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Pairs (character, count)."""
    counts = np.zeros(NUM_CODE_POINTS, np.int64)
    for piece in pieces:
        found = np.bincount(code_points(piece))
        counts[: len(found)] += found
    return ((chr(code), int(counts[code])) for code in np.flatnonzero(counts))


def word_counts(pieces: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Pairs (word, count), each word once. The pieces end between words."""
    counts: Counter[str] = Counter()
    with closing(sqlite3.connect("")) as database:  # "" is a temporary file of SQLite's own
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("CREATE TABLE counts (word TEXT, count INTEGER)")
        for piece in pieces:
            counts.update(piece.split())
            if len(counts) > MOST_WORDS:
                _store(database, counts)
        if database.total_changes == 0:
            yield from counts.items()
            return
        _store(database, counts)
        with _disk_errors():
            yield from database.execute("SELECT word, SUM(count) FROM counts GROUP BY word")


def _store(database, counts: Counter[str]) -> None:
    with _disk_errors():
        database.executemany("INSERT INTO counts VALUES (?, ?)", counts.items())
    counts.clear()


def _disk_errors():
    hint = "words are counted in a temporary file there; free some space, or set TMPDIR to another folder"
    return one_error(tempfile.gettempdir(), hint, catch=sqlite3.Error)
