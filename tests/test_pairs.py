import gzip

import numpy as np
import pytest

from numpylm.data.pairs import Pair, encode_lines, pad, read_pairs, split_pairs
from numpylm.data.text import build_vocabulary, decode

LINES = [f"satz {k} ." for k in range(40)], [f"sentence {k} ." for k in range(40)]


def write(path, lines, compress=False):
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if compress else content)
    return str(path)


def all_pairs(parts):
    return sorted(pair for pairs in parts.values() for pair in pairs)


@pytest.mark.parametrize("names", ["train val test_2016", "training dev test2016", "train valid test_2016_flickr"])
def test_two_files_one_file_and_a_folder_give_the_same_pairs(tmp_path, names):
    pairs = sorted(map(Pair, *LINES))
    two = write(tmp_path / "a.de", LINES[0]), write(tmp_path / "a.en.gz", LINES[1], compress=True)
    one = write(tmp_path / "a.tsv", [f"{s}\t{t}\tsomebody" for s, t in zip(*LINES, strict=True)])
    assert all_pairs(read_pairs(source=two[0], target=two[1])) == all_pairs(read_pairs(one)) == pairs
    folder = tmp_path / "folder"
    folder.mkdir()
    for part, (start, end) in zip(names.split(), ((0, 30), (30, 35), (35, 40)), strict=True):
        write(folder / f"{part}.de", LINES[0][start:end])
        write(folder / f"{part}.en.gz", LINES[1][start:end], compress=True)
    parts = read_pairs(folder, "de", "en")
    assert {name: len(part) for name, part in parts.items()} == {"train": 30, "valid": 5, "test": 5}
    assert all_pairs(parts) == pairs
    assert read_pairs(folder, ".en", ".de")["test"][0] == Pair("sentence 35 .", "satz 35 .")


def test_a_source_sentence_stays_in_one_part():
    pairs = [Pair(f"s {k % 30}", f"t {k}") for k in range(90)]
    parts = split_pairs(pairs)
    sources = {part: {pair.source for pair in pairs} for part, pairs in parts.items()}
    assert {part: len(pairs) for part, pairs in parts.items()} == {"train": 78, "valid": 6, "test": 6}
    assert not sources["train"] & sources["test"] and not sources["valid"] & sources["test"]
    assert split_pairs(pairs) == parts != split_pairs(pairs, seed=1)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (["a", "b", "c"], ["x"], "a.de has 3 lines and .*a.en has 1: line 2 is the first without a partner"),
        (["a"], ["x", "y"], "a.de has 1 lines and .*a.en has 2: line 2 is the first"),
        (["a", " ", "c"], ["x", "y", "z"], "a.de and .*a.en, line 2: the source must be a sentence; got ''"),
        (["a", "b", "c"], ["x", "y", ""], "line 3: the target must be a sentence"),
        (["a", "a", "a"], ["x", "y", "z"], "three parts need three different source sentences or more; got 1"),
    ],
)
def test_pairs_that_are_none_are_named(tmp_path, source, target, message):
    paths = write(tmp_path / "a.de", source), write(tmp_path / "a.en", target)
    with pytest.raises(ValueError, match=message):
        read_pairs(source=paths[0], target=paths[1])


def test_files_that_hold_no_pairs_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"a\.tsv, line 2: expected a sentence, a tab and its translation"):
        read_pairs(write(tmp_path / "a.tsv", ["a\tx", "b x"]))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_pairs(tmp_path / "missing.tsv")
    with pytest.raises(ValueError, match="--source and --target belong together"):
        read_pairs(source="a.de")
    with pytest.raises(
        ValueError, match=r"train\.tsv, train\.tsv\.gz; it has train: \[\]; .*; where the pairs are in two"
    ):
        read_pairs(tmp_path)
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"a\tx\n")[:-3])
    with pytest.raises(ValueError, match=r"b\.gz is a damaged gzip file"):
        read_pairs(tmp_path / "b.gz")
    (tmp_path / "latin").write_bytes("a\tß\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin is not UTF-8 text: byte 2 \(0xdf, line 1\)"):
        read_pairs(tmp_path / "latin")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(ValueError, match="empty is empty, expected a text"):
        read_pairs(tmp_path / "empty")


@pytest.mark.parametrize("level", ["word", "char"])
def test_lines_become_padded_batches_and_lines_again(level):
    lines = ["the cat sleeps", "it", "a b c d"]
    vocabulary = build_vocabulary("\n".join(lines) + "\n", level)
    ids = encode_lines(vocabulary, lines)
    assert [decode(vocabulary, sentence[:-1]) for sentence in ids] == lines
    end = ids[0][-1]
    batch = pad(ids[:2], ids[1:], end)
    np.testing.assert_array_equal(batch.source_mask.sum(axis=0), [len(ids[0]), len(ids[1])])
    for n in range(2):
        length = len(ids[n + 1])
        assert batch.source[: len(ids[n]), n].tolist() == ids[n].tolist()
        assert batch.inputs[:length, n].tolist() == [end, *ids[n + 1][:-1]]
        assert batch.targets[:length, n].tolist() == ids[n + 1].tolist()
        assert (batch.targets[length:, n] == -1).all() and (batch.source[len(ids[n]) :, n] == 0).all()
