"""Vocabularies, encoding and decoding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm.data import text as nlm_text
from numpylm.data.text import Vocabulary, build_vocabulary, decode, encode, encode_stream, from_bytes, to_bytes

SENTENCES = "the cat saw the dog\nthe dog ran\n"
CHARACTERS = st.text(max_size=40)
WORDS = st.text(min_size=1, max_size=5).filter(lambda word: word.split() == [word] and word != "<eos>")
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=5)


# Building


def test_tokens_are_ordered_by_falling_count_then_by_the_token():
    assert build_vocabulary("banana\nbn", "char").tokens == ("<unk>", "a", "n", "b", "\n")
    assert build_vocabulary(SENTENCES, "word").tokens == ("<unk>", "<eos>", "the", "dog", "cat", "ran", "saw")
    assert build_vocabulary("the <unk> ran <eos> the end\n", "word").tokens == ("<unk>", "<eos>", "the", "end", "ran")
    assert build_vocabulary(SENTENCES, "word", min_count=2).tokens == ("<unk>", "<eos>", "the", "dog")
    assert build_vocabulary(SENTENCES, "word", max_size=3).tokens == ("<unk>", "<eos>", "the")
    assert build_vocabulary("aab", "char", max_size=2).tokens == ("<unk>", "a")
    assert len(build_vocabulary("aab", "char", max_size=100)) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", "char"), "no char occurs"),
        ((" \n\n ", "word"), "no word occurs"),
        (("<unk> <eos>\n", "word"), "no word occurs"),
        (("abc", "letter"), "level must be one of char, word; got 'letter'"),
        (("abc", None), "level must be one of char, word; got None"),
        (("abc", "char", 0), "min_count must be a positive integer; got 0"),
        (("abc", "char", 2), "no char occurs at least 2 times"),
        (("abc", "char", 1, 1), r"max_size must lie in 2\.\.300000; got 1"),
        (("abc", "word", 1, 2), r"max_size must lie in 3\.\."),
        (("a\ud800", "char"), "surrogate"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_vocabulary(*arguments)


# Encoding and decoding


@settings(deadline=None)
@given(CHARACTERS.filter(bool))
def test_characters_come_back_exactly(text):
    vocabulary = build_vocabulary(text, "char")
    ids = encode(vocabulary, text)
    assert len(ids) == len(text)
    assert 0 not in ids
    assert decode(vocabulary, ids) == text


@settings(deadline=None)
@given(CHARACTERS.filter(bool), CHARACTERS)
def test_unknown_characters_and_only_they_become_unk(known, text):
    ids = encode(build_vocabulary(known, "char"), text)
    assert [token_id == 0 for token_id in ids] == [character not in known for character in text]


@settings(deadline=None)
@given(LINES, st.booleans())
def test_words_come_back_with_single_spaces(lines, ends_in_newline):
    text = "\n".join(lines) + "\n" * ends_in_newline
    vocabulary = build_vocabulary(text + " word", "word")
    assert decode(vocabulary, encode(vocabulary, text)) == text


def test_eos_stands_for_a_newline_and_blank_lines_give_nothing():
    vocabulary = build_vocabulary(SENTENCES, "word")
    expected = encode(vocabulary, "the cat\nran\n").tolist()
    assert expected == [2, 4, 1, 5, 1]
    assert encode(vocabulary, "\n \n the\t cat \n\n\nran\r\n\n").tolist() == expected
    assert encode(vocabulary, "the cat\nran").tolist() == expected[:-1]  # a prompt is not ended for its writer
    assert encode(vocabulary, "the cat <eos>\n<unk> <eos> the\n").tolist() == [2, 4, 1, 0, 1, 2, 1]
    assert encode(build_vocabulary("ab", "char"), "a\udc80b").tolist() == [1, 0, 2]  # a lone surrogate is unknown


def test_with_ends_blank_lines_every_line_gives_an_eos():
    """As Merity et al. count WikiText."""
    vocabulary = build_vocabulary(SENTENCES, "word", ends_blank_lines=True)
    ids = encode(vocabulary, " \n the cat \n\n <eos> \n ran\n \nran")
    assert ids.tolist() == [1, 2, 4, 1, 1, 1, 5, 1, 1, 5]
    assert decode(vocabulary, ids) == "\nthe cat\n\n\nran\n\nran"
    assert not build_vocabulary("ab", "char", ends_blank_lines=True).ends_blank_lines


def test_special_tokens_decode_to_unk_and_newlines_and_no_other_ids_are_taken():
    vocabulary = build_vocabulary(SENTENCES, "word")
    assert decode(vocabulary, [1, 2, 0, 1, 1, 5, 1]) == "\nthe <unk>\n\nran\n" and decode(vocabulary, []) == ""
    assert decode(build_vocabulary("ab", "char"), [1, 0, 2]) == "a<unk>b"
    for ids, error in (([0, 7], ValueError), ([-1], ValueError), ([[1, 2]], ValueError), ([1.0], TypeError)):
        with pytest.raises(error, match="tokens must"):
            decode(vocabulary, ids)


@pytest.mark.parametrize(
    ("num_characters", "dtype"),
    [(255, np.uint8), (256, np.uint16), (2**16 - 1, np.uint16), (2**16, np.int32)],
)
def test_ids_take_the_smallest_type_that_holds_them(num_characters, dtype):
    text = "".join(map(chr, range(0x20000, 0x20000 + num_characters)))
    vocabulary = build_vocabulary(text, "char")  # V is one more, for <unk>
    ids = encode(vocabulary, text)
    assert ids.dtype == nlm_text.token_dtype(num_characters + 1) == dtype
    assert decode(vocabulary, ids) == text


@pytest.mark.parametrize(
    ("text", "level", "start", "encoded", "ids"),
    [
        (SENTENCES, "word", 1, "the cat\n", [1, 2, 4, 1]),
        ("aab\n\n\n\n", "char", 1, "ab", [1, 2, 3]),
        ("ab", "char", None, "ab", [1, 2]),
    ],
)
def test_a_stream_starts_after_eos_or_a_newline(text, level, start, encoded, ids):
    vocabulary = build_vocabulary(text, level)
    stream = encode_stream(vocabulary, encoded)
    assert nlm_text.stream_start(vocabulary) == start and stream.tolist() == ids
    assert stream.dtype == encode(vocabulary, encoded).dtype


# Saving


@settings(deadline=None)
@given(CHARACTERS.filter(lambda text: "\0" not in text), st.sampled_from(["char", "word"]), st.booleans())
def test_a_vocabulary_comes_back_from_its_bytes(text, level, ends_blank_lines):
    vocabulary = build_vocabulary(text + " word", level, ends_blank_lines=ends_blank_lines)
    assert from_bytes(level, to_bytes(vocabulary), vocabulary.ends_blank_lines) == vocabulary


def test_bytes_that_are_no_vocabulary_are_refused():
    assert from_bytes("word", b"") == Vocabulary("word", ("<unk>", "<eos>"))
    for level, content, message in [
        ("letter", b"a", "'letter'"),
        ("char", b"aba", "'a' is in the vocabulary twice"),
        ("word", b"a\nb\na", "'a' is in the vocabulary twice"),
        ("word", b"a b", "white space and without lone surrogates, got 'a b'"),
        ("word", b"a\n", "white space and without lone surrogates, got ''"),
        ("word", b"a\n<eos>", "'<eos>' is in the vocabulary twice"),
        ("char", b"a\xff", "invalid start byte"),
    ]:
        with pytest.raises(ValueError, match=message):
            from_bytes(level, content)


def test_one_bound_holds_for_every_vocabulary(monkeypatch):
    assert nlm_text.MAX_VOCABULARY >= 267_735, "WikiText-103 must fit"
    monkeypatch.setattr(nlm_text, "MAX_VOCABULARY", 9)
    advice = r"more than 9 words.*--min-count 2.*--max-vocabulary"
    text = " ".join(f"w{number} w{number % 4}" for number in range(8))
    with pytest.raises(ValueError, match=advice):
        build_vocabulary(text, "word")
    assert (
        len(build_vocabulary(text, "word", min_count=2)) == 6 and len(build_vocabulary(text, "word", max_size=9)) == 9
    )
    with pytest.raises(ValueError, match=r"max_size must lie in 3\.\.9; got 10"):
        build_vocabulary(text, "word", max_size=10)
    with pytest.raises(ValueError, match="at most 9 tokens, got 11"):
        from_bytes("word", b"a\n" * 10)
    monkeypatch.setattr(nlm_text, "MAX_CHARACTERS", 9)
    with pytest.raises(ValueError, match="9 characters in them"):
        build_vocabulary("longer words", "word")
