"""A walk in a terminal, in 60 to 80 columns: each line of the source after its equation's number, and below it the
numbers that it gives; after those of a gradient, how far they lie from what the complex step finds."""

import inspect
import re
import shutil
from textwrap import wrap

import numpy as np

NARROWEST, WIDEST = 60, 80
MARGIN = 8  # columns for an equation's number, up to (10–13)
LABEL = 19  # for a symbol, up to ∂loss/∂logits[9], two columns from the left
NUMBER = 9
NOTE = 14  # for … and an error
MOST = 5  # rows of a matrix
GUIDE = (
    "Each line is the package's own source, with its equation's number before it and its numbers below it. Each "
    "gradient is proved: ∂loss/∂q is found by moving q in the equations (h_prev and c_prev as this one step reads "
    "them), by the complex step, which is exact to rounding. The error is the largest distance between the two; in a "
    "large array, that along one random direction."
)


def width():
    """The columns that are used."""
    return min(WIDEST, max(NARROWEST, shutil.get_terminal_size().columns))


def paragraph(text):
    """Print words, broken to the width."""
    print("\n".join(wrap(text, width())))


def introduce(walk, origin, reads, sizes, modules, without=""):
    """Print what is computed, on which tokens and with which sizes; the modules' equations, without one of them; and
    how to read what follows."""
    print(origin)
    paragraph(f"{reads}: loss {walk.loss:.4f} nats per token")
    paragraph(f"{sizes}\n")
    print()
    for module in modules:
        for formula, number in re.findall(r"^    (\S.*? = \S.*?)   .*?(\(\d+\))$", module.__doc__, re.MULTILINE):
            if number != without:
                print_line(formula, number)
    print()
    paragraph(GUIDE)
    print()


def print_passes(walked, directions):
    """Print the directions of a walk that were asked for; the exit status, 1 if a gradient is wrong."""
    if "forward" in directions:
        print("FORWARD, from the tokens to the loss\n")
        show(walked, walked.forward)
    if "backward" not in directions:
        print("THE PARAMETERS\n")
        show(walked, walked.values)
        return 0
    print("BACKWARD, from the loss to every quantity, in reverse order\n")
    proved = show(walked, walked.backward)
    print("THE PARAMETERS, and their gradients: sums over all steps\n")
    proved += show(walked, [*walked.values, *walked.parameters])
    wrong = [name for name, proof in proved if not proof.ok]
    if wrong:
        paragraph(
            f"WRONG: {len(wrong)} gradients. The first, in the order of the computation, is {wrong[0]}: look at its "
            "line first, the others may follow from it."
        )
        return 1
    number, worst = sum(proof.numeric.size for _, proof in proved), max(proof.error for _, proof in proved)
    paragraph(f"All {number} numbers of gradients are right: the largest error is {worst:.0e}.")
    return 0


def show(walk, sections):
    """Print the sections, each gradient with its proof; returns (its name and where it stands, its Proof) of each."""
    proved = []
    for section in sections:
        print(heading(section))
        for quantity in section.quantities:
            for line in quantity.lines:
                print_line(line.text, line.equation)
            for t in section.steps:
                proof = walk.prove(quantity, t) if quantity.place else None
                proved += [(f"{quantity.symbol.format(t)} ({section.title})", proof)] if proof else []
                print(*rows_of(quantity, t, proof), sep="\n")
        print()
    return proved


def heading(section):
    """A title and, on the right, the place in the source."""
    start, function = f"── {section.title} ", section.function
    if not function:
        return start.ljust(width(), "─")
    file = f"{function.__module__.replace('.', '/')}.py"
    end = f" {function.__name__}, {file}:{inspect.getsourcelines(function)[1]} ──"
    if len(start) + len(end) > width():
        return f"{start.ljust(width(), '─')}\n{end.rjust(width())}"
    return start + end.rjust(width() - len(start), "─")


def print_line(text, number):
    """Print a line after a number, broken to the width."""
    print(*wrap(text, width(), initial_indent=number.ljust(MARGIN), subsequent_indent=" " * (MARGIN + 4)), sep="\n")


def rows_of(quantity, t, proof):
    """The rows of a quantity's numbers at t, with the error of its proof; if that is wrong, with the true numbers too.

    A packed gradient of a step, da_t, is shown without numbers: those of its gates, da_i …, stand above.
    """
    symbol = quantity.symbol.format(t)
    is_above = proof and quantity.packed and quantity.place[1] is not None
    rows = [f"  {symbol:<{LABEL - 2}}"] if is_above else blocks_of(quantity, t)
    if proof and proof.ok:
        rows[-1] += f" error {proof.error:.0e}"
    elif proof:
        moved = symbol.removeprefix("d") if "[" in symbol else quantity.place[0].rpartition(".")[2]
        rows += blocks_of(quantity._replace(symbol=f"∂loss/∂{moved}", values=proof.numeric[None]), 0)
        rows.append(f"  {symbol}: WRONG by {proof.error:.0e}")
    return rows


def blocks_of(quantity, t):
    """The numbers of a quantity at t, a line for each row of an array, gate by gate if it is packed."""
    if quantity.packed and not quantity.values[t].any():
        return [f"  {quantity.symbol:<{LABEL}} zeros"]
    lines = []
    for symbol, values in quantity.parts():
        rows = np.atleast_2d(values[t])
        labels = [f"  {symbol.format(t)}", *[""] * (len(rows) - 1)]
        lines += [f"{label:<{LABEL}}{numbers(row, values[t])}" for label, row in zip(labels, rows[:MOST], strict=False)]
        lines += [" " * LABEL + "    …"] if len(rows) > MOST else []
    return lines


def numbers(row, whole):
    """The first numbers of a row, in the notation that suits the whole array, and … if there are more."""
    count = (width() - LABEL - NOTE) // NUMBER
    largest = np.nanmax(np.abs(whole), initial=0)
    if 0 < largest < 0.001 or largest >= 1000:
        texts = [f"{value:{NUMBER}.1e}" for value in row[:count]]
    else:
        texts = [f"{np.round(value, 4) + 0.0:{NUMBER}.4f}" for value in row[:count]]
    return "".join(texts) + (" …" if row.size > count else "")
