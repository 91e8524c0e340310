"""Damages checkpoints and token files in many ways, and counts what is then loaded wrongly. It must be nothing.

    python benchmarks/damage_checkpoints.py [--count 20000] [--seed 0]

Each damaged file is loaded. Either a CheckpointError (TokenFileError) says so, or everything in it is as it was
written. Anything else is counted: other values, another exception, and more than 64 MiB of memory for a small file.

    bits          one to four bits flipped
    bytes         a run of bytes overwritten at random, or by zeros
    cut           cut off, or a piece removed or doubled
    swapped       two members exchanged, under the old seal
    headers       an .npy header edited (shape, dtype), with a right CRC-32, under the old seal
    json          a value of the metadata replaced, with right checksums: loaded as the new value says, or refused
    bombs         members compressed, or with huge claimed sizes, with right checksums
"""

import argparse
import io
import json
import random
import tempfile
import tracemalloc
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

from numpylm import LSTMLM, CheckpointError, build_vocabulary, load_checkpoint, save_checkpoint
from numpylm.checkpoint import TRAINING, TrainingRecord
from numpylm.data.archive import METADATA, seal
from numpylm.data.token_file import TokenFileError, open_token_file, verify, write_token_file

MOST_BYTES = 64 * 2**20
VALUES = [None, True, -1, 0, 1, 10**30, 1e308, "", "x" * 1000, [], [[]], {}, "float64", "gru", [-1.5], {"a": 1}]
SHAPES = [b"(1,)", b"(9, 3)", b"(3, 9)", b"(99999999999,)", b"(-1,)", b"()"]


def main():
    """Prints a table; exits with 1 if anything was loaded wrongly."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=20_000, help="of damaged files (20000)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance, table, peak = random.Random(options.seed), Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        files = [checkpoint(Path(folder) / "last.npz"), token_file(Path(folder) / "text.tokens")]
        for number in range(options.count):
            path, read, good = files[number % 4 == 0]
            name = chance.choice(list(DAMAGES))
            path.write_bytes(DAMAGES[name](good, chance))
            tracemalloc.start()
            table[name, outcome(path, read, read.values)] += 1
            peak = max(peak, tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    print_table(table)
    wrong = sum(count for (name, result), count in table.items() if result not in allowed(name))
    print(f"{options.count} damaged files, {wrong} loaded wrongly; at most {peak / 2**20:.1f} MiB of memory")
    return 1 if wrong or peak > MOST_BYTES else 0


def checkpoint(path):
    """(path, how to read it, its good bytes) of a checkpoint in the middle of training."""
    vocabulary = build_vocabulary("a small text\n", "char")
    model = LSTMLM(len(vocabulary), 3, 4, seed=1)
    rng = np.random.default_rng(0)
    arrays = {
        f"optimizer.{s}.{n}": rng.random(a.shape, np.float32) for s in "mv" for n, a in model.parameters().items()
    }
    arrays |= {f"carried.0.{name}": rng.random((2, 4), np.float32) for name in "hc"}
    fields = dict.fromkeys(TRAINING, 3) | {"num_streams": 2, "optimizer": "adam", "valid_losses": [2.5], "running": {}}
    record = TrainingRecord(arrays, fields | {"rng": rng.bit_generator.state})
    save_checkpoint(path, model, vocabulary, record)

    def read():
        model, vocabulary, training = load_checkpoint(path)
        arrays = {**model.parameters(), **training.arrays} if training else {}
        contents = {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}
        return contents, vocabulary, training and training.fields, repr(model)

    read.values = read()
    return path, read, path.read_bytes()


def token_file(path):
    """The same of a token file."""
    vocabulary = build_vocabulary("a small text of words\n", "word")
    pieces = [(part, np.arange(50, dtype=np.uint8) % len(vocabulary), 99) for part in range(3)]
    write_token_file(path, vocabulary, pieces)

    def read():
        verify(path)
        file = open_token_file(path)
        return {part: stream.tolist() for part, stream in file.tokens.items()}, file.vocabulary, file.characters

    read.values = read()
    return path, read, path.read_bytes()


def outcome(path, read, values):
    """What comes of reading a damaged file."""
    try:
        return "the same" if read() == values else "OTHER VALUES"
    except (CheckpointError, TokenFileError) as error:
        return "refused" if str(error).startswith(f"{path}: ") and len(str(error)) < 700 else "LONG ERROR"
    except Exception as error:  # whatever else comes out is a fault
        return type(error).__name__.upper()


def allowed(name):
    """The outcomes that are right: a changed value under right checksums is another file, not a damaged one."""
    return {"the same", "refused", "OTHER VALUES"} if name == "json" else {"the same", "refused"}


def print_table(table):
    """Prints how often each damage had each outcome."""
    for (name, result), count in sorted(table.items()):
        print(f"{name:<10}{result:<20}{count:>8}")


# Damages: (good bytes, random.Random) -> bad bytes


def bits(good, chance):
    """One to four bits flipped."""
    content = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def some_bytes(good, chance):
    """A run of bytes overwritten."""
    start, length = chance.randrange(len(good)), chance.randint(1, 40)
    new = bytes(length) if chance.random() < 0.5 else chance.randbytes(length)
    return good[:start] + new[: len(good) - start] + good[start + length :]


def cut(good, chance):
    """Cut off; or a piece removed, or doubled."""
    start, stop = sorted(chance.sample(range(len(good)), 2))
    return chance.choice([good[:start], good[:start] + good[stop:], good[:stop] + good[start:]])


def rezipped(good, change, resealed):
    """The file's members after change(members), a dict of bytes, with the old seal or a new one."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members, comment = {name: archive.read(name) for name in archive.namelist()}, archive.comment
    options = change(members) or {}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", **options) as archive:
        for name, content in members.items():
            with archive.open(name, "w", force_zip64=True) as stream:
                stream.write(content)
        archive.comment = seal(archive) if resealed else comment
    return target.getvalue()


