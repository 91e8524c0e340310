"""Reading, changing and forging sealed zip files (numpylm/data/archive.py), for tests of what reads them."""

import io
import json
import tracemalloc
import zipfile
from contextlib import contextmanager

import numpy as np

from numpylm.checkpoint import TRAINING, TrainingRecord
from numpylm.data.archive import METADATA, seal


def read_members(path):
    """{member: its bytes}."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(path, members, compression=zipfile.ZIP_STORED, comment=None):
    """Write pairs (member, its bytes), or a dict of them, with the right seal or another comment."""
    pairs = members.items() if isinstance(members, dict) else members
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in pairs:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
        archive.comment = seal(archive) if comment is None else comment
    return path


def npy(array, **options):
    """An array as .npy bytes."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), **options)
    return stream.getvalue()


def read_file(path):
    """(metadata, {name: array}) of a checkpoint, as numpy.load gives them, unchecked."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file if f"{name}.npy" in file.zip.namelist()}
    return json.loads(read_members(path)[METADATA]), arrays


def rewrite(path, metadata=None, arrays=None):
    """Put other metadata or arrays into a checkpoint, with right checksums; vocabularies stay."""
    members = read_members(path)
    if metadata is not None:
        members[METADATA] = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
    if arrays is not None:
        members = {name: content for name, content in members.items() if not name.endswith(".npy")}
        members |= {f"{name}.npy": npy(array) for name, array in arrays.items()}
    return write_members(path, members)


def record_of(model, N=3, **fields):
    """A TrainingRecord such as a run of Adam saves in the middle of an epoch; N = 0 streams: before its first step."""
    rng = np.random.default_rng(1)
    shapes = {f"optimizer.{slot}.{name}": a.shape for slot in ("m", "v") for name, a in model.parameters().items()}
    for layer, state in enumerate(model.initial_state(N) if N else ()):
        shapes |= {f"carried.{layer}.{name}": array.shape for name, array in state._asdict().items()}
    arrays = {name: rng.standard_normal(shape).astype(model.dtype) for name, shape in shapes.items()}
    others = {"num_streams": N, "optimizer": "adam", "valid_losses": [3.5, 3.25]}
    others |= {"rng": np.random.default_rng(2).bit_generator.state, "running": {"nats": 2.5, "num_rows": 7}}
    others |= fields if N else {"step": 0} | fields
    return TrainingRecord(arrays if others.get("step", 1) else {}, dict.fromkeys(TRAINING, 5) | others)


@contextmanager
def little_memory(most):
    """A block that must take less than so many bytes of memory at its peak."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
