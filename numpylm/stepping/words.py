"""What is said in words: what is computed, how to read it, what the lines' functions do, and what came of it."""

import inspect
from importlib import import_module
from textwrap import wrap

from numpylm.rnn import NONLINEARITIES
from numpylm.stepping.computation import MOST_ENTRIES
from numpylm.stepping.formulas import equations_of, helpers_of
from numpylm.stepping.taps import functions_of

GUIDE = (
    "Each line below is the package's own source, its equation's number before it and its numbers under it.",
    "Under each gradient stands its proof: ∂loss/∂q is found by moving q, where it stands in the forward pass, and "
    "looking at what the loss does (by the complex step, which is exact to rounding).",
)
LARGE = (
    f"Of an array of more than {MOST_ENTRIES} numbers, those that are shown are proved one by one, and all of them at "
    "once by one move along a random direction."
)


def introduce(origin, model, names, vocabulary, loss, width):
    """What is computed, on which tokens and with which sizes; the cell's equations; how to read what follows."""
    sizes = model.sizes
    listed = ": " + ", ".join(f"{k} {token}" for k, token in enumerate(vocabulary)) if vocabulary else ""
    print(origin)
    paragraph(
        f"reads {' '.join(names[:-1])} and is to predict {' '.join(names[1:])}: loss {loss:.4f} nats per token", width
    )
    paragraph(
        f"T = {len(names) - 1} steps, N = 1 sequence, D = {sizes.embedding_dim}, H = {sizes.hidden_dim}, "
        f"V = {sizes.vocab_size}{listed}",
        width,
    )
    print()
    print("\n".join(f"    {line}" for line in equations_of(import_module(f"numpylm.{model.cell.name}").__doc__)))
    print()
    for sentence in GUIDE:
        paragraph(sentence, width)
    if max(array.size for array in model.parameters().values()) > MOST_ENTRIES:
        paragraph(LARGE, width)
    print()


def banner(title, model, function, width):
    """The heading of one half of the pass, and what the functions do that a step's lines call."""
    print(f"{title}\n")
    for name, words in helpers(model, function).items():
        lines = wrap(f"{name:<17}{words}", min(width, 100), initial_indent="  ", subsequent_indent=" " * 19)
        print("\n".join(lines))
    print()


def helpers(model, function):
    """Name -> a line on each function that a step's lines call; the RNN's f and f_backward by the names they go by."""
    found = helpers_of(functions_of(model.cell)[function])
    if "nonlinearity" in model.cell.options:
        forward, backward = NONLINEARITIES[model.cell.options["nonlinearity"]]
        name, helper = ("f", forward) if function == "rnn_step" else ("f_backward", backward)
        found[name] = f"{helper.__name__}: {inspect.getdoc(helper).splitlines()[0]}"
    return found


def conclude(number, worst, wrong, width):
    """Prints what came of the checks; returns the exit status."""
    if not wrong:
        paragraph(
            f"All {number} numbers of gradients are right: the largest distance from the complex step is {worst:.0e}.",
            width,
        )
        return 0
    paragraph(
        f"WRONG: {len(wrong)} gradients. The first, in the order of the computation, is {wrong[0]}: look at its line "
        "first, the others may follow from it.",
        width,
    )
    return 1


def paragraph(text, width):
    """Prints words, broken to the width."""
    print("\n".join(wrap(text, min(width, 100))))
