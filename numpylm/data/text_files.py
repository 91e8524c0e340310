r"""Reading text files: UTF-8, whole or in pieces, with one clear sentence for everything else.

    files -> read_pieces -> pieces of some ten thousand characters -> split_pieces -> (part, piece) -> whole_words

The byte order mark is dropped and every line end (\r\n, \r) becomes \n. Several files are one text, one after the
other, with a newline between two where the first does not end in one.
"""

import codecs
import gzip
import io
import re
import zlib
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple

from numpylm.data.atomic import one_error

PIECE_BYTES = 2**16  # so few that the words of a piece are still in the cache when they are counted
FAR = 2000  # characters: farther than the end of any line of ordinary text
LONGEST_WORD = 2**24  # characters without white space; longer ones are no text by words

FOREIGN = {  # how a file of another kind begins: what it is, and how to make a UTF-8 text of it
    (b"\xff\xfe", b"\xfe\xff"): "is UTF-16 text, not UTF-8: convert it: iconv -f UTF-16 -t UTF-8 old.txt > new.txt",
    b"\x1f\x8b": "is compressed (gzip), not UTF-8 text: unpack it first: gunzip FILE.gz",
    b"BZh": "is compressed (bzip2), not UTF-8 text: unpack it first: bunzip2 FILE.bz2",
    b"\xfd7zXZ": "is compressed (xz), not UTF-8 text: unpack it first: unxz FILE.xz",
    b"PK\x03\x04": "is a zip file (or .docx, .odt, .epub, .npz), not UTF-8 text: save its text as UTF-8",
    b"%PDF-": "is a PDF file, not UTF-8 text: save its text as UTF-8",
    b"numpylm tokens 1": "is a token file of an older numpylm: prepare its text again",
}
ZEROS = (
    "holds NUL bytes: it is UTF-16 or UTF-32 text without a byte order mark, or no text at all. "
    "Convert it: iconv -f UTF-16LE -t UTF-8 old.txt > new.txt"
)
ADVICE = (
    "Save it as UTF-8 in a text editor, or convert it: iconv -f LATIN1 -t UTF-8 old.txt > new.txt, "
    "with the file's own encoding in place of LATIN1"
)


class TextFile(NamedTuple):
    """A file that is open for reading, and what the user calls it."""

    name: str
    stream: BinaryIO


def open_text(path):
    """The TextFile at path. Raises FileNotFoundError, IsADirectoryError, and ValueError for a pipe or a device."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, expected a text file")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if not path.is_file():
        raise ValueError(f"{path} is a pipe or a device, expected a text file: copy its text into a file first")
    return TextFile(str(path), open(path, "rb"))


def read_text(path):
    """The whole text of a file. Raises what open_text and read_pieces do."""
    file = open_text(path)
    with file.stream:
        return "".join(read_pieces([file]))


def read_lines(path):
    """The lines of a file, which may be compressed with gzip. Raises ValueError too if its compression is damaged."""
    with open_text(path).stream as stream:
        content = stream.read()
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file: {error}") from None
    text = "".join(read_pieces([TextFile(str(path), io.BytesIO(content))]))
    return text.removesuffix("\n").split("\n")


def read_rows(path, expected, fewest, most):
    """Pairs (where it stands, its fields between tabs) of each line; it has so many fields, and they are `expected`."""
    for number, line in enumerate(read_lines(path), start=1):
        where, fields = f"{path}, line {number}", line.split("\t")
        if not fewest <= len(fields) <= most:
            raise ValueError(f"{where}: expected {expected}; got {line!r:.80}")
        yield where, fields


def read_pieces(files, on_bytes=bool):
    """The files' text in pieces, from the beginning. We call `on_bytes(number)` with the number of bytes read.

    Raises ValueError for a file that is empty or not UTF-8 text.
    """
    for number, file in enumerate(files, start=1):
        last = ""
        for piece in _file_pieces(file, on_bytes):
            last = piece
            yield piece
        if not last:
            raise ValueError(f"{file.name} is empty, expected a text")
        if number < len(files) and not last.endswith("\n"):
            yield "\n"


def _file_pieces(file, on_bytes):
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=True)
    position, line, block = 0, 1, None
    file.stream.seek(0)
    while block != b"":
        with one_error(file.name, "it cannot be read to its end", catch=OSError):
            block = file.stream.read(PIECE_BYTES)
        for magic, kind in FOREIGN.items():
            if position == 0 and block.startswith(magic):
                raise ValueError(f"{file.name} {kind}")
        try:
            piece = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            start = position + len(block) - len(error.object) + error.start
            line += error.object.count(b"\n", 0, error.start)
            where = f"byte {start} (0x{error.object[error.start]:02x}, line {line})"
            raise ValueError(f"{file.name} is not UTF-8 text: {where} does not fit. {ADVICE}") from None
        if "\0" in piece:
            raise ValueError(f"{file.name} {ZEROS}")
        if piece:
            yield piece
        position, line = position + len(block), line + block.count(b"\n")
        on_bytes(len(block))


# Cutting


def whole_words(pieces):
    """The same text in pieces that end with a line, or before a word. Raises ValueError for a word without an end."""
    held = ""
    for piece in pieces:
        held += piece
        cut = held.rfind("\n") + 1
        if not cut and len(words := held.rsplit(maxsplit=1)) == 2:
            cut = held.rindex(words[1])
        if cut:
            yield held[:cut]
        elif len(held) > LONGEST_WORD:
            raise ValueError(
                f"there is no place between two words in {len(held):,} characters, from {held.strip()[:20]!r} on: read "
                "this text by characters (--level char)"
            )
        held = held[cut:]
    if held:
        yield held


def split_pieces(pieces, cuts, level):
    """The pieces of a text that is cut after so many characters: pairs (number of the part, piece).

    At level "word" a cut moves to the next line end, or where no line ends within FAR characters, to the next white
    space; and the pieces are whole words.
    """
    pieces, far = (iter(whole_words(pieces)), FAR) if level == "word" else (iter(pieces), 0)
    held, start = "", 0  # held is the text from character number start on
    for part, cut in enumerate(cuts):
        while start + len(held) < cut + far and (piece := next(pieces, "")):
            if held and start + len(held) < cut:  # all of it comes before the cut
                yield part, held
                held, start = "", start + len(held)
            held += piece
        end = min(max(0, cut - start), len(held))
        if end and level == "word":
            line_end_or_space = re.compile(rf"[^\n]{{0,{FAR}}}\n|\S*(\s|\Z)")
            end = line_end_or_space.match(held, end - 1).end()
        if end:
            yield part, held[:end]
        held, start = held[end:], start + end
    yield from ((len(cuts), piece) for piece in chain([held], pieces) if piece)
