"""Text to tokens and back: character and word vocabularies.

A vocabulary lists its V tokens; a token's id is its place in the list, so ids run from 0 to V - 1.

    level "char"   every character is a token, spaces and newlines too
    level "word"   a line is split at white space, and <eos> stands for the newline that ends it; blank lines
                   give nothing, and neither does white space, so a text comes back with single spaces

Two tokens are special. <unk>, always id 0, stands for everything outside the vocabulary. <eos>, id 1 at word
level only, makes the end of a sentence something to predict. A word-level corpus that already contains the
words <unk> or <eos>, as the Penn Treebank of Mikolov et al. (2011) does, means these two.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain, repeat
from pathlib import Path

import numpy as np

UNKNOWN = "<unk>"
END_OF_SENTENCE = "<eos>"
SPECIAL_TOKENS = {"char": (UNKNOWN,), "word": (UNKNOWN, END_OF_SENTENCE)}
NUM_CODE_POINTS = 0x110000  # Unicode ends at U+10FFFF


@dataclass(frozen=True)
class Vocabulary:
    """The V tokens of a level, "char" or "word"; `tokens[i]` has id i. Raises ValueError if they are bad."""

    level: str
    tokens: tuple[str, ...]

    def __post_init__(self):
        _check_level(self.level)
        _check_tokens(self.level, self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)


def build_vocabulary(text: str, level: str, min_count: int = 1, max_size: int | None = None) -> Vocabulary:
    """The vocabulary of a text: special tokens, then the others by falling count, ties by the token itself.

    Tokens that occur fewer than `min_count` times are left out; `max_size` limits V, special tokens included.
    Raises ValueError if a setting is out of range or no token is left, TypeError if `text` is not a str.
    """
    _check_level(level)
    _check_text(text)
    check_limits(level, min_count, max_size)
    counts = Counter(text if level == "char" else split_words(text))
    return vocabulary_of_counts(level, counts.items(), min_count, max_size, len(text))


def vocabulary_of_counts(level, counts, min_count, max_size, num_characters: int) -> Vocabulary:
    """`build_vocabulary` where the tokens of a text of so many characters are counted already.

    `counts` are pairs (token, count), of which no more are kept in memory than the vocabulary needs.
    """
    special = SPECIAL_TOKENS[level]
    kept = ((-count, token) for token, count in counts if count >= min_count and token not in special)
    kept = sorted(kept) if max_size is None else nsmallest(max_size - len(special), kept)
    if not kept:
        raise ValueError(f"no {level} occurs at least {min_count} times in a text of {num_characters} characters")
    return Vocabulary(level, (*special, *(token for _, token in kept)))


def check_limits(level, min_count, max_size) -> None:
    """Raises ValueError for a level, a min_count or a max_size that `build_vocabulary` does not take."""
    _check_level(level)
    _check_at_least("min_count", min_count, 1)
    if max_size is not None:
        _check_at_least("max_size", max_size, len(SPECIAL_TOKENS[level]) + 1)


def split_words(text: str) -> Iterator[str]:
    """The words of a text, and <eos> for the newline of a line that has words (unless it ends in <eos>)."""
    return chain.from_iterable(_words_of_lines(text))


def _words_of_lines(text: str) -> Iterator[list[str]]:
    *ended_lines, last_line = text.split("\n")
    for line in ended_lines:
        words = line.split()
        if words and words[-1] != END_OF_SENTENCE:
            words.append(END_OF_SENTENCE)
        yield words
    yield last_line.split()


def token_dtype(vocab_size: int) -> np.dtype:
    """The smallest of uint8, uint16 and int32 that holds the ids below V: often one byte for a character."""
    return np.dtype(np.uint8 if vocab_size <= 2**8 else np.uint16 if vocab_size <= 2**16 else np.int32)


def encode(vocabulary: Vocabulary, text: str) -> np.ndarray:
    """The ids of a text's tokens: (number of tokens,), of `token_dtype(V)`; unknown ones become <unk>."""
    _check_text(text)
    return encoder(vocabulary)(text)


def encoder(vocabulary: Vocabulary) -> Callable[[str], np.ndarray]:
    """`encode` with its table made once: a function of the text, for a text that comes in pieces."""
    dtype = token_dtype(len(vocabulary))
    if vocabulary.level == "char":
        id_of_code_point = np.zeros(NUM_CODE_POINTS, dtype)  # 0 is <unk>
        id_of_code_point[code_points("".join(vocabulary.tokens[1:]))] = np.arange(1, len(vocabulary))
        return lambda text: id_of_code_point[code_points(text)]
    id_of_word = {word: token_id for token_id, word in enumerate(vocabulary.tokens)}
    return lambda text: np.fromiter(map(id_of_word.get, split_words(text), repeat(0)), dtype)


def decode(vocabulary: Vocabulary, ids) -> str:
    """The text of `ids`, integers of shape (number of tokens,): the inverse of `encode`.

    At word level words are joined by one space and <eos> becomes a newline. <unk> is written as it is.
    Raises ValueError if `ids` has not one dimension or leaves 0 .. V - 1, TypeError if it is not of integers.
    """
    tokens = [vocabulary.tokens[i] for i in _checked_ids(ids, len(vocabulary)).tolist()]
    if vocabulary.level == "char":
        return "".join(tokens)
    words = ["\n" if token == END_OF_SENTENCE else token for token in tokens]
    return " ".join(words).replace(" \n", "\n").replace("\n ", "\n")


