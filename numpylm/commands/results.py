"""What a model does on test data, as numbers of summary.json, as a table, and as examples."""

from statistics import fmean

from numpylm.commands.console import cut, terminal_width
from numpylm.data.printable import on_one_line

SHOWN = 8  # examples


def mean_by(keys, values):
    """{key: the mean of its values}, in the order in which the keys come."""
    groups = {}
    for key, value in zip(keys, values, strict=True):
        groups.setdefault(key, []).append(value)
    return {key: fmean(group) for key, group in groups.items()}


def percent(share):
    """A share as it is printed; nothing for None, which is not measured."""
    return "" if share is None else f"{100 * share:.1f} %"


def number(digits):
    """A function that gives a number, or None if it is not known, with so many digits after the point."""
    return lambda value: "-" if value is None else f"{value:.{digits}f}"


def rows_of(fields, named):
    """The rows of a table of one column. named maps a field to a row's name, and to the function that shows its value:
    nothing, where there is to be no row. A field that is a dict has a row for each of its values."""
    rows = {}
    for field, (name, shown) in named.items():
        value = fields.get(field)
        several = value.items() if isinstance(value, dict) else [("", value)]
        rows |= {name + key: [shown(one)] for key, one in several if field in fields and shown(one)}
    return rows


def print_table(title, heads, rows):
    """Prints a title, the heads of the columns if there are any, and for each name in rows its cells, which are
    strings. A name that is too long for the terminal is cut."""
    print(cut(on_one_line(title), terminal_width() - 1))
    lines = ([("", heads)] if heads and rows else []) + list(rows.items())
    widths = [max(map(len, column)) + 2 for column in zip(*[cells for _, cells in lines], strict=True)]
    names = min(max((len(name) for name in rows), default=0) + 2, terminal_width() - 1 - sum(widths))
    for name, cells in lines:
        shown = cut(f"  {on_one_line(name)}", names)
        print(f"{shown:<{names}}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)))


def print_examples(title, examples):
    """Prints a title and the first examples; each is a list of pairs (mark, line)."""
    rows = [row for example in examples[:SHOWN] for row in example]
    marks = max((len(mark) for mark, _ in rows), default=0)
    print(f"\n{title}")
    for mark, line in rows:
        print(cut(f"  {mark:<{marks}}  {on_one_line(line)}", terminal_width() - 1))
