"""A choice that a user makes: a field of a dataclass, with its default and a sentence that explains it.

    @dataclass(frozen=True)
    class Settings:
        batch_size: int = choice(32, "sequences in a batch", "-N", metavar="N")

The default and the sentence stand here and nowhere else: the command line makes its options and their help from the
fields (commands/options.py).
"""

from dataclasses import field

GROUPS = ("what to train", "how long, and where to", "sizes", "optimizer and schedule", "the model's own options")
TRAINED, TIME, SIZES, OPTIMIZER, OWN = GROUPS


def choice(
    default, help, short=None, *, flag=None, metavar=None, choices=None, nargs=None, shown=None,
    group=TRAINED, place=False,
):  # fmt: skip
    """A dataclass field that is an option too.

    short, flag   the option's short name, and its long one where that is not the field's ("--clip" for max_norm)
    shown         what the help shows as the default, where the value itself says little; {default} stands for it
    group         the heading in the help, one of GROUPS
    place         whether it says where the data are: a resumed run may be told a new place
    """
    return field(
        default=default,
        metadata={
            "help": help, "short": short, "flag": flag, "metavar": metavar, "choices": choices, "nargs": nargs,
            "shown": shown, "group": group, "place": place,
        },
    )  # fmt: skip


def again(cls, name, default, **changed):
    """The choice that a dataclass has under this name with another default, and what else is changed of it."""
    return field(default=default, metadata={**cls.__dataclass_fields__[name].metadata, **changed})
