"""The messages between `check` and the process that runs a student's code: JSON and the bytes of plain arrays.

Nothing that arrives is executed or unpickled, and every size has a limit. The child process uses this file too, without
numpylm: it is sent as text (child.py).
"""

import dataclasses
import json
import struct
from collections import namedtuple

import numpy as np

MAX_JSON = 2 * 2**20  # bytes of a message's structure
MAX_DATA = 32 * 2**20  # bytes of its arrays
MAX_NODES = 20_000  # values in one message
MAX_DEPTH = 8
HEADER = struct.Struct("<4sII")
MARK = b"nlm1"
KINDS = "fiubc"  # real, integer, unsigned, boolean, complex


class Record(dict):
    """A named record or an object that came over the wire: its fields by name."""


class Thing(str):
    """A value that is no data, such as a function: a few words on what it was."""


class TooMuch(ValueError):
    """A message would be larger than the limits."""


def write_message(stream, tree):
    """Write one tree of plain values. Raises TooMuch for a tree above the limits."""
    blobs = []
    text = json.dumps(encode(tree, blobs, [0])).encode()
    data = b"".join(blobs)
    if len(text) > MAX_JSON or len(data) > MAX_DATA:
        raise TooMuch(f"more than {MAX_DATA // 2**20} MB")
    stream.write(HEADER.pack(MARK, len(text), len(data)) + text + data)
    stream.flush()


def read_message(stream, make_record=None):
    """Read one message as a tree; None at the stream's end. Raises ValueError for anything else."""
    head = stream.read(HEADER.size)
    if not head:
        return None
    if len(head) < HEADER.size:
        raise ValueError("a message ends in its header")
    mark, text_size, data_size = HEADER.unpack(head)
    if mark != MARK or text_size > MAX_JSON or data_size > MAX_DATA:
        raise ValueError("no message of ours")
    text, data = stream.read(text_size), stream.read(data_size)
    if len(text) < text_size or len(data) < data_size:
        raise ValueError("a message ends early")
    try:
        return decode(json.loads(text), data, make_record or make_plain_record)
    except (TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError("no message of ours") from error


def encode(value, blobs, count, depth=0):
    """A value as JSON, in which arrays are places in the list of blobs."""
    count[0] += 1
    if count[0] > MAX_NODES:
        raise TooMuch(f"more than {MAX_NODES} values")
    if value is None or (isinstance(value, bool | int | float) and not isinstance(value, np.generic)):
        return value if not isinstance(value, int) or abs(value) < 2**63 else {"thing": "a huge integer"}
    if isinstance(value, str):
        return {"thing": str(value)} if isinstance(value, Thing) else str(value)[:1000]
    if isinstance(value, np.ndarray | np.generic):
        return encode_array(np.asarray(value), blobs)
    if depth > MAX_DEPTH:
        return {"thing": "a deeply nested value"}

    def inner(tree):
        return encode(tree, blobs, count, depth + 1)

    if isinstance(value, dict):
        return {"dict": [[inner(key), inner(item)] for key, item in value.items()]}
    fields = record_fields(value)
    if fields is not None:
        kind = type(value)
        names = [
            n for n in dir(kind) if kind.__module__.startswith("numpylm.") and isinstance(getattr(kind, n), property)
        ]
        parts = {"fields": fields, "views": {name: getattr(value, name) for name in names}}  # a view: W_xi of W_x
        return {"record": kind.__name__} | {
            part: [[str(n), inner(v)] for n, v in held.items()] for part, held in parts.items()
        }
    if isinstance(value, tuple | list):
        return {"tuple" if isinstance(value, tuple) else "list": [inner(item) for item in value]}
    return {"thing": f"a {type(value).__name__}"}


def encode_array(array, blobs):
    """An array of numbers as its dtype, shape and place; another array as a few words."""
    if array.dtype.kind not in KINDS:
        return {"thing": f"an array of shape {array.shape} ({array.dtype})"}
    if array.nbytes > MAX_DATA or sum(map(len, blobs)) + array.nbytes > MAX_DATA:
        raise TooMuch(f"an array of shape {array.shape}")
    start = sum(map(len, blobs))
    blobs.append(np.ascontiguousarray(array).tobytes())
    return {"array": [array.dtype.str, list(array.shape), start]}


def record_fields(value):
    """The fields of a named tuple, dataclass or object; None for any other value."""
    if hasattr(value, "_fields") and isinstance(value, tuple):
        return dict(zip(value._fields, value, strict=True))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value):
        return dict(vars(value))
    return None


def views_of(value):
    """The named views of one of our own records: W_xi of W_x, and so on."""
    kind = type(value)
    names = dir(kind) if kind.__module__.startswith("numpylm.") else ()
    return {name: getattr(value, name) for name in names if isinstance(getattr(kind, name), property)}


def decode(value, data, make_record):
    """The value of a piece of JSON. Raises ValueError for what encode cannot have written."""
    if isinstance(value, list):
        return [decode(item, data, make_record) for item in value]
    if not isinstance(value, dict):
        return value

    def inner(tree):
        return decode(tree, data, make_record)

    if "array" in value:
        return decode_array(*value["array"], data)
    if "dict" in value:
        keys = [inner(key) for key, _ in value["dict"]]
        keys = [key if isinstance(key, str | int | float) else str(key) for key in keys]
        return dict(zip(keys, [inner(item) for _, item in value["dict"]], strict=True))
    if "record" in value:
        fields, views = ({str(n): inner(v) for n, v in value[part]} for part in ("fields", "views"))
        return make_record(str(value["record"]), fields, views)
    if "tuple" in value:
        return tuple(inner(item) for item in value["tuple"])
    return inner(value["list"]) if "list" in value else Thing(value["thing"])


def decode_array(dtype, shape, start, data):
    """An array that owns its memory. Raises ValueError where the message holds too few bytes for it."""
    dtype = np.dtype(str(dtype))
    size = dtype.itemsize
    for length in shape:
        size *= int(length)
        if not 0 <= int(length) <= MAX_DATA or size > MAX_DATA:
            raise ValueError("an array of an impossible shape")
    if dtype.kind not in KINDS or not 0 <= start <= len(data) - size:
        raise ValueError("an array that is not there")
    return np.frombuffer(data[start : start + size], dtype).reshape([int(n) for n in shape]).copy()


def make_plain_record(kind, fields, views):
    """A record as it arrives at the parent, without views."""
    return Record(fields)


def make_record(kind, fields, views):
    """A record from the parent: a named tuple whose fields can be had as record["h_prev"] too, with named views."""

    def get(self, key):
        return getattr(self, key) if isinstance(key, str) else tuple.__getitem__(self, key)

    return type(kind, (namedtuple(kind, fields),), {"__getitem__": get} | views)(*fields.values())
