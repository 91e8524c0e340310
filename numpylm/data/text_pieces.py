r"""A text in pieces: files too large for memory, read, cut in three and broken between words as the whole would be.

    files -> read_pieces -> pieces of some ten thousand characters -> split_pieces -> (part, piece)

The text of several files is one after the other, each as `text.read_text` gives it, and a newline between two where the
first does not end in one. Wherever a file's bytes happen to be divided (within a character, between \r and \n), the
pieces joined are that text; tests cut them everywhere.
"""

import codecs
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import NamedTuple

from numpylm.data.corpora import FAR, next_line_end
from numpylm.data.text import line_ends, not_utf8_message

BLOCK_BYTES = 2**16  # so small that the words of a block are still in the cache when they are counted
LONGEST_WORD = 2**24  # characters without a place to break at; longer ones are no text by words


class TextFile(NamedTuple):
    """A text file: its path, and what the user calls it (standard input is kept in a temporary file)."""

    path: Path
    name: str


def read_pieces(files: list[TextFile], on_bytes: Callable[[int], object] = bool) -> Iterator[str]:
    """The files' text in pieces; `on_bytes(number)` is called for every block of bytes that was read.

    Raises ValueError for a file that is empty or not UTF-8.
    """
    for number, file in enumerate(files, start=1):
        last = ""
        for last in _file_pieces(file, on_bytes):
            yield last
        if not last:
            raise ValueError(f"{file.name} is empty, expected a text")
        if number < len(files) and not last.endswith("\n"):
            yield "\n"


def _file_pieces(file: TextFile, on_bytes) -> Iterator[str]:
    characters = codecs.getincrementaldecoder("utf-8-sig")()
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    block, end = b"-", 0
    with open(file.path, "rb") as stream:
        while block:
            block = stream.read(BLOCK_BYTES)
            end += len(block)
            try:
                piece = newlines.decode(characters.decode(block, final=not block), final=not block)
            except UnicodeDecodeError as error:
                raise ValueError(_not_utf8(file, end - len(error.object) + error.start)) from None
            if piece:
                yield piece
            on_bytes(len(block))


def _not_utf8(file: TextFile, offset: int) -> str:
    num_line_ends, previous = 0, b""
    with open(file.path, "rb") as stream:
        for start in range(0, offset, BLOCK_BYTES):
            block = stream.read(min(BLOCK_BYTES, offset - start))
            num_line_ends += line_ends(previous + block) - line_ends(previous)
            previous = block[-1:]  # \r\n may be divided
        return not_utf8_message(file.name, offset, stream.read(1)[0], num_line_ends)


def whole_words(pieces: Iterable[str]) -> Iterator[str]:
    """The same text, in pieces that `text.split_words` takes one by one: each but the last ends with a line, or
    before a word. Raises ValueError for a word that is too long to be one.
    """
    held = ""
    for piece in pieces:
        held += piece
        cut = _last_break(held)
        if cut:
            yield held[:cut]
        held = held[cut:]
        _check_has_words(held)
    if held:
        yield held


def _check_has_words(held: str) -> None:
    if len(held) > LONGEST_WORD:
        raise ValueError(
            f"there are {len(held):,} characters without a place between two words, from {held.strip()[:20]!r} on: "
            "this is no text by words, take it by characters (--level char)"
        )


def _last_break(text: str) -> int:
    line_end = text.rfind("\n") + 1
    if line_end:
        return line_end
    words = text.rsplit(maxsplit=1)
    return text.rindex(words[-1]) if len(words) == 2 else 0


def split_pieces(pieces: Iterable[str], cuts: list[int], level: str) -> Iterator[tuple[int, str]]:
    """The pieces of a text that is cut as `corpora.split_text` does: pairs (number of the part, piece).

    `cuts` are in characters, from `corpora.cut_points`; at level "word" they move to the next line end.
    """
    held, start = "", 0  # the text from character number start on that cannot be given out yet
    ends: list[int] = []  # the cuts that are settled
    for piece, is_last in chain(zip(pieces, repeat(False)), [("", True)]):
        held += piece
        while len(ends) < len(cuts):
            end = _settled(held, cuts[len(ends)] - start, level, is_last)
            if end is None:
                break
            ends.append(start + end)
        stop = len(held) if len(ends) == len(cuts) else min(len(held), max(0, cuts[len(ends)] - 1 - start))
        yield from _divided(held[:stop], [end - start for end in ends])
        held, start = held[stop:], start + stop
        _check_has_words(held)


def _settled(held: str, cut: int, level: str, is_last: bool) -> int | None:
    """Where the text held is cut, for the cut-th character or the next line end; None before enough of it is known."""
    if level == "char":
        return cut if cut <= len(held) else None
    if is_last:
        return next_line_end(held, cut)
    if len(held) < cut + FAR:
        return None
    end = next_line_end(held, cut)
    return end if end < len(held) else None  # a white space that was not found may come yet


def _divided(text: str, ends: list[int]) -> Iterator[tuple[int, str]]:
    bounds = [0, *(min(max(0, end), len(text)) for end in ends), len(text)]
    for part, (start, stop) in enumerate(pairwise(bounds)):
        if start < stop:
            yield part, text[start:stop]
