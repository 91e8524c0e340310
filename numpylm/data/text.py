"""Text to tokens and back: character and word vocabularies.

A vocabulary lists its V tokens; a token's id is its place in the list, so ids run from 0 to V - 1.

    level "char"   every character is a token, spaces and newlines too
    level "word"   a line is split at white space, and <eos> stands for the newline that ends it. A blank line gives
                   nothing, so a text comes back with single spaces and without blank lines

Two tokens are special. <unk>, always id 0, stands for everything outside the vocabulary. <eos>, id 1 at word
level only, makes the end of a sentence something to predict. A word-level corpus that already contains the
words <unk> or <eos>, as the Penn Treebank of Mikolov et al. (2011) does, means these two.

Published perplexities on WikiText (Merity et al., 2017) count an <eos> for every line, blank lines too. A vocabulary
with ends_blank_lines=True follows them (corpora.py says when).

A vocabulary has at most MAX_VOCABULARY tokens. This is the one bound for texts, token files and checkpoints.
"""

import re
from collections import Counter
from dataclasses import dataclass
from heapq import nsmallest
from itertools import repeat

import numpy as np

from numpylm.base import require

UNKNOWN = "<unk>"
END_OF_SENTENCE = "<eos>"
TOKEN = {"char": re.compile(r"[^\ud800-\udfff]"), "word": re.compile(r"[^\s\ud800-\udfff]+")}
SPECIAL_TOKENS = {"char": (UNKNOWN,), "word": (UNKNOWN, END_OF_SENTENCE)}
NUM_CODE_POINTS = 0x110000  # Unicode ends at U+10FFFF
MAX_VOCABULARY = 300_000  # tokens; WikiText-103 has 267,735
MAX_CHARACTERS = 4 * 2**20  # of all tokens together
MAX_VOCABULARY_BYTES = 4 * MAX_CHARACTERS + MAX_VOCABULARY  # as UTF-8, with a newline after each


@dataclass(frozen=True)
class Vocabulary:
    """The V tokens of a level, "char" or "word"; `tokens[i]` has id i. Raises ValueError if they are bad.

    With ends_blank_lines, a blank line gives an <eos> too (level "word").
    """

    level: str
    tokens: tuple[str, ...]
    ends_blank_lines: bool = False

    def __post_init__(self):
        require.one_of("level", self.level, SPECIAL_TOKENS)
        level, tokens = self.level, self.tokens
        if not isinstance(tokens, tuple) or not all(isinstance(token, str) for token in tokens):
            raise ValueError("a vocabulary's tokens are a tuple of strings")
        if len(tokens) > MAX_VOCABULARY or sum(map(len, tokens)) > MAX_CHARACTERS:
            raise ValueError(
                f"the vocabulary has more than {MAX_VOCABULARY:,} {level}s, or {MAX_CHARACTERS:,} characters in them: "
                "leave out rare ones (--min-count 2), or keep the most frequent (--max-vocabulary 100000)"
            )
        special = SPECIAL_TOKENS[level]
        if tokens[: len(special)] != special:
            raise ValueError(f"a {level} vocabulary starts with {special}, got {tokens[: len(special)]}")
        if len(set(tokens)) != len(tokens):
            twice = next(token for token, count in Counter(tokens).items() if count > 1)
            raise ValueError(f"the token {twice!r} is in the vocabulary twice")
        for token in tokens[len(special) :]:
            if not TOKEN[level].fullmatch(token):
                expected = "one character" if level == "char" else "a word without white space"
                raise ValueError(f"a token at level {level!r} is {expected} and without lone surrogates, got {token!r}")

    def __len__(self):
        return len(self.tokens)


def build_vocabulary(text, level, min_count=1, max_size=None, ends_blank_lines=False):
    """The Vocabulary of a text (str): special tokens, then the others by falling count, ties by the token itself.

    Tokens that occur fewer than `min_count` times are left out; `max_size` limits V, special tokens included.
    Raises ValueError if a setting is out of range, no token is left or too many are; TypeError if `text` is not a str.
    """
    check_limits(level, min_count, max_size)
    require.instance("text", text, str, "a str")
    counts = Counter(text if level == "char" else split_words(text))
    return vocabulary_of_counts(level, counts.items(), min_count, max_size, ends_blank_lines)


def vocabulary_of_counts(level, counts, min_count, max_size, ends_blank_lines=False):
    """Like `build_vocabulary`, from counts that exist already: pairs (token, count), each token once.

    No more pairs are kept in memory than the vocabulary needs.
    """
    special = SPECIAL_TOKENS[level]
    frequent = ((-count, token) for token, count in counts if count >= min_count and token not in special)
    kept = nsmallest((max_size or MAX_VOCABULARY + 1) - len(special), frequent)
    if not kept:
        raise ValueError(f"no {level} occurs at least {min_count} times in the training text")
    return Vocabulary(level, (*special, *(token for _, token in kept)), ends_blank_lines and level == "word")


