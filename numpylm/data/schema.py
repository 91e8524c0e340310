"""What JSON from a file may hold: a description, and a check that compares the two. The JSON's size is bounded.

    RECORD = {"step": count, "losses": [number], "minutes": optional(number), "optimizer": one_of("sgd", "adam")}
    check("the record", decode_json(content), RECORD)

A description is one of
    a dict         an object with exactly these fields; {str: X} is one with fields of any names, each an X
    a list [X]     a list of any length, each entry an X
    a function     (name, value), which raises ValueError, as those of base/require.py do
    a type         int is a count, float a finite number, a dataclass a record of its fields, X | None is null or an X
"""

import dataclasses
import json
import reprlib
import typing

from numpylm.base.require import finite_number, must_be, non_negative_number

MAX_JSON_BYTES = 4 * 2**20  # hostile JSON takes 30 times as much memory when it is parsed


def check(name, value, description):
    """The value, if it is as described. Raises ValueError with the name of the first part that is not."""
    if dataclasses.is_dataclass(description):
        description = fields_of(description)
    if kinds := typing.get_args(description):  # of X | None
        optional(kinds[0])(name, value)
    elif isinstance(description, dict):
        record(name, value)
        if str in description:
            description = dict.fromkeys(value, description[str])
        if missing := [field for field in description if field not in value]:
            raise ValueError(f"{name} lacks {', '.join(missing)}")
        if surplus := [field for field in value if field not in description]:
            raise ValueError(f"{name} has fields that belong to nothing: {reprlib.repr(surplus)}")
        for field, of_field in description.items():
            check(f"{name}.{field[:40]}", value[field], of_field)
    elif isinstance(description, list):
        array(name, value)
        for item in value:
            check(f"an entry of {name}", item, description[0])
    else:
        OF_TYPE.get(description, description)(name, value)
    return value


def integer_below(bound, words):
    """An integer from 0 to bound - 1."""
    return must_be(f"an integer from 0 to {words}", lambda value: type(value) is int and 0 <= value < bound)


def one_of(*choices):
    """One of a few strings or integers."""
    words = " or ".join(map(repr, choices))
    return must_be(words, lambda value: type(value) in (str, int) and value in choices)


def optional(description):
    """null, or what is described."""
    return lambda name, value: value is None or check(name, value, description)


count = integer_below(2**53, "2^53")  # a float holds every integer below
number = non_negative_number
boolean = must_be("true or false", lambda value: type(value) is bool)
string = must_be("a string", lambda value: type(value) is str)
record = must_be("an object with fields", lambda value: type(value) is dict)  # the fields are somebody else's to check
array = must_be("a list", lambda value: type(value) is list)  # and so are the entries
OF_TYPE = {int: count, float: finite_number, bool: boolean, str: string, dict: record, list: array, tuple: array}


def fields_of(cls, **described):
    """The description of a dataclass's fields: their types. `described` replaces a field's, and None leaves it out."""
    hints = typing.get_type_hints(cls)
    found = {field.name: described.get(field.name, hints[field.name]) for field in dataclasses.fields(cls)}
    return {name: description for name, description in found.items() if description is not None}


def encode_json(value):
    """A value as JSON. Raises ValueError for NaN or infinity in it, and if it is too long."""
    content = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    _check_size(len(content))
    return content


def decode_json(content):
    """The value in JSON of at most MAX_JSON_BYTES. Raises ValueError for anything else, NaN and Infinity included."""
    _check_size(len(content))
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None


def _check_size(size):
    if size > MAX_JSON_BYTES:
        raise ValueError(f"its JSON has {size:,} bytes; expected at most {MAX_JSON_BYTES:,}")


def _refuse_constant(name):
    raise ValueError(f"its JSON holds {name}, which is no number")
