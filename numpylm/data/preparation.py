"""From texts of any size to a token file, in bounded memory.

    length       how many characters there are, to know where train, valid and test are cut    (one text only)
    counting     the tokens of the training part, to choose the vocabulary                     (none given only)
    encoding     every token's id, into the file

are passes over the text, piece by piece (text_pieces.py). What cannot be read twice, such as standard input or a pipe,
is first copied into a temporary file beside the new one. The tokens are those of `corpora.load_corpus`,
`text.build_vocabulary` on its training part, and `text.encode_stream`: training on a token file is training on its
text.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from numpylm.data.corpora import checked_fractions, cut_points
from numpylm.data.text import Vocabulary, check_limits, encoder, vocabulary_of_counts
from numpylm.data.text_pieces import TextFile, read_pieces, split_pieces, whole_words
from numpylm.data.token_counts import character_counts, word_counts
from numpylm.data.token_file import write_token_file
from numpylm.data.token_header import PARTS

Reader = Callable[[Callable], Iterator[tuple[int, str]]]  # on_bytes -> pairs (number of the part, piece of its text)


def prepare_text(
    files: list[TextFile], out, level: str, fractions, min_count=1, max_size=None,
    vocabulary: Vocabulary | None = None, progress=lambda task, size: nullcontext(bool),
):  # fmt: skip
    """Writes the token file `out` of one text, that of the files one after the other, cut in three by fractions.

    `vocabulary` is an existing one to encode with (then the training part may be empty); else it is built from the
    training part, as `text.build_vocabulary` does. `progress(task, size)` is a context for each pass over so many
    bytes, with a function that is called with the number of bytes of each block.
    Raises ValueError for bad settings, for a file that is empty or not UTF-8, and where a part has no token.
    """
    checked_fractions(fractions, train_may_be_zero=vocabulary is not None)
    _check_settings(level, min_count, max_size, vocabulary)
    size = sum(file.path.stat().st_size for file in files)
    with progress("length", size) as on_bytes:
        length = sum(len(piece) for piece in read_pieces(files, on_bytes))
    cuts = cut_points(length, fractions)

    def read(on_bytes):
        return split_pieces(_of_length(length, read_pieces(files, on_bytes)), cuts, level)

    needed = [share > 0 for share in fractions]
    _prepare(read, out, level, min_count, max_size, vocabulary, lambda task: progress(task, size), needed)


def prepare_parts(
    files: list[TextFile], out, level: str, min_count=1, max_size=None,
    vocabulary: Vocabulary | None = None, progress=lambda task, size: nullcontext(bool),
):  # fmt: skip
    """Like `prepare_text`, for three files: train, valid and test."""
    _check_settings(level, min_count, max_size, vocabulary)
    size = sum(file.path.stat().st_size for file in files)

    def read(on_bytes):
        return ((part, piece) for part, file in enumerate(files) for piece in read_pieces([file], on_bytes))

    _prepare(read, out, level, min_count, max_size, vocabulary, lambda task: progress(task, size), [True] * 3)


def _check_settings(level, min_count, max_size, vocabulary) -> None:
    check_limits(level, min_count, max_size)
    if vocabulary is not None and vocabulary.level != level:
        raise ValueError(f"the vocabulary is one of {vocabulary.level}s, and level {level!r} was asked for")


def _of_length(expected: int, pieces) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        yield piece
    if length != expected:
        raise ValueError(f"the text changed while it was read: {expected} characters became {length}")


def _prepare(read: Reader, out, level, min_count, max_size, vocabulary, progress, needed: list[bool]) -> None:
    if vocabulary is None:
        with progress("counting") as on_bytes:
            vocabulary = _count(read(on_bytes), level, min_count, max_size, Path(out).parent)
    with progress("encoding") as on_bytes:
        pieces = _checked(_encoded(read(on_bytes), vocabulary), needed)
        write_token_file(out, vocabulary, pieces, valid_is_test=not needed[1])


def _count(pieces, level: str, min_count: int, max_size, folder: Path) -> Vocabulary:
    length = 0

    def training():
        nonlocal length
        for part, piece in pieces:
            if part == 0:
                length += len(piece)
                yield piece

    if level == "char":
        counted = nullcontext(character_counts(training()))
    else:
        counted = word_counts(whole_words(training()), folder)
    with counted as counts:
        return vocabulary_of_counts(level, counts, min_count, max_size, length)


def _encoded(pieces, vocabulary: Vocabulary) -> Iterator[tuple[int, np.ndarray, int]]:
    encode = encoder(vocabulary)
    for part, same_part in groupby(pieces, key=itemgetter(0)):
        texts: Iterable[str] = (text for _, text in same_part)
        for text in whole_words(texts) if vocabulary.level == "word" else texts:
            yield part, encode(text), len(text)


def _checked(pieces, needed: list[bool]) -> Iterator[tuple[int, np.ndarray, int]]:
    lengths = [0, 0, 0]
    for part, ids, num_characters in pieces:
        lengths[part] += len(ids)
        yield part, ids, num_characters
    for part, length, is_needed in zip(PARTS, lengths, needed, strict=True):
        if is_needed and not length:
            counts = ", ".join(f"{name} has {number}" for name, number in zip(PARTS, lengths, strict=True))
            raise ValueError(f"the {part} part has no text; in tokens, {counts}: give a longer text")


@contextmanager
def readable_twice(name: str, folder: Path, standard_input) -> Iterator[TextFile]:
    """A TextFile of what a name stands for: a file, - for standard input, or a pipe; the last two are copied into a
    temporary file in the folder. Raises FileNotFoundError and IsADirectoryError.
    """
    path = Path(name)
    if name != "-" and path.is_dir():
        raise IsADirectoryError(f"{name} is a folder, expected a text file")
    if name != "-" and not path.exists():
        raise FileNotFoundError(f"there is no file {name}")
    if name != "-" and path.is_file():
        yield TextFile(path, name)
        return
    descriptor, copy = tempfile.mkstemp(".tmp", ".numpylm-", folder)
    try:
        with os.fdopen(descriptor, "wb") as file, ExitStack() as opened:
            source = standard_input if name == "-" else opened.enter_context(open(path, "rb"))
            shutil.copyfileobj(source, file, 2**20)
        yield TextFile(Path(copy), "standard input" if name == "-" else name)
    finally:
        with suppress(OSError):
            os.unlink(copy)
