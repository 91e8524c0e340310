"""A walk in a terminal: each line of the source after its equation's number, and the numbers that it gives below it.

Under a gradient stands what the complex step finds, and how far the two lie apart (for a matrix, the latter alone).
"""

import inspect
import os
import re
import sys
from itertools import product
from pathlib import Path
from textwrap import wrap

import numpy as np

import numpylm
from numpylm.notebook import equations_in
from numpylm.proof.moved_step import cell_function
from numpylm.stepping.replay import MOST_ENTRIES
from numpylm.stepping.walk import parts_of

MARGIN = 8  # columns for an equation's number, up to (10–13)
LABEL = 17  # for a symbol, up to ∂loss/∂logits[9]
NUMBER = 9
NOTE = 12  # for a space and an error or a shape
MOST = 6  # numbers of a row, and rows of a matrix
NARROW = 80  # columns below which the numbers move to the left
GUIDE = (
    "Each line is the package's own source, with its equation's number before it and its numbers below it. Below a "
    "gradient stands its proof: ∂loss/∂q is found by moving q in the equations (h_prev and c_prev as this one step "
    "reads them). The error is the largest distance between the two; the complex step is exact to rounding."
)
LARGE = (
    f"In an array of more than {MOST_ENTRIES} numbers, those that are shown are proved one by one, and all together "
    "along one random direction."
)
STYLES = {"bold": "1", "cyan": "36", "red": "1;31"}


def paint(text, style):
    """The text in a style, if standard output is a terminal and NO_COLOR is not set (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else f"\033[{STYLES[style]}m{text}\033[0m"


def paragraph(text, width):
    """Print words, broken to the width."""
    print("\n".join(wrap(text, min(width, 100))))


def title(text):
    """Print the heading of one part."""
    print(paint(f"{text}\n", "bold"))


def introduce(walk, model, origin, names, width):
    """Print what is computed, on which tokens and with which sizes; the cell's equations; how to read what follows."""
    sizes = model.sizes
    print(origin)
    reads, predicts = " ".join(names[:-1]), " ".join(names[1:])
    paragraph(f"reads {reads} and is to predict {predicts}: loss {walk.loss:.4f} nats per token", width)
    nonlinearity = model.cell.options.get("nonlinearity")
    f = f"; f is {nonlinearity}" if nonlinearity else ""
    paragraph(
        f"T = {len(names) - 1} steps, N = 1 sequence, D = {sizes.embedding_dim}, H = {sizes.hidden_dim}, "
        f"V = {sizes.vocab_size}{f}", width,
    )  # fmt: skip
    print()
    module = inspect.getmodule(cell_function(model.cell, "step"))
    for formula, number in re.findall(r"^    (\S.* = .*?) +(?:f is .*)?(\(\d+\))$", module.__doc__, re.MULTILINE):
        print("\n".join(numbered(formula, number, width)))
    print()
    paragraph(GUIDE, width)
    if max(array.size for array in model.parameters().values()) > MOST_ENTRIES:
        paragraph(LARGE, width)
    print()


def print_passes(walked, directions, width):
    """Print the directions of a walk that were asked for; the exit status, 1 if a gradient is wrong."""
    if "forward" in directions:
        title("FORWARD, from the tokens to the loss")
        show(walked, walked.forward, width)
    if "backward" not in directions:
        title("THE PARAMETERS")
        show(walked, walked.values, width)
        return 0
    title("BACKWARD, from the loss to every quantity, in reverse order")
    results = [show(walked, walked.backward, width)]
    title("THE PARAMETERS, and their gradients: sums over all steps")
    results += [show(walked, sections, width) for sections in (walked.values, walked.parameters)]
    return conclude(results, width)


def conclude(results, width):
    """Print what came of the proofs; returns the exit status. results are what show returned."""
    number, worst = sum(result[0] for result in results), max(result[1] for result in results)
    wrong = [symbol for result in results for symbol in result[2]]
    if wrong:
        paragraph(
            f"WRONG: {len(wrong)} gradients. The first, in the order of the computation, is {wrong[0]}: look at its "
            "line first, the others may follow from it.", width,
        )  # fmt: skip
        return 1
    paragraph(f"All {number} numbers of gradients are right: the largest error is {worst:.0e}.", width)
    return 0


def show(walk, sections, width):
    """Print the sections, each gradient with its proof: (how many numbers, the largest error, the wrong ones)."""
    number, worst, wrong = 0, 0.0, []
    for section in sections:
        print(heading(section, width))
        printed = ()
        for entry in section.entries:
            if entry.lines != printed:
                print("\n".join(source_lines(entry.lines, width)))
                printed = entry.lines
            proof = walk.prove(entry, shown_indices(entry, width)) if entry.place else None
            print("".join(f"{row}\n" for row in rows_of(entry, proof, width)), end="")
            if proof:
                number, worst = number + entry.value.size, max(worst, proof.error)
                wrong += [] if proof.ok else [f"{entry.symbol} ({section.title})"]
        print()
    return number, worst, wrong


