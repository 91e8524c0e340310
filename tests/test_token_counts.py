"""Counting in bounded memory: the same counts as a Counter's, wherever the words overflow into files."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpylm.data import token_counts
from numpylm.data.token_counts import character_counts, word_counts

WORDS = st.lists(
    st.sampled_from(["a", "b", "ab", "é", "日本", "\U0001f600", "a\0b", "1", '"', "<eos>", "c d"]), max_size=30
)
PIECES = st.lists(WORDS.map(lambda words: " ".join(words) + "\n"), max_size=8)


@given(PIECES)
def test_characters_are_counted_in_all_pieces(pieces):
    assert dict(character_counts(pieces)) == Counter("".join(pieces))


@given(PIECES, st.integers(0, 12))
def test_words_are_counted_however_few_fit_into_memory(tmp_path_factory, pieces, most_words):
    folder = tmp_path_factory.mktemp("counts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_counts, "MOST_WORDS", most_words)
        with word_counts(pieces, folder) as counts:
            pairs = list(counts)
    assert dict(pairs) == Counter("".join(pieces).split())
    assert len({word for word, _ in pairs}) == len(pairs), "each word once"
    assert list(folder.iterdir()) == []


def test_more_different_words_than_fit_go_into_files_and_the_files_go_away(tmp_path, monkeypatch):
    monkeypatch.setattr(token_counts, "MOST_WORDS", 100)
    monkeypatch.setattr(token_counts, "NUM_FILES", 3)
    sizes = []
    spill = token_counts._spill
    monkeypatch.setattr(token_counts, "_spill", lambda counts, files: sizes.append(len(counts)) or spill(counts, files))
    pieces = [" ".join(f"w{number % 700}" for number in range(start, start + 50)) + " " for start in range(0, 3000, 50)]
    with word_counts(pieces, tmp_path) as counts:
        assert dict(counts) == Counter("".join(pieces).split())
    assert len(sizes) > 5 and max(sizes) <= 150
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_counting_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(token_counts, "MOST_WORDS", 2)

    def pieces():
        yield "a b c "
        yield "d e f "
        raise ValueError("a broken text")

    with pytest.raises(ValueError, match="a broken text"), word_counts(pieces(), tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
