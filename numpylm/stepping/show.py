"""A walk in a terminal: each line of the source after its equation's number, and the numbers that it gives below it.

Under a gradient stands what the complex step finds, and how far the two lie apart (for a matrix, the latter alone).
"""

import inspect
import re
from itertools import product
from pathlib import Path
from textwrap import wrap

import numpy as np

import numpylm
from numpylm.stepping.replay import MOST_ENTRIES
from numpylm.stepping.walk import parts_of

MARGIN = 8  # columns for an equation's number, up to (10–13)
LABEL = 19  # for a symbol, up to ∂loss/∂logits[9], two columns from the left
NUMBER = 9
NOTE = 12  # for a space and an error
MOST = 6  # numbers of a row, and rows of a matrix
GUIDE = (
    "Each line is the package's own source, with its equation's number before it and its numbers below it. Below a "
    "gradient stands its proof: ∂loss/∂q is found by moving q in the equations (h_prev and c_prev as this one step "
    "reads them). The error is the largest distance between the two; the complex step is exact to rounding. In an "
    f"array of more than {MOST_ENTRIES} numbers, those that are shown are proved one by one, and all together along "
    "one random direction."
)


def paragraph(text, width):
    """Print words, broken to the width."""
    print("\n".join(wrap(text, min(width, 100))))


def introduce(walk, origin, reads, sizes, modules, width, without=""):
    """Print what is computed, on which tokens and with which sizes; the modules' equations, without one of them; and
    how to read what follows."""
    print(origin)
    paragraph(f"{reads}: loss {walk.loss:.4f} nats per token", width)
    paragraph(sizes, width)
    print()
    for module in modules:
        for formula, number in re.findall(r"^    (\S.*? = \S.*?)   .*?(\(\d+\))$", module.__doc__, re.MULTILINE):
            if number != without:
                print("\n".join(numbered(formula, number, width)))
    print()
    paragraph(GUIDE, width)
    print()


def print_passes(walked, directions, width):
    """Print the directions of a walk that were asked for; the exit status, 1 if a gradient is wrong."""
    if "forward" in directions:
        print("FORWARD, from the tokens to the loss\n")
        show(walked, walked.forward, width)
    if "backward" not in directions:
        print("THE PARAMETERS\n")
        show(walked, walked.values, width)
        return 0
    print("BACKWARD, from the loss to every quantity, in reverse order\n")
    proved = show(walked, walked.backward, width)
    print("THE PARAMETERS, and their gradients: sums over all steps\n")
    proved += show(walked, [*walked.values, *walked.parameters], width)
    wrong = [f"{entry.symbol} ({section.title})" for section, entry, proof in proved if not proof.ok]
    if wrong:
        paragraph(
            f"WRONG: {len(wrong)} gradients. The first, in the order of the computation, is {wrong[0]}: look at its "
            "line first, the others may follow from it.", width,
        )  # fmt: skip
        return 1
    number, worst = sum(entry.value.size for _, entry, _ in proved), max(proof.error for *_, proof in proved)
    paragraph(f"All {number} numbers of gradients are right: the largest error is {worst:.0e}.", width)
    return 0


def show(walk, sections, width):
    """Print the sections, each gradient with its proof; returns [(Section, Entry, Proof)] of the gradients."""
    proved = []
    for section in sections:
        print(heading(section, width))
        printed = ()
        for entry in section.entries:
            if entry.lines != printed:
                for line in entry.lines:
                    print("\n".join(numbered(line.text, line.equation, width)))
                printed = entry.lines
            proof = walk.prove(entry, shown_indices(entry, width)) if entry.place else None
            print("".join(f"{row}\n" for row in rows_of(entry, proof, width)), end="")
            proved += [(section, entry, proof)] if proof else []
        print()
    return proved


def heading(section, width):
    """A line across the terminal, with a title at its left and a place in the source at its right."""
    start, function = f"── {section.title} ", section.function
    if not function:
        return start.ljust(width, "─")
    path = Path(inspect.getsourcefile(function)).relative_to(Path(numpylm.__file__).parents[1]).as_posix()
    end = f" {function.__name__}, {path}:{inspect.getsourcelines(function)[1]}"
    if len(start) + len(end) + 5 > width:
        return f"{start.ljust(width, '─')}\n{end:>{width}}"
    return start.ljust(width - len(end) - 3, "─") + f"{end} ──"


def numbered(text, number, width):
    """A line after a number, broken to the width."""
    parts = wrap(text, width - MARGIN, subsequent_indent="    ")
    return [f"{number if k == 0 else '':<{MARGIN}}{part}" for k, part in enumerate(parts)]


def columns(size, width):
    """How many numbers of a row of this size are shown; a row that goes on ends in …"""
    room = width - LABEL - NOTE
    return size if size <= min(MOST, room // NUMBER) else max(1, min(MOST, (room - 2) // NUMBER))


def shown_indices(entry, width):
    """The indices of the entries that are shown. In a large array only these are proved one by one."""
    *rows, size = entry.value.shape
    gate_size = size // (len(entry.packed) or 1)
    shown = [k for k in range(size) if k % gate_size < columns(gate_size, width)]
    return list(product(*[range(min(MOST, number)) for number in rows], shown))


def rows_of(entry, proof, width):
    """The rows of an entry's numbers, and of its proof."""
    rows = [] if entry.repeated else blocks_of(entry, width)
    if not proof:
        return rows
    error = f"{proof.error:.0e}" if proof.error else "0"
    verdict = f"error {error}" if proof.ok else f"WRONG by {error}"
    vector = len(np.atleast_2d(entry.value)) == 1 and not entry.packed
    if vector or not proof.ok:
        moved = entry.symbol.removeprefix("d") if "[" in entry.symbol else entry.place[0].rpartition(".")[2]
        rows += blocks_of(entry._replace(symbol=f"∂loss/∂{moved}", value=proof.numeric), width)
    if vector and proof.ok:
        return [*rows[:-1], f"{rows[-1]} {verdict}"]
    return [*rows, f"  {entry.symbol}: {verdict}"]


def blocks_of(entry, width):
    """The numbers of an entry, a line for each row of an array, gate by gate if it is packed."""
    if entry.packed and not entry.value.any():
        return [f"  {entry.symbol:<{LABEL}} zeros"]
    lines = []
    for symbol, part in parts_of(entry):
        matrix = np.atleast_2d(part)
        for k, row in enumerate(matrix[:MOST]):
            lines.append(f"{f'  {symbol}' if k == 0 else '':<{LABEL}}{numbers(row, part, width)}")
        lines += [" " * LABEL + "    …"] if len(matrix) > MOST else []
    return lines


def numbers(row, whole, width):
    """The first numbers of a row, in the notation that suits the whole array, and … if there are more."""
    count, largest = columns(row.size, width), np.nanmax(np.abs(whole), initial=0)
    small_or_large = 0 < largest < 0.001 or largest >= 1000
    texts = [f"{value:.1e}" if small_or_large else f"{np.round(value, 4) + 0.0:.4f}" for value in row.ravel()[:count]]
    return "".join(f"{text:>{NUMBER}}" for text in texts) + (" …" if row.size > count else "")