def heading(section, width):
    """A line across the terminal, with a title at its left and a place in the source at its right."""
    end = f" {where(section.function)} ──" if section.function else ""
    start = f"── {section.title} "
    if len(start) + len(end) + 2 > width:
        return f"{paint(start, 'bold')}{'─' * (width - len(start))}\n{end.removesuffix(' ──'):>{width}}"
    return paint(start, "bold") + "─" * (width - len(start) - len(end)) + end


def where(function):
    """A function's name and place: lstm_step, numpylm/lstm.py:96."""
    path = Path(inspect.getsourcefile(function)).relative_to(Path(numpylm.__file__).parents[1]).as_posix()
    return f"{function.__name__}, {path}:{inspect.getsourcelines(function)[1]}"


def source_lines(lines, width):
    """Lines of the source without their comments, each after its equations' numbers, broken to the width."""
    return [part for line in lines for part in numbered(line.partition("  # ")[0], equation(line), width)]


def numbered(text, number, width):
    """A line after a number, broken to the width."""
    parts = wrap(text, width - MARGIN, subsequent_indent="    ")
    return [paint(f"{number if k == 0 else '':<{MARGIN}}", "cyan") + part for k, part in enumerate(parts)]


def equation(line):
    """The numbers of the equations that a line's comment names: (7), (7, 8) or (3–6)."""
    numbers = sorted(equations_in(line))
    if len(numbers) > 2:
        return f"({numbers[0]}–{numbers[-1]})"
    return f"({', '.join(map(str, numbers))})" if numbers else ""


def columns(size, width):
    """How many numbers of a row of this size are shown."""
    room = width - indent(width) - LABEL - NOTE
    return size if size <= min(MOST, room // NUMBER) else max(1, min(MOST, (room - 2) // NUMBER))


def indent(width):
    """The columns before a row of numbers."""
    return MARGIN if width >= NARROW else 2


def shown_indices(entry, width):
    """The indices of the entries that are shown. In a large array only these are proved one by one."""
    *rows, size = entry.value.shape
    gate_size = size // (len(entry.packed) or 1)
    shown = [k for k in range(size) if k % gate_size < columns(gate_size, width)]
    return list(product(*[range(min(MOST, number)) for number in rows], shown))


def rows_of(entry, proof, width):
    """The rows of an entry's numbers, and of its proof."""
    if entry.same and not proof:
        return []
    vector = len(np.atleast_2d(entry.value)) == 1 and not entry.packed
    rows = [] if entry.same else blocks_of(entry, width)
    if proof and (vector or not proof.ok):
        name, _, _ = entry.place
        moved = entry.symbol.removeprefix("d") if "[" in entry.symbol else name.rpartition(".")[2]
        numeric = entry._replace(symbol=f"∂loss/∂{moved}", value=proof.numeric)
        rows += blocks_of(numeric, width)
    if proof and vector and proof.ok:
        rows[-1] += f" {verdict(proof)}"
    elif proof:
        rows.append(" " * indent(width) + f"{entry.symbol}: {verdict(proof)}")
    return rows


def blocks_of(entry, width):
    """The numbers of an entry, a line for each row of an array, gate by gate if it is packed."""
    if entry.packed and not entry.value.any():
        return [" " * indent(width) + f"{entry.symbol:<{LABEL}}   zeros"]
    lines = []
    for symbol, part in parts_of(entry):
        matrix = np.atleast_2d(part)
        for k, row in enumerate(matrix[:MOST]):
            lines.append(" " * indent(width) + f"{symbol if k == 0 else '':<{LABEL}}{numbers(row, part, width)}")
        lines += [" " * (indent(width) + LABEL + 4) + "…"] if len(matrix) > MOST else []
    return lines


def numbers(row, whole, width):
    """The first numbers of a row, in the notation that suits the whole array, and … if there are more."""
    count, largest = columns(row.size, width), np.nanmax(np.abs(whole), initial=0)
    small_or_large = 0 < largest < 0.001 or largest >= 1000
    texts = [f"{value:.1e}" if small_or_large else f"{np.round(value, 4) + 0.0:.4f}" for value in row.ravel()[:count]]
    return "".join(f"{text:>{NUMBER}}" for text in texts) + (" …" if row.size > count else "")


def verdict(proof):
    """How far a gradient lies from the complex step."""
    error = f"{proof.error:.0e}" if proof.error else "0"
    return f"error {error}" if proof.ok else paint(f"WRONG by {error}", "red")
