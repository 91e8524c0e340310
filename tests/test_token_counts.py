"""Counting in bounded memory: the same counts as a Counter's, wherever the words overflow into the database."""

import tempfile
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpylm.data import token_counts
from numpylm.data.atomic import FileError
from numpylm.data.token_counts import character_counts, word_counts

WORDS = st.lists(
    st.sampled_from(["a", "b", "ab", "é", "日本", "\U0001f600", "1", '"', "'", "<eos>", "c d"]), max_size=30
)
PIECES = st.lists(WORDS.map(lambda words: " ".join(words) + "\n"), max_size=8)


@given(PIECES)
def test_characters_are_counted_in_all_pieces(pieces):
    assert dict(character_counts(pieces)) == Counter("".join(pieces))


@given(PIECES, st.integers(0, 12))
def test_words_are_counted_however_few_fit_into_memory(pieces, most_words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_counts, "MOST_WORDS", most_words)
        pairs = list(word_counts(pieces))
    assert dict(pairs) == Counter("".join(pieces).split())
    assert len({word for word, _ in pairs}) == len(pairs), "each word once"


def test_more_different_words_than_fit_leave_memory_and_nothing_stays_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    monkeypatch.setattr(token_counts, "MOST_WORDS", 100)
    sizes, store = [], token_counts._store
    monkeypatch.setattr(token_counts, "_store", lambda base, counts: sizes.append(len(counts)) or store(base, counts))
    pieces = [" ".join(f"w{number % 700}" for number in range(start, start + 50)) + " " for start in range(0, 3000, 50)]
    assert dict(word_counts(pieces)) == Counter("".join(pieces).split())
    assert len(sizes) > 5 and max(sizes) <= 150
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_with_its_folder(monkeypatch):
    monkeypatch.setattr(token_counts, "MOST_WORDS", 1)

    class Full(dict):
        def items(self):
            raise token_counts.sqlite3.OperationalError("database or disk is full")

    store = token_counts._store
    monkeypatch.setattr(token_counts, "_store", lambda database, counts: store(database, Full(counts)))
    with pytest.raises(FileError, match=rf"^{tempfile.gettempdir()}: .*disk is full; .*set TMPDIR"):
        list(word_counts(["a b c"]))
