"""The messages between `check` and the process that runs a student's code: JSON and the bytes of plain arrays.

Nothing that arrives is executed or unpickled, and every size has a limit. In JSON a number, a text and None stand for
themselves, anything else is [kind, content]; an array is its dtype and shape, and its bytes come in the same order
after the JSON. The child process uses this file too, without numpylm: it is sent as text (child.py).
"""

import dataclasses
import io
import json
import math
import re
import struct
from collections import namedtuple

import numpy as np

MAX_JSON = 2 * 2**20  # bytes of a message's structure
MAX_DATA = 32 * 2**20  # bytes of its arrays
MAX_NODES = 20_000  # values in one message
MAX_DEPTH = 12
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
    data = bytearray()
    text = json.dumps(encode(tree, data, iter(range(MAX_NODES)))).encode()
    if len(text) > MAX_JSON:
        raise TooMuch(f"more than {MAX_DATA // 2**20} MB")
    stream.write(HEADER.pack(MARK, len(text), len(data)) + text + data)
    stream.flush()


def read_message(stream, make_record=lambda kind, fields, views: Record(fields)):
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
    try:
        return decode(json.loads(text), io.BytesIO(data), make_record)
    except (TypeError, LookupError, OverflowError, RecursionError, ValueError) as error:
        raise ValueError("no message of ours") from error


def encode(value, data, left, depth=0):
    """A value as JSON; the bytes of its arrays go to the end of data. left counts the values that may still come."""
    if next(left, None) is None:
        raise TooMuch(f"more than {MAX_NODES} values")

    def inner(tree):
        return encode(tree, data, left, depth + 1)

    if isinstance(value, Thing):
        return ["thing", value]
    if isinstance(value, str):
        return str(value)[:1000]
    if isinstance(value, np.ndarray | np.generic):
        return encode_array(np.asarray(value), data)
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    kind, parts = parts_of(value)
    if kind == "thing" or depth > MAX_DEPTH:
        return ["thing", "a huge integer" if isinstance(value, int) else f"a {type(value).__name__}"]
    named = parts | views_of(value)
    pairs = [[n if type(n) in (str, int, float) else str(n), inner(part)] for n, part in named.items()]
    return [kind, [type(value).__name__, len(parts), pairs] if kind == "record" else pairs]


def encode_array(array, data):
    """An array of numbers as its dtype and shape; another array as a few words."""
    if array.dtype.kind not in KINDS:
        return ["thing", f"an array of shape {array.shape} ({array.dtype})"]
    if len(data) + array.nbytes > MAX_DATA:
        raise TooMuch(f"an array of shape {array.shape}")
    data += array.tobytes()
    return ["array", [array.dtype.str, array.shape]]


def parts_of(value):
    """(kind, name or place -> part) of a dict, list, tuple or record; ("thing", {}) of a value that has no parts."""
    if isinstance(value, dict):
        return "dict", dict(value)
    if hasattr(value, "_fields") and isinstance(value, tuple):
        return "record", dict(zip(value._fields, value, strict=True))
    if isinstance(value, list | tuple):
        return "tuple" if isinstance(value, tuple) else "list", dict(enumerate(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return "record", {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    is_data = hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value)
    return ("record", dict(vars(value))) if is_data else ("thing", {})


def views_of(value):
    """The named views of one of our own records: W_xi of W_x, and so on."""
    kind = type(value)
    names = dir(kind) if kind.__module__.startswith("numpylm.") else ()
    return {name: getattr(value, name) for name in names if isinstance(getattr(kind, name), property)}


def decode(value, data, make_record):
    """The value of a piece of JSON, with the arrays in a stream. Raises ValueError for what encode cannot have made."""
    if not isinstance(value, list | dict):
        return value
    kind, content = value
    if kind == "array":
        return decode_array(*content, data)
    if kind == "thing":
        return Thing(content)
    name, num_fields, pairs = content if kind == "record" else (None, None, content)
    parts = {key: decode(part, data, make_record) for key, part in pairs}
    if kind == "record":
        fields = {key: parts.pop(key) for key in list(parts)[:num_fields]}
        return make_record(str(name), fields, parts)
    return parts if kind == "dict" else (tuple if kind == "tuple" else list)(parts.values())


def decode_array(dtype, shape, data):
    """An array from a stream of bytes. Raises ValueError where there are too few for it."""
    size = math.prod(shape)
    if not re.fullmatch(rf"[<>|][{KINDS}]\d+", dtype) or not 0 <= size <= MAX_DATA:  # NumPy would parse any text
        raise ValueError("no array of ours")
    return np.frombuffer(bytearray(data.read(size * np.dtype(dtype).itemsize)), dtype).reshape(shape)


def make_record(kind, fields, views):
    """A record from the parent: a named tuple whose fields can be had as record["h_prev"] too, with named views."""

    def get(self, key):
        return getattr(self, key) if isinstance(key, str) else tuple.__getitem__(self, key)

    return type(kind, (namedtuple(kind, fields),), {"__getitem__": get} | views)(*fields.values())
