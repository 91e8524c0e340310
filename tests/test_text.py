"""Vocabularies, encoding and decoding, and reading files."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm.data import text as nlm_text
from numpylm.data.text import Vocabulary, build_vocabulary, decode, encode, encode_stream, read_text

SENTENCES = "the cat saw the dog\nthe dog ran\n"
CHARACTERS = st.text(max_size=40)
WORDS = st.text(min_size=1, max_size=5).filter(lambda word: word.split() == [word] and word != "<eos>")
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=5)


# Building


def test_tokens_are_ordered_by_falling_count_then_by_the_token():
    assert build_vocabulary("banana\nbn", "char").tokens == ("<unk>", "a", "n", "b", "\n")
    assert build_vocabulary(SENTENCES, "word").tokens == ("<unk>", "<eos>", "the", "dog", "cat", "ran", "saw")


def test_min_count_leaves_out_rare_tokens_and_max_size_counts_the_special_ones():
    assert build_vocabulary(SENTENCES, "word", min_count=2).tokens == ("<unk>", "<eos>", "the", "dog")
    assert build_vocabulary(SENTENCES, "word", max_size=3).tokens == ("<unk>", "<eos>", "the")
    assert build_vocabulary("aab", "char", max_size=2).tokens == ("<unk>", "a")
    assert len(build_vocabulary("aab", "char", max_size=100)) == 3


def test_special_words_in_the_corpus_are_the_special_tokens():
    vocabulary = build_vocabulary("the <unk> ran <eos> the end\n", "word")
    assert vocabulary.tokens == ("<unk>", "<eos>", "the", "end", "ran")
    assert encode(vocabulary, "the <unk> ran <eos> the end\n").tolist() == [2, 0, 4, 1, 2, 3, 1]


def test_special_tokens_mean_nothing_at_character_level():
    vocabulary = build_vocabulary("<unk>", "char")
    assert len(vocabulary) == 1 + 5
    assert decode(vocabulary, encode(vocabulary, "<unk>")) == "<unk>"
    assert 0 not in encode(vocabulary, "<unk>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", "char"), "no char occurs"),
        ((" \n\n ", "word"), "no word occurs"),
        (("<unk> <eos>\n", "word"), "no word occurs"),
        (("abc", "letter"), "'char' or 'word'.*'letter'"),
        (("abc", None), "'char' or 'word'.*None"),
        (("abc", "char", 0), "min_count.*at least 1, got 0"),
        (("abc", "char", 2.5), "min_count.*2.5"),
        (("abc", "char", 2), "no char occurs at least 2 times"),
        (("abc", "char", 1, 1), "max_size.*at least 2, got 1"),
        (("abc", "word", 1, 2), "max_size.*at least 3, got 2"),
        (("a\ud800", "char"), "surrogate"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_vocabulary(*arguments)


def test_bytes_are_not_a_text():
    with pytest.raises(TypeError, match=r"str.*bytes"):
        build_vocabulary(b"abc", "char")
    with pytest.raises(TypeError, match=r"str.*list"):
        encode(build_vocabulary("abc", "char"), ["a"])


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


@settings(deadline=None)
@given(CHARACTERS.filter(lambda text: "<eos>" not in text))
def test_normalising_white_space_changes_no_word(text):
    vocabulary = build_vocabulary(text + " word", "word")
    ids = encode(vocabulary, text)
    assert encode(vocabulary, decode(vocabulary, ids)).tolist() == ids.tolist()


def test_eos_stands_for_a_newline_and_blank_lines_give_nothing():
    vocabulary = build_vocabulary(SENTENCES, "word")
    expected = encode(vocabulary, "the cat\nran\n").tolist()
    assert expected == [2, 4, 1, 5, 1]
    assert encode(vocabulary, "\n \n the\t cat \n\n\nran\r\n\n").tolist() == expected
    assert encode(vocabulary, "the cat\nran").tolist() == expected[:-1]  # a prompt is not ended for its writer


def test_a_written_eos_ends_its_line_once():
    vocabulary = build_vocabulary(SENTENCES, "word")
    assert encode(vocabulary, "the cat <eos>\nran <eos> the\n").tolist() == [2, 4, 1, 5, 1, 2, 1]


def test_unknown_words_become_unk():
    vocabulary = build_vocabulary(SENTENCES, "word", min_count=2)
    assert encode(vocabulary, "the cat zebra dog\n").tolist() == [2, 0, 0, 3, 1]


def test_special_tokens_decode_to_unk_and_newlines():
    vocabulary = build_vocabulary(SENTENCES, "word")
    assert decode(vocabulary, [1, 2, 0, 1, 1, 5, 1]) == "\nthe <unk>\n\nran\n"
    assert decode(build_vocabulary("ab", "char"), [1, 0, 2]) == "a<unk>b"


def test_empty_in_empty_out():
    for level in ("char", "word"):
        vocabulary = build_vocabulary(SENTENCES, level)
        assert encode(vocabulary, "").shape == (0,)
        assert decode(vocabulary, []) == ""


def test_a_lone_surrogate_is_an_unknown_character():
    assert encode(build_vocabulary("ab", "char"), "a\udc80b").tolist() == [1, 0, 2]


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


@pytest.mark.parametrize("ids", [[0, 7], [-1], np.array([300]), np.array([2**63], np.uint64)])
def test_ids_outside_the_vocabulary_are_refused(ids):
    with pytest.raises(ValueError, match=r"V = 7.*got"):
        decode(build_vocabulary(SENTENCES, "word"), ids)


def test_ids_of_another_shape_or_type_are_refused():
    vocabulary = build_vocabulary("abc", "char")
    with pytest.raises(ValueError, match=r"one dimension.*\(1, 2\)"):
        decode(vocabulary, [[1, 2]])
    with pytest.raises(ValueError, match=r"one dimension.*\(\)"):
        decode(vocabulary, 1)
    with pytest.raises(TypeError, match=r"integers.*float64"):
        decode(vocabulary, [1.0])
    with pytest.raises(TypeError, match=r"integers.*bool"):
        decode(vocabulary, [True])


def test_a_stream_starts_after_eos_or_a_newline():
    words = build_vocabulary(SENTENCES, "word")
    assert nlm_text.stream_start(words) == 1
    assert encode_stream(words, "the cat\n").tolist() == [1, 2, 4, 1]
    characters = build_vocabulary("aab\n\n\n\n", "char")
    assert nlm_text.stream_start(characters) == 1
    assert encode_stream(characters, "ab").tolist() == [1, 2, 3]
    assert encode_stream(characters, "ab").dtype == encode(characters, "ab").dtype
    without_newline = build_vocabulary("ab", "char")
    assert nlm_text.stream_start(without_newline) is None
    assert encode_stream(without_newline, "ab").tolist() == [1, 2]


# In pieces


def test_an_encoder_is_encode_with_its_vocabulary_kept():
    for level in ("char", "word"):
        vocabulary = build_vocabulary(SENTENCES, level)
        encode_piece = nlm_text.encoder(vocabulary)
        for piece in (SENTENCES, "the zebra\n", "", "é"):
            assert encode_piece(piece).tolist() == encode(vocabulary, piece).tolist()
            assert encode_piece(piece).dtype == encode(vocabulary, piece).dtype


@settings(deadline=None)
@given(CHARACTERS, st.sampled_from(["char", "word"]), st.integers(1, 3), st.sampled_from([None, 3, 4, 9]))
def test_a_vocabulary_of_counts_is_that_of_the_text(text, level, min_count, max_size):
    text += " word" * 3
    tokens = list(text if level == "char" else nlm_text.split_words(text))
    counts = ((token, tokens.count(token)) for token in sorted(set(tokens)))
    expected = build_vocabulary(text, level, min_count, max_size)
    assert nlm_text.vocabulary_of_counts(level, counts, min_count, max_size, len(text)) == expected


# Saving


@settings(deadline=None)
@given(CHARACTERS, st.sampled_from(["char", "word"]))
def test_a_vocabulary_survives_json(text, level):
    vocabulary = build_vocabulary(text + " word", level)
    assert nlm_text.from_json(json.loads(json.dumps(nlm_text.to_json(vocabulary)))) == vocabulary


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (None, "'level' and 'tokens', got NoneType"),
        ([], "got list"),
        ({"level": "char"}, "got \\['level'\\]"),
        ({"level": "char", "tokens": ["<unk>", "a"], "extra": 1}, "extra"),
        ({"level": "letter", "tokens": ["<unk>", "a"]}, "'letter'"),
        ({"level": ["char"], "tokens": ["<unk>", "a"]}, "'char'"),
        ({"level": "char", "tokens": "<unk>ab"}, "tuple of strings"),
        ({"level": "char", "tokens": None}, "tuple of strings"),
        ({"level": "char", "tokens": ["<unk>", 5]}, "tuple of strings"),
        ({"level": "char", "tokens": ["<unk>", ["a"]]}, "tuple of strings"),
        ({"level": "char", "tokens": []}, "starts with"),
        ({"level": "char", "tokens": ["a", "b"]}, "starts with.*<unk>"),
        ({"level": "word", "tokens": ["<unk>", "the"]}, "starts with.*<eos>"),
        ({"level": "char", "tokens": ["<unk>", "a", "b", "a"]}, "'a' is in the vocabulary twice"),
        ({"level": "char", "tokens": ["<unk>", "ab"]}, "one character, got 'ab'"),
        ({"level": "char", "tokens": ["<unk>", ""]}, "one character, got ''"),
        ({"level": "word", "tokens": ["<unk>", "<eos>", "a b"]}, "white space, got 'a b'"),
        ({"level": "word", "tokens": ["<unk>", "<eos>", ""]}, "white space, got ''"),
    ],
)
def test_a_damaged_vocabulary_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        nlm_text.from_json(fields)


def test_a_vocabulary_cannot_be_changed():
    vocabulary = Vocabulary("char", ("<unk>", "a"))
    with pytest.raises(AttributeError):
        vocabulary.level = "word"
    with pytest.raises(ValueError, match="tuple"):
        Vocabulary("char", ["<unk>", "a"])


# Reading


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("红楼梦\né\U0001f600".encode(), "红楼梦\né\U0001f600"),
        (b"\xef\xbb\xbfabc", "abc"),
        (b"a\r\nb\rc\n\r\nd", "a\nb\nc\n\nd"),
        ("a\u2028b\x85c".encode(), "a\u2028b\x85c"),
    ],
)
def test_reading_a_text(tmp_path, content, text):
    (tmp_path / "corpus.txt").write_bytes(content)
    assert read_text(tmp_path / "corpus.txt") == text
    assert read_text(str(tmp_path / "corpus.txt")) == text


def test_bytes_that_are_not_utf8_are_located(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rcaf\xe9\n")
    with pytest.raises(ValueError, match=r"latin\.txt is not UTF-8.*byte 15 \(0xe9, line 3\).*Save it as UTF-8"):
        read_text(path)
    path.write_bytes("text".encode("utf-16"))
    with pytest.raises(ValueError, match=r"byte 0 \(0xff, line 1\)"):
        read_text(path)


def test_what_is_not_a_text_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file.*missing\.txt"):
        read_text(tmp_path / "missing.txt")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read_text(tmp_path)
    for content in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "empty.txt").write_bytes(content)
        with pytest.raises(ValueError, match=r"empty\.txt is empty"):
            read_text(tmp_path / "empty.txt")
