"""Entries as lines of a terminal: formulas to the left, numbers below them, or beside them where it is wide.

A vector takes a row, a packed one a row for each gate, a matrix a block. Under a gradient's row stands what the
complex step finds, and how far the two lie apart; in a block and beside a gate's row, the latter alone.
"""

from itertools import product, zip_longest
from textwrap import wrap
from typing import NamedTuple

import numpy as np

from numpylm.stepping.walk import block_name

MARGIN = 11  # columns for an equation's number, up to (10)–(12)
INDENT = 2  # of numbers below their formula
LABEL = 17  # for a symbol, up to ∂loss/∂c_tilde_t
NUMBER = 9
NOTE = 14  # columns behind the numbers: … or two spaces, one space, and a shape or an error
MOST = 4  # numbers of a row, and rows of a matrix, that are shown
WIDE = 116  # columns from which numbers stand beside their formulas


class Row(NamedTuple):
    """A label, its numbers as text, and what stands behind them."""

    label: str
    numbers: str
    note: str = ""


def heading(title, where, width):
    """A line across the terminal, with a title at its left and a place in the source at its right."""
    end = f" {where} ──" if where else "──"
    return f"── {title} " + "─" * max(2, width - len(title) - 4 - len(end)) + end


def groups(entries):
    """Entries in groups that share their first one's formulas: x[0] with x[1] and x[2]. A matrix is by itself."""
    grouped = []
    for entry in entries:
        if entry.formulas or is_matrix(entry) or not grouped or is_matrix(grouped[-1][0]):
            grouped.append([entry])
        else:
            grouped[-1].append(entry)
    return grouped


def group_lines(group, checks, width):
    """The lines of a group of entries; checks holds a Check for each that is a gradient, else None."""
    wide = width >= WIDE
    if is_matrix(group[0]):
        indent = 4 if wide else MARGIN + INDENT
        return formulas_within(group[0], width) + indented(matrix_lines(group[0], checks[0], width - indent), indent)
    rows = [
        f"{row.label:<{LABEL}}{row.numbers} {row.note}".rstrip()
        for entry, check in zip(group, checks, strict=True)
        for row in vector_rows(entry, check)
    ]
    left = width - LABEL - MOST * NUMBER - NOTE
    formulas = formulas_within(group[0], left)
    if wide and all(len(line) < left for line in formulas):
        return [f"{line:<{left}}{row}".rstrip() for line, row in zip_longest(formulas, rows, fillvalue="")]
    return formulas_within(group[0], width) + indented(rows, left if wide else MARGIN + INDENT)


def indented(lines, columns):
    """Lines moved to the right."""
    return [" " * columns + line for line in lines]


def formulas_within(entry, width):
    """An entry's Formulas in lines of a width, each after its equations' numbers."""
    return [line for found in entry.formulas for line in formula_lines(found, width - MARGIN)]


def formula_lines(found, room):
    """A Formula after its equations' numbers; what does not fit goes on in the next line."""
    lines = wrap(found.text, room - 1, subsequent_indent="    ", break_long_words=False)
    equations = found.equations.replace(" to ", "–")
    return [f"{equations if k == 0 else '':<{MARGIN}}{line}" for k, line in enumerate(lines)]


def is_matrix(entry):
    """Whether an entry is shown as blocks: a matrix, a bias of several gates, a bias among the parameters."""
    rows = entry.value.ndim == 2 and len(entry.value) > 1
    return rows or (entry.value.ndim == 1 and (bool(entry.gates) or entry.place is None))


def vector_rows(entry, check):
    """The rows of a vector, or of a packed vector's gates."""
    shape = described(entry.value.shape)
    if entry.gates:
        return gate_rows(entry, check, shape)
    shown = shown_values(entry)
    rows = [Row(entry.symbol, numbers(entry.value, shown), shape)]
    if check is not None:
        rows.append(Row(f"∂loss/∂{entry.moved}", numbers(check.numeric, shown), verdict(check)))
    return rows


def gate_rows(entry, check, shape):
    """A row for each gate of a packed vector; the shape is the whole's."""
    parts = np.split(entry.value, len(entry.gates), axis=-1)
    notes = [shape, *([""] * (len(parts) - 1))]
    if check is not None:
        notes[-1] = verdict(check)
    return [
        Row(block_name(entry.symbol, gate), numbers(part, shown_values(entry)), note)
        for gate, part, note in zip(entry.gates, parts, notes, strict=True)
    ]


def matrix_lines(entry, check, room):
    """A matrix, gate by gate, as many side by side as there is room for, and below it what its check says."""
    parts = np.split(np.atleast_2d(entry.value), len(entry.gates) or 1, axis=-1)
    names = [block_name(entry.symbol, gate) for gate in entry.gates] or [entry.symbol]
    blocks = [block_lines(name, part, shown_values(entry)) for name, part in zip(names, parts, strict=True)]
    shape = described(entry.value.shape)
    per_line = max(1, (room - len(shape)) // len(blocks[0][0]))
    lines = []
    for start in range(0, len(blocks), per_line):
        lines += ["".join(row) for row in zip(*blocks[start : start + per_line], strict=True)]
    lines[0] += shape
    lines = [line.rstrip() for line in lines]
    return lines if check is None else [*lines, f"∂loss/∂{entry.moved}: {verdict(check)}"]


def block_lines(name, part, shown):
    """One gate's matrix under its name, all lines of one length."""
    rows = [numbers(row, shown, NUMBER - 1) for row in part[:MOST]]
    width = len(rows[0]) - 2
    more = ["…".rjust(width) + "  "] if len(part) > MOST else []
    return [name.rjust(width) + "  ", *rows, *more]


def numbers(values, shown, columns=NUMBER):
    """The first numbers of a vector, in the notation that suits all that is shown, and … or spaces."""
    flat, largest = values.ravel()[:MOST], np.abs(shown).max()
    if 0 < largest < 0.001 or largest >= 1000:
        text = "".join(f"{value:{NUMBER}.1e}" for value in flat)
    else:
        text = "".join(f"{value:{columns}.4f}" for value in np.round(flat, 4) + 0.0)  # no -0.0000
    return text + (" …" if values.size > MOST else "  ")


def shown_indices(entry):
    """The indices of the entries that are shown: what a Check of a large array moves one by one."""
    *rows, width = entry.value.shape
    gate_width = width // (len(entry.gates) or 1)
    columns = [k for k in range(width) if k % gate_width < MOST]
    return list(product(*[range(min(MOST, number)) for number in rows], columns))


def shown_values(entry):
    """The entries that are shown."""
    return np.array([entry.value[index] for index in shown_indices(entry)]) if entry.value.ndim else entry.value


def verdict(check):
    """How far a gradient lies from the complex step."""
    error = max(check.error, check.along or 0)
    return f"{'error' if check.ok else 'WRONG by'} {f'{error:.0e}' if error else '0'}"


def described(shape):
    """A shape as Python writes it."""
    return str(tuple(shape))