def stream_start(vocabulary: Vocabulary) -> int | None:
    """The id of the token that a stream starts after: <eos>; at level "char" a newline (None if unknown)."""
    start = END_OF_SENTENCE if vocabulary.level == "word" else "\n"
    return vocabulary.tokens.index(start) if start in vocabulary.tokens else None


def encode_stream(vocabulary: Vocabulary, text: str) -> np.ndarray:
    """`encode` with the stream's start in front, if there is one, so that the first token is predicted."""
    ids = encode(vocabulary, text)
    start = stream_start(vocabulary)
    return ids if start is None else np.concatenate([np.array([start], ids.dtype), ids])


def read_text(path) -> str:
    r"""The text of a UTF-8 file, without its byte order mark; every line end (\r\n, \r) becomes \n.

    Raises FileNotFoundError, IsADirectoryError, and ValueError for a file that is empty or not UTF-8.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, expected a text file")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(
            not_utf8_message(path, error.start, content[error.start], line_ends(content[: error.start]))
        ) from None
    if not text:
        raise ValueError(f"{path} is empty, expected a text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def to_json(vocabulary: Vocabulary) -> dict:
    """The vocabulary as what JSON can hold: {"level": ..., "tokens": [...]}."""
    return {"level": vocabulary.level, "tokens": list(vocabulary.tokens)}


def from_json(fields: dict) -> Vocabulary:
    """The inverse of `to_json`. Raises ValueError if the fields, as of a damaged file, are no vocabulary."""
    if not isinstance(fields, dict) or set(fields) != {"level", "tokens"}:
        given = sorted(map(str, fields)) if isinstance(fields, dict) else type(fields).__name__
        raise ValueError(f"a vocabulary has the fields 'level' and 'tokens', got {given}")
    tokens = fields["tokens"]
    return Vocabulary(fields["level"], tuple(tokens) if isinstance(tokens, list) else tokens)


def code_points(text: str) -> np.ndarray:
    """The Unicode code points of a text: (number of characters,) of uint32."""
    # A lone surrogate, as from a broken command line, passes here and is unknown to every vocabulary.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def line_ends(content: bytes) -> int:
    r"""How many lines end in a text's bytes, by \n, \r or \r\n."""
    return content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")


def not_utf8_message(name, offset: int, byte: int, num_line_ends: int) -> str:
    """What is wrong with a text whose byte at offset, after so many line ends, does not fit."""
    return (
        f"{name} is not UTF-8 text: byte {offset} (0x{byte:02x}, line {num_line_ends + 1}) does not fit. Save "
        "it as UTF-8 in a text editor, or convert it: iconv -f LATIN1 -t UTF-8 old.txt > new.txt, with the "
        "file's own encoding in place of LATIN1"
    )


def _check_level(level) -> None:
    if not isinstance(level, str) or level not in SPECIAL_TOKENS:
        raise ValueError(f"the level is {' or '.join(map(repr, SPECIAL_TOKENS))}, got {level!r}")


def _check_tokens(level: str, tokens) -> None:
    if not isinstance(tokens, tuple) or not all(isinstance(token, str) for token in tokens):
        raise ValueError("a vocabulary's tokens are a tuple of strings (a list in JSON)")
    special = SPECIAL_TOKENS[level]
    if tokens[: len(special)] != special:
        raise ValueError(f"a {level} vocabulary starts with {special}, got {tokens[: len(special)]}")
    if len(set(tokens)) != len(tokens):
        twice = next(token for token, count in Counter(tokens).items() if count > 1)
        raise ValueError(f"the token {twice!r} is in the vocabulary twice")
    for token in tokens[len(special) :]:
        if not (len(token) == 1 if level == "char" else token.split() == [token]):
            expected = "one character" if level == "char" else "a word without white space"
            raise ValueError(f"a token at level {level!r} is {expected}, got {token!r}")
        if any("\ud800" <= character <= "\udfff" for character in token):
            raise ValueError(f"the token {token!r} holds a lone surrogate, which is not a character")


def _check_text(text) -> None:
    if not isinstance(text, str):
        raise TypeError(f"expected a text (str), got {type(text).__name__}")


def _check_at_least(name: str, number, smallest: int) -> None:
    if not isinstance(number, (int, np.integer)) or number < smallest:
        raise ValueError(f"{name} is an integer of at least {smallest}, got {number!r}")


def _checked_ids(ids, vocab_size: int) -> np.ndarray:
    ids = np.asarray(ids)
    if ids.ndim != 1:
        raise ValueError(f"ids have one dimension, got the shape {ids.shape}")
    if ids.size and ids.dtype.kind not in "iu":
        raise TypeError(f"ids are integers, got {ids.dtype}")
    if ids.size and (ids.min() < 0 or ids.max() >= vocab_size):
        raise ValueError(f"ids are below V = {vocab_size}, and not negative; got {ids.min()} .. {ids.max()}")
    return ids
