"""Prints a walk, section by section, each gradient with its check, and what came of the checks."""

import inspect
from pathlib import Path

from numpylm.stepping.layout import group_lines, groups, heading, shown_indices

PACKAGE = Path(__file__).parent.parent


def show(walk, sections, width):
    """Prints sections as they are computed; returns (how many numbers were checked, the largest error, the titles and
    symbols of the gradients that are wrong)."""
    number, worst, wrong = 0, 0.0, []
    for section in sections:
        print(heading(section.title, where(section.function), width))
        for group in groups(section.entries):
            checks = [checked(walk, entry) for entry in group]
            print("\n".join(group_lines(group, checks, width)))
            for entry, check in zip(group, checks, strict=True):
                if check is not None:
                    number, worst = number + entry.value.size, max(worst, check.error)
                    wrong += [] if check.ok else [f"{entry.symbol} ({section.title})"]
        print(flush=True)
    return number, worst, wrong


def checked(walk, entry):
    """The Check of an entry that is a gradient, None for any other."""
    if entry.place is None:
        return None
    return walk.computation.check(entry.value, entry.place, shown_indices(entry))


def where(function):
    """A function's name, file and line, as an editor finds them."""
    if function is None:
        return ""
    file = Path(inspect.getsourcefile(function)).relative_to(PACKAGE.parent)
    return f"{function.__name__}, {file.as_posix()}:{inspect.getsourcelines(function)[1]}"
