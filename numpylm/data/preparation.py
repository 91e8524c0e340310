"""From texts of any size to a token file, in bounded memory.

    length       how many characters there are, to know where train, valid and test are cut    (one text only)
    counting     the tokens of the training part, to choose the vocabulary                     (none given only)
    encoding     every token's id, into the file

are passes over the text, piece by piece (text_files.py). The tokens are those of `corpora.load_corpus`,
`text.build_vocabulary` on its training part, and `text.encode_stream`: training on a token file is training on its
text.

Counts are exact. Characters are few: one table has a place for each of Unicode's code points. Words are not: a gigabyte
of text can hold millions of different ones. When more than MOST_WORDS are in memory, they go with their counts into a
temporary SQLite database, which adds up the counts of a word at the end. If it grows, it lies on disk; it vanishes with
its process.
"""

import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import ExitStack, closing, contextmanager, nullcontext
from itertools import chain, compress
from pathlib import Path

import numpy as np

from numpylm.data.atomic import one_error
from numpylm.data.corpora import check_parts, cut_points, is_wikitext
from numpylm.data.text import NUM_CODE_POINTS, check_limits, code_points, encoder, vocabulary_of_counts
from numpylm.data.text_files import TextFile, open_text, read_pieces, split_pieces
from numpylm.data.token_file import PARTS, write_token_file

MOST_WORDS = 2**20  # different ones in memory: about 150 MiB
DISK_HINT = "words are counted in a temporary file there; free some space, or set TMPDIR to another folder"


def prepare(
    files, out, level, fractions=None, min_count=1, max_size=None,
    vocabulary=None, progress=lambda task, size: nullcontext(bool),
):  # fmt: skip
    """Write the token file `out` of one text, that of the TextFiles one after the other, cut in three by fractions.

    Without fractions the files are three: train, valid and test.
    `vocabulary` is an existing one to encode with (then the training part may be empty); else it is built from the
    training part, as `text.build_vocabulary` does. `progress(task, size)` is a context for each pass over size
    bytes. It gives a function, which we call with the number of bytes of each piece.
    Raises ValueError for bad settings, for a file that is empty or not UTF-8, for a part without tokens, and for too
    many different words.
    """
    check_limits(level, min_count, max_size)
    if vocabulary is not None and vocabulary.level != level:
        raise ValueError(f"the vocabulary is one of {vocabulary.level}s, and level {level!r} was asked for")
    size = sum(os.fstat(file.stream.fileno()).st_size for file in files)
    needed, length, cuts = PARTS, None, []
    if fractions is not None:
        cut_points(0, fractions, vocabulary is not None)  # raises ValueError before the text is read
        needed = [*compress(PARTS, fractions)]
        with progress("length", size) as on_bytes:
            length = sum(map(len, read_pieces(files, on_bytes)))
        cuts = cut_points(length, fractions, vocabulary is not None)
    if vocabulary is None:
        ends_blank_lines = fractions is None and is_wikitext([Path(file.name) for file in files])
        with progress("counting", size) as on_bytes:
            training = (piece for part, piece in _read(files, cuts, level, on_bytes) if part == 0)
            counts = character_counts(training) if level == "char" else word_counts(training)
            vocabulary = vocabulary_of_counts(level, counts, min_count, max_size, ends_blank_lines)
    with progress("encoding", size) as on_bytes:
        pieces = _encoded(_read(files, cuts, level, on_bytes), vocabulary, needed, length)
        write_token_file(out, vocabulary, pieces, valid_is_test="valid" not in needed)


def _read(files, cuts, level, on_bytes):
    """Pairs (number of the part, piece of its text) of the files' one text with its cuts; without cuts a file is a
    part."""
    for number, of_text in enumerate([files] if cuts else [[file] for file in files]):
        for part, piece in split_pieces(read_pieces(of_text, on_bytes), cuts, level):
            yield number + part, piece


def _encoded(pieces, vocabulary, needed, length):
    """Triples (number of the part, ids, number of characters). Raises ValueError for a needed part without tokens, and
    for a text whose length is another one now."""
    encode, lengths, total = encoder(vocabulary), dict.fromkeys(needed, 0), 0
    for part, piece in pieces:
        ids = encode(piece)
        lengths[PARTS[part]] += len(ids)
        total += len(piece)
        yield part, ids, len(piece)
    if length not in (None, total):
        raise ValueError(f"the text changed while it was read: it had {length} characters, now {total}")
    check_parts(lengths, "tokens")


def character_counts(pieces):
    """Pairs (character, count)."""
    counts = np.zeros(NUM_CODE_POINTS, np.int64)
    for piece in pieces:
        found = np.bincount(code_points(piece))
        counts[: len(found)] += found
    return ((chr(code), int(counts[code])) for code in np.flatnonzero(counts))


def word_counts(pieces):
    """Pairs (word, count), each word once. The pieces end between words."""
    counts = Counter()
    no_space = one_error(tempfile.gettempdir(), DISK_HINT, catch=sqlite3.Error)
    with closing(sqlite3.connect("")) as database, no_space:  # "" is a temporary file of SQLite's own
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("CREATE TABLE counts (word TEXT, count INTEGER)")
        for piece in chain(pieces, [""]):
            counts.update(piece.split())
            if len(counts) > MOST_WORDS or not piece:
                database.executemany("INSERT INTO counts VALUES (?, ?)", counts.items())
                counts.clear()
        yield from database.execute("SELECT word, SUM(count) FROM counts GROUP BY word")


@contextmanager
def open_texts(names, folder, standard_input):
    """The TextFiles of some names, open while the context lasts; - stands for standard input.

    Standard input is copied into a nameless temporary file in the folder, because each pass reads it again.
    Raises what text_files.open_text does.
    """
    with ExitStack() as stack:
        files = []
        for name in names:
            if name == "-":
                copy = stack.enter_context(tempfile.TemporaryFile(dir=folder))
                with one_error(folder, "standard input is copied there; free some space", catch=OSError):
                    shutil.copyfileobj(standard_input, copy, 2**20)
                    copy.flush()
                files.append(TextFile("standard input", copy))
            else:
                files.append(open_text(name))
                stack.enter_context(files[-1].stream)
        yield files
