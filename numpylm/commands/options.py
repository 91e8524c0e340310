"""From the fields of dataclasses (base/choices.py) to a command's options, and from parsed options to the dataclass."""

from argparse import SUPPRESS
from dataclasses import fields
from types import UnionType


def add_choice(group, field):
    """Adds the option of one field, with its default in brackets; or the argument, if its flag does not begin with -.
    What is not given stays out of the parsed options."""
    about, kind = field.metadata, field.type
    if isinstance(kind, UnionType):  # such as int | None
        kind = next(one for one in kind.__args__ if one is not type(None))
    shown, default = about["shown"], field.default
    if shown is None and default is not None and default is not False:
        numbers = default if isinstance(default, tuple) else [default]
        shown = " ".join(f"{number:g}" if isinstance(number, float) else str(number) for number in numbers)
    shown = f" ({shown.format(default=default)})" if shown else ""
    keywords = {"default": SUPPRESS, "help": (about["help"] + shown).replace("%", "%%")}
    if not flag(field).startswith("-"):
        group.add_argument(field.name, nargs=about["nargs"] or "?", metavar=flag(field), **keywords)
        return
    if kind is bool:
        keywords["action"] = "store_true"
    else:
        keywords["type"] = float if kind is tuple else kind
        keywords |= {name: about[name] for name in ("choices", "nargs", "metavar")}
    group.add_argument(*filter(None, [about["short"], flag(field)]), dest=field.name, **keywords)


def flag(field):
    """How a field's option is typed: batch_size -> --batch-size; a flag without - is an argument's name."""
    return field.metadata["flag"] or "--" + field.name.replace("_", "-")


def flags_given(options, *classes):
    """The options that were given, as they are typed, among the fields of the dataclasses."""
    return [flag(field) for cls in classes for field in fields(cls) if hasattr(options, field.name)]


def chosen(cls, options):
    """The dataclass made of those parsed options that are its fields."""
    given = {field.name for field in fields(cls)} & vars(options).keys()
    return made(cls, {name: getattr(options, name) for name in given})


def made(cls, values):
    """The dataclass of these values of its fields, in which a list stands for a tuple."""
    return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def sizes_of(choices, Sizes, **given):
    """The record of sizes and kind, such as Sizes, that a model's choices name. given is what the data decide: 1, as
    long as it is not known."""
    named = vars(choices) | {"cell": choices.model} | given
    if "one_direction" in named:
        named["bidirectional"] = not choices.one_direction
    return Sizes(**{name: named.get(name, 1) for name in Sizes._fields})