def swapped(good, chance):
    """Two members exchanged."""

    def change(members):
        first, second = chance.sample(list(members), 2)
        members[first], members[second] = members[second], members[first]

    return rezipped(good, change, resealed=False)


def headers(good, chance):
    """An .npy header with another shape or dtype of the same length."""

    def change(members):
        name = chance.choice(list(members))
        before, found, after = members[name].partition(b"'shape': ")
        shape = chance.choice(SHAPES)
        members[name] = before + found + shape + after[len(shape) :] if found else before.swapcase() + b" "

    return rezipped(good, change, resealed=chance.random() < 0.3 and good[30:36] != b"tokens")


def changed_json(good, chance):
    """A value of the metadata replaced."""

    def change(members):
        metadata = json.loads(members[METADATA])
        holder = metadata
        while True:
            name = chance.choice(list(holder))
            if not (isinstance(holder[name], dict) and holder[name] and chance.random() < 0.8):
                break
            holder = holder[name]
        holder[name] = chance.choice(VALUES)
        members[METADATA] = json.dumps(metadata).encode()

    return rezipped(good, change, resealed=True)


def bombs(good, chance):
    """Members that would be large if they were believed."""

    def change(members):
        kind, name = chance.randrange(3), chance.choice(list(members))
        if kind == 0:
            members[name] = bytes(2**20)
            return {"compression": zipfile.ZIP_DEFLATED}
        if kind == 1:
            members[METADATA] = chance.choice([b"[" * 2**17, b"[" + b"[]," * 2**17 + b"1]", b'{"a":' * 2**14 + b"1"])
        else:
            members.update({f"{number:0200d}.npy": b"" for number in range(2500)})
        return None

    return rezipped(good, change, resealed=True)


DAMAGES = {
    "bits": bits, "bytes": some_bytes, "cut": cut, "swapped": swapped, "headers": headers, "json": changed_json,
    "bombs": bombs,
}  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main())
