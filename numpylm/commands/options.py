"""From the fields of dataclasses (base/choices.py) to a command's options, and from parsed options to the dataclass."""

import argparse
from dataclasses import fields
from types import UnionType

from numpylm.base.choices import GROUPS


def add_choices(parser, *classes):
    """Adds an option for each field of the dataclasses, under the groups' headings, and returns the groups by heading.
    What is not given stays out of the parsed options."""
    parser_groups = {title: parser.add_argument_group(title) for title in GROUPS}
    for title, group in parser_groups.items():
        for field in (field for cls in classes for field in fields(cls)):
            if field.metadata.get("group") == title:
                add_choice(group, field)
    return parser_groups


def add_choice(group, field):
    """Adds the option of one field."""
    about = field.metadata
    names = [name for name in (about["short"], flag(field)) if name]
    keywords = {"dest": field.name, "default": argparse.SUPPRESS, "help": help_text(field)}
    if not names[-1].startswith("-"):  # an argument: its flag is what the help calls it
        names, keywords["metavar"] = [keywords.pop("dest")], names[-1]
        group.add_argument(*names, type=str, nargs=about["nargs"] or "?", **keywords)
        return
    if value_type(field) is bool:
        group.add_argument(*names, action="store_true", **keywords)
        return
    kind = float if value_type(field) is tuple else value_type(field)
    group.add_argument(
        *names, type=kind, choices=about["choices"], nargs=about["nargs"], metavar=about["metavar"], **keywords
    )


def flag(field):
    """How a field's option is typed: batch_size -> --batch-size; a flag without - is an argument's name."""
    return field.metadata["flag"] or "--" + field.name.replace("_", "-")


def value_type(field):
    """int, float, str, bool or tuple, from a field's annotation such as int | None."""
    if isinstance(field.type, UnionType):
        return next(kind for kind in field.type.__args__ if kind is not type(None))
    return field.type


def help_text(field):
    """The field's sentence, with its default in brackets."""
    shown, default = field.metadata["shown"], field.default
    if shown is None and default is not None and default is not False:
        numbers = default if isinstance(default, tuple) else [default]
        shown = " ".join(f"{number:g}" if isinstance(number, float) else str(number) for number in numbers)
    shown = f" ({shown.format(default=default)})" if shown else ""
    return (field.metadata["help"] + shown).replace("%", "%%")


def chosen(cls, options):
    """The dataclass made of those parsed options that are its fields."""
    given = {field.name: getattr(options, field.name) for field in fields(cls) if hasattr(options, field.name)}
    return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


def flags_given(options, *classes):
    """The options that were given, as they are typed, among the fields of the dataclasses."""
    return [flag(field) for cls in classes for field in fields(cls) if hasattr(options, field.name)]


def place_flags(cls, data):
    """The options that say where the data are, of those that are set."""
    return [flag(field) for field in fields(cls) if field.metadata.get("place") and getattr(data, field.name)]
