"""Memory-mapped arrays: read to the end without being kept, and nobody's changes lost."""

import mmap
import sys

import numpy as np
import pytest

from numpylm.data import mapped
from numpylm.data.batches import cut_streams, num_windows, window
from numpylm.data.mapped import blocks, release, value_range

MIB = 2**20
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture
def large(tmp_path):
    """A memory-mapped array of 64 MiB."""
    with open(tmp_path / "large.bin", "wb") as file:
        for number in range(64):
            file.write(bytes([number]) * MIB)
    return np.memmap(tmp_path / "large.bin", np.uint8, "r", offset=100)


def resident_file_pages():
    """MiB of files' pages in this process's memory."""
    with open("/proc/self/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["RssFile"].split()[0]) / 1024


def test_blocks_are_the_array_in_order_and_views(large):
    assert np.array_equal(np.concatenate(list(blocks(large))), large)
    assert all(np.shares_memory(block, large) for block in blocks(large))
    assert [len(block) for block in blocks(np.arange(5))] == [5]
    assert list(blocks(np.arange(0))) == []


def test_the_range_of_values_in_any_block_counts(monkeypatch):
    monkeypatch.setattr(mapped, "BLOCK_BYTES", 16)
    values = np.array([5, 3, 9, 4, 7, 2, 8], np.int64)
    for shift in range(7):
        assert value_range(np.roll(values, shift)) == (2, 9)


@on_linux
def test_what_was_read_is_given_back_and_can_be_read_again(large):
    before = resident_file_pages()
    assert large.max() == 63 and resident_file_pages() > before + 50, "otherwise this test shows nothing"
    release(large)
    assert resident_file_pages() < before + 5
    assert large[0] == 0 and large[-1] == 63


@on_linux
def test_only_the_part_that_was_named_is_given_back(large):
    large.max()
    before = resident_file_pages()
    release(large[: 32 * MIB])
    assert before - 35 < resident_file_pages() < before - 30
    release(large[:0])
    release(large[::-1][: 16 * MIB])
    assert before - 51 < resident_file_pages() < before - 45


@on_linux
@pytest.mark.parametrize(
    "read",
    [
        lambda tokens: value_range(tokens),
        lambda tokens: [block.max() for block in blocks(tokens)],
        lambda tokens: read_all_windows(cut_streams(tokens, 4)),
    ],
    ids=["value_range", "blocks", "windows"],
)
def test_reading_all_of_a_mapped_stream_keeps_little_of_it(large, read, monkeypatch):
    peaks = []
    monkeypatch.setattr(mapped, "release", lambda array: peaks.append(resident_file_pages()) or release(array))
    monkeypatch.setattr("numpylm.data.batches.release", mapped.release)
    before = resident_file_pages()
    read(large)
    assert max(peaks) < before + 24 and resident_file_pages() < before + 24
    assert len(peaks) >= 4


def read_all_windows(streams):
    for k in range(num_windows(streams, 4096)):
        window(streams, 4096, k)


def test_changes_to_a_writable_array_are_never_given_back(tmp_path):
    (tmp_path / "bytes").write_bytes(bytes(MIB))
    for mode in ("c", "r+"):
        array = np.memmap(tmp_path / "bytes", np.uint8, mode)
        array[:] = 7
        release(array)
        assert array.min() == 7
    anonymous = np.frombuffer(mmap.mmap(-1, MIB), np.uint8)
    anonymous[:] = 7
    release(anonymous)
    assert anonymous.min() == 7


def test_ordinary_arrays_and_systems_without_the_call_are_left_alone(large, monkeypatch):
    array = np.arange(10)
    release(array)
    assert array.tolist() == list(range(10))
    monkeypatch.delattr(mmap, "MADV_DONTNEED", raising=False)
    release(large)
    assert large[-1] == 63