def check_limits(level, min_count, max_size):
    """Raises ValueError for a level, a min_count or a max_size that `build_vocabulary` does not take."""
    require.one_of("level", level, SPECIAL_TOKENS)
    require.positive_integer("min_count", min_count)
    if max_size is not None:
        fewest = len(SPECIAL_TOKENS[level]) + 1
        if not fewest <= require.positive_integer("max_size", max_size) <= MAX_VOCABULARY:
            raise ValueError(f"max_size must lie in {fewest}..{MAX_VOCABULARY}; got {max_size}")


def split_words(text, ends_blank_lines=False):
    """The words of a text, and <eos> for the newline of each line without one; a blank line
    gives nothing, or an <eos> with ends_blank_lines."""
    *ended_lines, last_line = text.split("\n")
    for line in ended_lines:
        words = line.split()
        yield from words
        if words[-1:] != [END_OF_SENTENCE] and (words or ends_blank_lines):
            yield END_OF_SENTENCE
    yield from last_line.split()


def token_dtype(vocab_size):
    """The smallest of uint8, uint16 and int32 (little-endian) that holds the ids below V."""
    return np.dtype("u1" if vocab_size <= 2**8 else "<u2" if vocab_size <= 2**16 else "<i4")


def encode(vocabulary, text):
    """The ids of a text's tokens: (number of tokens,), of `token_dtype(V)`; unknown ones become <unk>."""
    require.instance("text", text, str, "a str")
    return encoder(vocabulary)(text)


def encoder(vocabulary):
    """A function that encodes a text, as `encode` does. Its table is made once: for a text that comes in pieces."""
    require.instance("vocabulary", vocabulary, Vocabulary, "one of build_vocabulary")
    dtype, ends_blank_lines = token_dtype(len(vocabulary)), vocabulary.ends_blank_lines
    if vocabulary.level == "char":
        id_of_code_point = np.zeros(NUM_CODE_POINTS, dtype)  # 0 is <unk>
        id_of_code_point[code_points("".join(vocabulary.tokens[1:]))] = np.arange(1, len(vocabulary))
        return lambda text: id_of_code_point[code_points(text)]
    id_of_word = {word: token_id for token_id, word in enumerate(vocabulary.tokens)}
    return lambda text: np.fromiter(map(id_of_word.get, split_words(text, ends_blank_lines), repeat(0)), dtype)


def decode(vocabulary, ids):
    """The text of `ids`, integers of shape (number of tokens,): the inverse of `encode`.

    At word level words are joined by one space and <eos> becomes a newline. <unk> is written as it is.
    Raises ValueError if `ids` has not one dimension or leaves 0 .. V - 1, TypeError if it is not of integers.
    """
    require.instance("vocabulary", vocabulary, Vocabulary, "one of build_vocabulary")
    ids = require.array("tokens", ids)
    if ids.size:
        ids = require.token_stream(ids, len(vocabulary))
    tokens = [vocabulary.tokens[i] for i in ids.tolist()]
    if vocabulary.level == "char":
        return "".join(tokens)
    words = ["\n" if token == END_OF_SENTENCE else token for token in tokens]
    return " ".join(words).replace(" \n", "\n").replace("\n ", "\n")


def stream_start(vocabulary):
    """The id of the token that a stream starts after: <eos>; at level "char" a newline (None if unknown)."""
    start = END_OF_SENTENCE if vocabulary.level == "word" else "\n"
    return vocabulary.tokens.index(start) if start in vocabulary.tokens else None


def encode_stream(vocabulary, text):
    """`encode` with the stream's start in front, if there is one, so that the first token is predicted."""
    ids = encode(vocabulary, text)
    start = stream_start(vocabulary)
    return ids if start is None else np.concatenate([np.array([start], ids.dtype), ids])


def to_bytes(vocabulary):
    """The tokens after the special ones as UTF-8: characters side by side, words each in a line."""
    between = "" if vocabulary.level == "char" else "\n"
    return between.join(vocabulary.tokens[len(SPECIAL_TOKENS[vocabulary.level]) :]).encode()


def from_bytes(level, content, ends_blank_lines=False):
    """The inverse of `to_bytes`. Raises ValueError if the content, as of a damaged file, is no vocabulary."""
    require.one_of("level", level, SPECIAL_TOKENS)
    text = content.decode("utf-8")
    count = len(text) if level == "char" else text.count("\n") + 1
    if count > MAX_VOCABULARY:  # before there is a string for each
        raise ValueError(f"a vocabulary has at most {MAX_VOCABULARY:,} tokens, got {count:,}")
    tokens = text if level == "char" else text.split("\n") if text else ()
    return Vocabulary(level, (*SPECIAL_TOKENS[level], *tokens), ends_blank_lines)


def code_points(text):
    """The Unicode code points of a text: (number of characters,) of uint32."""
    # A lone surrogate, as from a broken command line, passes here and is unknown to every vocabulary.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
