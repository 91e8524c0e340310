"""Does the gradient checker ever cry wolf? Thousands of correct gradients, of random cells, sizes and seeds.

    python benchmarks/false_alarms.py [COUNT]            COUNT problems for each of five methods (2000: 10,000 checks)
    python benchmarks/false_alarms.py [COUNT] --foreign  COUNT right files in other people's conventions

Every problem is a whole sequence of a random cell with weights of order one, T, N, D and H from 1 to 7, and a sample of
six entries of each array. With --foreign `check` reads the files of tests/foreign/ at random seeds, some with another
order of gates, another order of h and x in a concatenation, a float32 buffer, a bias with two axes or a mean in place
of a sum. Prints how many were called wrong; the exit status is 1 if any was.
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from numpylm import check_gradients
from numpylm.proof.cases import CELLS, sequence_case
from numpylm.proof.gradient_check import CHECKS

sys.path.append(str(Path(__file__).parent.parent / "tests"))
BLOCKS = ("a[:, :H]", "a[:, H:2*H]", "a[:, 2*H:3*H]", "a[:, 3*H:]")
GRADIENTS = (
    *("dnext_c * g * i * (1 - i)", "dnext_c * prev_c * f * (1 - f)", "dnext_h * t * o * (1 - o)"),
    "dnext_c * i * (1 - g ** 2)",
)
MEAN = (("loss += -np.log", "loss += -1.0 / len(inputs) * np.log"),
        ("dy[targets[t]] -= 1", "dy[targets[t]] -= 1; dy /= len(inputs)"))  # fmt: skip
CHANGES = {  # file of tests/foreign/ -> changes of it, each of pairs (old piece, new piece)
    "cs231n": [
        (("h = np.zeros((N, T, H))", "h = np.zeros((N, T, H), dtype=np.float32)"),),
        (("db = da.sum(axis=0)", "db = da.sum(axis=0, keepdims=True)"), ("db += c", "db += c[0]")),
    ],
    "min_char_rnn": [MEAN],
    "lstm_loss": [
        (("np.vstack((hs[t - 1], xs[t]))", "np.vstack((xs[t], hs[t - 1]))"), ("dz[:hidden_size]", "dz[vocab_size:]")),
        MEAN,
    ],
}


def check_one(seed, method):
    """The report on one random problem whose gradients are right."""
    rng = np.random.default_rng(seed)
    cell, sizes = list(CELLS.values())[rng.integers(len(CELLS))], rng.integers(1, 8, 4)
    case = sequence_case("", cell, rng, sizes=sizes)
    return check_gradients(case.f, case.arguments, case.gradients, method, case.cotangents, max_entries=6, rng=rng)


def check_foreign(folder, seed):
    """What `check` says of a random right file."""
    from foreign_code import SOURCES
    from student_files import check_here

    rng = np.random.default_rng(seed)
    name = rng.choice(sorted(SOURCES))
    changes = [change for change in CHANGES.get(name, []) if rng.random() < 0.5]
    changes += [other_gates(rng)] if name == "cs231n" else []
    source = SOURCES[name]
    for old, new in (pair for change in changes for pair in change):
        if old not in source:
            raise ValueError(f"{old!r} is not in {name}")
        source = source.replace(old, new)
    path = folder / "mine.py"
    path.write_text(source, encoding="utf-8")
    return check_here(path, seed)


def other_gates(rng):
    """CS231n's LSTM with its gates in a random order."""
    order = rng.permutation(4)
    gates = [f"{'np.tanh' if k == 3 else 'sigmoid'}({BLOCKS[place]})" for k, place in enumerate(order)]
    gradients = [GRADIENTS[list(order).index(place)] for place in range(4)]
    right = [f"sigmoid({block})" for block in BLOCKS[:3]] + [f"np.tanh({BLOCKS[3]})"]
    return [(", ".join(right), ", ".join(gates)), (", ".join(GRADIENTS), ", ".join(gradients))]


def main(arguments=None):
    """Run all methods, or all files; return the exit status."""
    parser = argparse.ArgumentParser(description="Counts correct gradients that the gradient checker calls wrong.")
    about = "problems for each method (default: 2000)"
    parser.add_argument("count", metavar="COUNT", nargs="?", type=int, default=2000, help=about)
    parser.add_argument("--foreign", action="store_true", help="right files in other people's conventions")
    options = parser.parse_args(arguments)
    if options.count < 1:
        parser.error(f"COUNT must be a positive integer; got {options.count}")
    with tempfile.TemporaryDirectory() as folder:
        checks = {method: partial(check_one, method=method) for method in CHECKS}
        checks = {"foreign": partial(check_foreign, Path(folder))} if options.foreign else checks
        alarms = [false_alarms(name, check, options.count) for name, check in checks.items()]
    return 1 if any(alarms) else 0


def false_alarms(name, check, count):
    """The seeds below count whose right gradients a check calls wrong. Print how many."""
    started = time.perf_counter()
    wrong = [seed for seed in range(count) if not check(seed).ok]
    seconds = f"{time.perf_counter() - started:>8.1f} s  {wrong[:5] or ''}"
    print(f"{name:<12}{count:>7} checks{len(wrong):>5} false alarms{seconds}", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
