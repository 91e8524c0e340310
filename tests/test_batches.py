"""Batches: nothing is predicted twice, nothing is lost but what the module says, and order is kept."""

import tracemalloc

import numpy as np
import pytest
from gradient_proofs import read_only
from hypothesis import given, settings
from hypothesis import strategies as st

from numpylm import cut_streams, pad_sequences
from numpylm.data.batches import num_windows, window

EXAMPLES = settings(deadline=None, max_examples=80)


@st.composite
def corpora(draw):
    """(S, N) with at least N + 1 tokens."""
    N = draw(st.integers(1, 12))
    return draw(st.integers(N + 1, 150)), N


def read_windows(streams, num_steps):
    return [window(streams, num_steps, k) for k in range(num_windows(streams, num_steps))]


@EXAMPLES
@given(corpora(), st.integers(1, 60))
def test_windows_put_together_are_the_streams_and_each_target_is_the_next_token(corpus, num_steps):
    S, N = corpus
    streams = cut_streams(np.arange(S), N)
    windows = read_windows(streams, num_steps)
    assert [len(inputs) for inputs, _ in windows[:-1]] == [num_steps] * (len(windows) - 1)
    assert 1 <= len(windows[-1][0]) <= num_steps
    L = (S - 1) // N
    for array, whole in zip(map(np.concatenate, zip(*windows, strict=True)), streams, strict=True):
        assert array.shape == (L, N) and np.array_equal(array, whole)
    inputs, targets = streams
    assert np.array_equal(targets, inputs + 1)
    assert np.array_equal(inputs, np.arange(L)[:, None] + L * np.arange(N))  # each column is a piece of the corpus


def test_streams_of_a_file_on_disk_are_not_read_into_memory(tmp_path):
    size = 2**23
    tokens = np.memmap(tmp_path / "tokens.bin", dtype=np.uint16, mode="w+", shape=size)  # 16 MiB, sparse
    tokens[-5:] = range(5)
    tracemalloc.start()
    try:
        streams = cut_streams(tokens, 4)
        inputs, targets = window(streams, 1000, num_windows(streams, 1000) - 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**18
    assert np.shares_memory(streams.inputs, tokens) and np.shares_memory(streams.targets, tokens)
    assert inputs[-1, -1] == 0 and targets[-1, -1] == 1  # 2²³ - 1 predictions in 4 streams leave a rest of 3


def test_tokens_that_cannot_be_cut_are_refused():
    with pytest.raises(ValueError, match="N = 3 streams need at least 4 tokens"):
        cut_streams(np.arange(3), 3)
    with pytest.raises(TypeError, match="tokens must be integers"):
        cut_streams(np.arange(9.0), 3)


SEQUENCES = st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=9), min_size=1, max_size=6)


@EXAMPLES
@given(SEQUENCES, st.sampled_from([int, np.uint8, np.uint64, np.int32]))
def test_a_padded_batch_holds_each_sequence_and_nothing_else(sequences, dtype):
    inputs, targets, mask = pad_sequences(read_only([np.array(sequence, dtype) for sequence in sequences]))
    T, N = max(map(len, sequences)) - 1, len(sequences)
    assert inputs.shape == targets.shape == mask.shape == (T, N)
    assert mask.dtype == bool and inputs.dtype.kind == targets.dtype.kind == "i"
    for n, sequence in enumerate(sequences):
        length = len(sequence) - 1
        assert inputs[:, n].tolist() == sequence[:-1] + [0] * (T - length)
        assert targets[:, n].tolist() == sequence[1:] + [-1] * (T - length)
        assert mask[:, n].tolist() == [True] * length + [False] * (T - length)


@pytest.mark.parametrize(
    ("sequences", "error", "message"),
    [
        ([], ValueError, "one sequence or more"),
        ([[1, 2], [3]], ValueError, "two tokens or more"),
        ([[1, 2], [3, -1]], ValueError, "-1 would mean"),
        ([[[1, 2], [3, 4]]], ValueError, r"a sequence must be of shape \(number of tokens,\)"),
        (["ab"], TypeError, "must be integers"),
        ([1, 2, 3], ValueError, r"got shape \(\)"),
        (np.array(5), TypeError, "sequences must be a list; got ndarray"),
    ],
)
def test_sequences_that_cannot_be_padded_are_refused(sequences, error, message):
    with pytest.raises(error, match=message):
        pad_sequences(sequences)


def test_streams_cannot_be_written_to_and_a_copy_can_hold_minus_one():
    tokens = np.arange(9, dtype=np.uint8)
    streams = cut_streams(tokens, 2)
    for array in streams:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    tokens[0] = 5  # the tokens themselves are the caller's
    targets = streams.targets.astype(int)
    targets[0] = -1
    assert targets.min() == -1
