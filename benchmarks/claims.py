"""Claims of notebooks, measured again with other seeds.

    python benchmarks/claims.py [NUMBER...] [--seeds 1 2 3] [--cells 11 12]
    python benchmarks/claims.py --bug [--seeds 1 2 3]
    python benchmarks/claims.py --reach [--seeds 1 2 3]

Runs the code cells of notebooks with every seed changed (each numpy.random.default_rng(k), and so every drawn text and
every model's first weights) and prints what the cells print. A sentence of a notebook that reads such an output must
hold for all seeds, or name its seed. Seed 0 is the notebook as it stands. NUMBER is a notebook's (all of CLAIMS).

--bug trains an LSTM with the gradient of exercises/bug_02.py, and another one with the right gradient. --reach prints
how far the gradients of figures/gradient_flow.png reach in the trained models.
"""

import argparse
import ast
import os
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from runpy import run_path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported

import matplotlib
import nbformat
import numpy as np

from numpylm.data import grammar, stories
from numpylm.data.ngrams import baseline_perplexities
from numpylm.data.text import encode_stream
from numpylm.evaluation import perplexity
from numpylm.figures import trained
from numpylm.lstm import LSTMParameters, LSTMState, lstm_backward
from numpylm.model import LSTMLM
from numpylm.recurrence import Gradients

ROOT = Path(__file__).resolve().parents[1]
CLAIMS = {  # number: the cells that are read
    9: [11, 15], 10: [12, 14, 17], 11: [14], 13: [12, 14, 15], 14: [11, 12],
    16: [11, 14, 16], 17: [9, 13, 15, 17], 18: [11, 14, 15], 19: [12, 15, 17], 20: [2, 7, 10, 12, 17],
}  # fmt: skip
real_generator, real_random = np.random.default_rng, grammar.Random


def main():
    """Run the notebooks with each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", default=list(CLAIMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="K")
    parser.add_argument("--bug", action="store_true", help="what a model learns with the gradient of bug_02.py")
    parser.add_argument("--reach", action="store_true", help="gradients by distance in trained models")
    parser.add_argument("--cells", nargs="+", type=int, metavar="CELL", help="the cells to print, counted from 0")
    options = parser.parse_args()
    matplotlib.use("Agg")
    if options.bug or options.reach:
        return compare_bug(options.seeds) if options.bug else compare_reach(options.seeds)
    for number in options.numbers:
        for seed in options.seeds:
            print(f"== notebook {number}, seed {seed}", flush=True)
            run(number, seed, options.cells or CLAIMS[number])


def run(number, seed, cells):
    """Run a notebook's code cells, but for its exercises, up to the last of `cells`; print what `cells` print, and the
    value of their last expression. A cell that fails with this seed is named."""
    (path,) = (ROOT / "notebooks").glob(f"{number:02}_*.ipynb")
    change_seeds(seed)
    names = {"__name__": "notebook"}
    for k, cell in enumerate(nbformat.read(path, as_version=4).cells[: max(cells) + 1]):
        if cell.cell_type != "code" or "@attempt" in cell.source:
            continue
        *body, last = ast.parse(cell.source).body
        try:
            with redirect_stdout(sys.stdout if k in cells else StringIO()):
                exec(compile(ast.Module(body, []), "cell", "exec"), names)
                exec(compile(ast.Interactive([last]), "cell", "single"), names)  # shows the value of an expression
        except Exception as error:
            print(f"this cell fails with this seed: {type(error).__name__}: {error}")


def change_seeds(seed):
    """From now on every generator's seed is another one; with 0 it is the one that the code names."""
    np.random.default_rng = lambda k=None: real_generator(k if seed == 0 or not isinstance(k, int) else [k, seed])
    grammar.Random = stories.Random = lambda k: real_random(k + 1000 * seed)  # the built-in texts
    trained.corpus.cache_clear()
    trained.trained.cache_clear()


def compare_bug(seeds):
    """Print the perplexity of the models of numpylm/figures/trained.py, with a right and with the wrong gradient."""
    vocabulary, tokens = trained.corpus()
    valid = encode_stream(vocabulary, grammar.generate_text(50_000, seed=2))
    print("5-gram", round(baseline_perplexities(tokens, valid, len(vocabulary))["5-gram"], 2))
    for seed in seeds:
        for name, backward in (("right", lstm_backward), ("bug_02", backward_of_bug_02)):
            model = LSTMLM(len(vocabulary), trained.D, trained.H, seed=seed)
            model.cell = model.cell._replace(backward=backward)
            trained.MODELS["lstm"] = lambda V, model=model: model
            trained.trained.cache_clear()
            trained.trained("lstm")
            print(f"seed {seed}, {name}: perplexity {perplexity(model, valid):.2f}", flush=True)


def backward_of_bug_02(parameters, dh, dstate_T, trace, keep_steps=False):
    """The exercise's lstm_backward, as the model calls it."""
    found = run_path(str(ROOT / "exercises" / "bug_02.py"))["lstm_backward"](parameters, dh, dstate_T, trace)
    weights = LSTMParameters(found["dW_x"], found["dW_h"], found["db"])
    return Gradients(weights, found["dx"], LSTMState(found["dh_0"], found["dc_0"]))


def compare_reach(seeds):
    """Print the gradient norms by distance that the right panel of figures/gradient_flow.png draws."""
    sys.path.append(str(ROOT / "figures"))
    import gradient_flow

    distances = np.array([1, 5, 10, 20, 35, 59])
    print(f"{'':26}" + "".join(f"{k:9}" for k in distances))
    for seed in seeds:
        change_seeds(seed)
        for name, cell, field, *_ in gradient_flow.LINES:
            norms = gradient_flow.trained_norms(cell, field)[distances - 1]
            print(f"seed {seed}  {name:<18}" + "".join(f"{norm:9.0e}" for norm in norms), flush=True)


if __name__ == "__main__":
    main()
