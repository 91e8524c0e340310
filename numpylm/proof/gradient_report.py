"""What a gradient check found: a table for the terminal and the notebook, and a picture of where the errors are."""

import html
from typing import NamedTuple

import numpy as np


class WrongGradient(AssertionError):
    """Raised by GradientReport.raise_if_wrong; its message is the whole report."""


class Row(NamedTuple):
    """One array of the check. index, claimed and numeric belong to its worst entry; relative_error is
    |claimed - numeric| / max(|claimed|, |numeric|) there; error holds |claimed - numeric| of every entry (NaN: not
    checked), or None for a projection; largest is the largest |numeric|."""

    name: str
    shape: tuple
    index: tuple | None
    claimed: float
    numeric: float
    relative_error: float
    num_checked: int
    num_wrong: int
    num_kinks: int
    error: np.ndarray | None
    largest: float
    wrong: np.ndarray | None = None  # booleans: which entries are wrong; None for a projection
    is_unjudged: bool = False  # a projection that says neither right nor wrong


class GradientReport(NamedTuple):
    """The result of check_gradients. print(report), a debugger and the interpreter show it as text; a notebook, as a
    table."""

    rows: list
    complaints: list  # sentences about what is wrong beside values: names, shapes, dtypes, repeated calls
    method: str
    tolerance: tuple
    diagnosis: tuple = ()  # sentences about what is likely wrong, the most likely first
    precision: float = 0.0  # of f, relative, where it is less than float64's; else 0

    @property
    def ok(self):
        """Whether every gradient was there and right."""
        return not self.complaints and all(row.num_wrong == 0 for row in self.rows)

    @property
    def worst(self):
        """The row with the largest relative error, rows with wrong entries first; None without rows."""
        return max(self.rows, key=lambda row: (row.num_wrong > 0, row.relative_error), default=None)

    def raise_if_wrong(self):
        """Raises WrongGradient, with the report as its message, unless ok."""
        if not self.ok:
            raise WrongGradient(str(self))

    def __str__(self):
        lines = [self._verdict(), "", *table(self.rows)] if self.rows else [self._verdict()]
        lines += paragraphs("!", [*self.complaints, *self._precision_note()]) + paragraphs("->", self.diagnosis)
        return "\n".join(lines).rstrip()

    def __repr__(self):
        return str(self)  # a tuple's own would write out every array of errors

    def _verdict(self):
        if self.ok:
            return f"gradients are right, by {self.method}{at_kinks(sum(row.num_kinks for row in self.rows))}"
        wrong = [row.name for row in self.rows if row.num_wrong]
        return f"gradients are WRONG: {', '.join(wrong)}" if wrong else "gradients are NOT PROVED"

    def _precision_note(self):
        if not self.precision:
            return []
        return [
            f"f's value has a relative precision of {self.precision:.0e} only, as if a part of it were computed in "
            "float32: the gradients are judged at that precision"
        ]

    def _repr_html_(self):
        color = "#009e73" if self.ok else "#d55e00"
        lines = [html_row("th", HEAD)]
        lines += [html_row("td", cells(row), color if row.num_wrong else None) for row in self.rows]
        shown = f"<table>{''.join(lines)}</table>" if self.rows else ""
        notes = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in [*self.complaints, *self._precision_note(), *self.diagnosis])
        return f"<b style=color:{color}>{html.escape(self._verdict())}</b>{shown}{f'<ul>{notes}</ul>' if notes else ''}"

    def plot(self, path=None):
        """A heat map of log10 |claimed - numeric| for each array: a wrong gate or step is seen as a block.

        Returns the matplotlib figure; writes it to path if one is given.
        """
        from numpylm.proof.error_map import error_map

        return error_map(self, path)


HEAD = ("gradient of", "shape", "worst at", "claimed", "numeric", "error", "wrong")
WIDTHS = (14, 10, 8, 11, 11, 6, 8)


def cells(row):
    """One row's cells as text."""
    at = "-" if row.index is None else ",".join(map(str, row.index)) or "()"
    wrong = f"{row.num_wrong}/{row.num_checked}" if row.index is not None else said_of(row)
    shape = "x".join(map(str, row.shape)) or "-"
    return (
        row.name, shape, at, f"{row.claimed:.4g}", f"{row.numeric:.4g}", f"{row.relative_error:.0e}", wrong,
    )  # fmt: skip


def said_of(row):
    """What is said of a projection, or of an array without entries."""
    return "WRONG" if row.num_wrong else "unjudged" if row.is_unjudged else "right"


def at_kinks(count):
    """How many entries could only be judged by the slopes on both sides; nothing where there are none."""
    which = "1 entry lies at a kink" if count == 1 else f"{count} entries lie at a kink"
    return f" ({which}, where it takes one of the slopes)" if count else ""


def html_row(tag, texts, color=None):
    """One line of an HTML table: the name to the left, numbers to the right."""
    styles = [f"padding:2px 10px;text-align:{'right' if column else 'left'}" for column in range(len(texts))]
    inside = "".join(
        f'<{tag} style="{style}">{html.escape(text)}</{tag}>' for style, text in zip(styles, texts, strict=True)
    )
    return f'<tr style="color:{color}">{inside}</tr>' if color else f"<tr>{inside}</tr>"


def table(rows):
    """The rows as aligned lines of 80 columns."""
    lines = [HEAD, *map(cells, rows)]
    return [
        "  ".join(pad(cell, width, k) for k, (cell, width) in enumerate(zip(line, WIDTHS, strict=True)))
        for line in lines
    ]


def pad(cell, width, column):
    """A name to the left of its column, its end kept where it is too long; anything else to the right."""
    if column == 0:
        return cell.ljust(width) if len(cell) <= width else "…" + cell[1 - width :]
    return cell.rjust(width)


def paragraphs(mark, sentences):
    """Sentences as paragraphs of 80 columns, each after a mark."""
    from textwrap import wrap

    lines = []
    for sentence in sentences:
        for k, part in enumerate(sentence.split("\n")):
            start = f"{mark} " if k == 0 else " " * (len(mark) + 1)
            lines += wrap(part, 80, initial_indent=start, subsequent_indent=" " * (len(mark) + 1)) or [""]
    return ["", *lines] if lines else []
