"""What a gradient check found: a table for the terminal and the notebook, and a picture of where the errors are."""

import html
from textwrap import wrap
from typing import NamedTuple

import numpy as np


class WrongGradient(AssertionError):
    """Raised by GradientReport.raise_if_wrong; its message is the whole report."""


class Row:
    """One array of the check, entry by entry; or one number, its slope along a random direction.

    claim and slope hold what was claimed and measured (NaN: not measured). checked, wrong and kinks are booleans.
    unsure says how large an error would not show. All have the shape of the claim. complaint is a sentence on what
    could not be judged, or None; terms is Σ |claim · direction| of a projection, else None.
    """

    def __init__(self, name, claim, shape=None, terms=None):
        self.name, self.claim, self.terms, self.complaint = name, claim, terms, None
        self.shape = claim.shape if shape is None else shape
        self.slope, self.unsure = np.full(claim.shape, np.nan), np.zeros(claim.shape)
        self.checked, self.wrong, self.kinks = (np.zeros(claim.shape, dtype=bool) for _ in range(3))

    def note(self, index, verdict):
        """Write down the Verdict on one entry."""
        self.checked[index], self.slope[index] = True, verdict.slope
        self.wrong[index], self.kinks[index], self.unsure[index] = verdict.is_wrong, verdict.is_kink, verdict.unsure

    @property
    def largest(self):
        """The largest |slope| that was measured."""
        return float(np.nanmax(np.abs(self.slope), initial=0))

    @property
    def error(self):
        """|claimed - numeric| of every entry; NaN: not checked."""
        with np.errstate(over="ignore"):
            return np.abs(self.claim - self.slope)

    @property
    def worst(self):
        """The index of the entry that is furthest off, wrong ones first; None if there is none."""
        error = np.where(self.wrong, self.error, -1) if self.wrong.any() else self.error
        if not error.size or np.isnan(error).all():
            return None
        return tuple(map(int, np.unravel_index(np.nanargmax(error), error.shape)))

    @property
    def index(self):
        """The index of the worst entry; None for a projection."""
        return self.worst if self.terms is None else None

    @property
    def relative_error(self):
        """|claimed - numeric| / max(|claimed|, |numeric|) at the worst entry. Right entries near zero count less."""
        if (at := self.worst) is None:
            return 0.0
        least = 1e-300 if self.wrong[at] else 1e-6 * max(1.0, self.largest)
        return float(self.error[at] / max(abs(self.claim[at]), abs(self.slope[at]), self.terms or 0, least))

    @property
    def num_wrong(self):
        """How many entries are wrong."""
        return int(self.wrong.sum())


class GradientReport(NamedTuple):
    """The result of check_gradients. A terminal, a debugger and a notebook show it as a table."""

    rows: list
    complaints: list  # sentences on anything but wrong values: names, shapes, dtypes, repeated calls
    method: str
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

    def plot(self, path=None):
        """A heat map of log10 |claimed - numeric| for each array: a wrong gate or step shows as a block.

        Returns the matplotlib figure; writes it to path if one is given.
        """
        from numpylm.proof.gradient_plots import error_map

        return error_map(self, path)

    def __str__(self):
        low = (
            f"f's value has a relative precision of {self.precision:.0e} only, as if a part of it were computed in "
            "float32: the gradients are judged at that precision"
        )
        notes = [*self.complaints, *([low] if self.precision else [])]
        lines = [self._verdict(), *(["", HEAD, *map(line_of, self.rows)] if self.rows else [])]
        return "\n".join([*lines, *paragraphs("!", notes), *paragraphs("->", self.diagnosis)])

    def __repr__(self):
        return str(self)  # a tuple's own would write out every array

    def _verdict(self):
        wrong = [row.name for row in self.rows if row.num_wrong]
        if not self.ok:
            return f"gradients are WRONG: {', '.join(wrong)}" if wrong else "gradients are NOT PROVED"
        count = sum(int(row.kinks.sum()) for row in self.rows)
        which = "1 entry lies at a kink" if count == 1 else f"{count} entries lie at a kink"
        kinks = f" ({which}, where it takes one of the slopes)" if count else ""
        return f"gradients are right, by {self.method}{kinks}"

    def _repr_html_(self):
        color = "#009e73" if self.ok else "#d55e00"
        verdict, _, rest = html.escape(str(self)).partition("\n")
        return f"<b style=color:{color}>{verdict}</b><pre>{rest}</pre>"


LINE = "{:<14}  {:>10}  {:>8}  {:>11}  {:>11}  {:>6}  {:>8}"  # 80 columns
LONGEST_NAME = 14
HEAD = LINE.format("gradient of", "shape", "worst at", "claimed", "numeric", "error", "wrong")


def line_of(row):
    """A row of the table. A long name keeps its end."""
    name = row.name if len(row.name) <= LONGEST_NAME else f"…{row.name[1 - LONGEST_NAME :]}"
    numbers = ("0", "0") if row.worst is None else [f"{q[row.worst]:.4g}" for q in (row.claim, row.slope)]
    at, wrong = "-", f"{row.num_wrong}/{row.checked.sum()}"
    if row.terms is not None:
        wrong = "WRONG" if row.num_wrong else "unjudged" if row.complaint else "right"
    elif row.worst is not None:
        at = ",".join(map(str, row.worst)) or "()"
    return LINE.format(name, "x".join(map(str, row.shape)) or "-", at, *numbers, f"{row.relative_error:.0e}", wrong)


def paragraphs(mark, sentences):
    """Sentences as paragraphs of 80 columns, each after a mark."""
    indent = " " * (len(mark) + 1)
    lines = [line for text in sentences for line in wrap(text, 80, initial_indent=f"{mark} ", subsequent_indent=indent)]
    return ["", *lines] if lines else []
