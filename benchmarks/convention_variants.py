"""Right code in random variants of the conventions that `check` reads: how often is it called wrong?

    python benchmarks/convention_variants.py [NUMBER]

Each variant is one of the files of tests/foreign/, some with another order of gates, another order of h and x in a
concatenation, a float32 buffer, a bias with two axes or a mean in place of a sum, at a seed of its own.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from foreign_code import SOURCES
from student_files import check_here


def variant(rng):
    """(name, source) of one random variant."""
    name = rng.choice(sorted(SOURCES))
    source = SOURCES[name]
    for change in CHANGES.get(name, []):
        if rng.random() < 0.5:
            source = change(source, rng)
    return name, source


def replaced(source, *pairs):
    """The source with each old piece replaced; every piece must be there."""
    for old, new in pairs:
        if old not in source:
            raise ValueError(f"{old!r} is not in the source")
        source = source.replace(old, new)
    return source


def other_gates(source, rng):
    """CS231n's LSTM with its gates in another order."""
    order = rng.permutation(4)
    blocks = ["a[:, :H]", "a[:, H:2*H]", "a[:, 2*H:3*H]", "a[:, 3*H:]"]
    pieces = ["dnext_c * g * i * (1 - i)", "dnext_c * prev_c * f * (1 - f)", "dnext_h * t * o * (1 - o)",
              "dnext_c * i * (1 - g ** 2)"]  # fmt: skip
    old = "sigmoid(a[:, :H]), sigmoid(a[:, H:2*H]), sigmoid(a[:, 2*H:3*H]), np.tanh(a[:, 3*H:])"
    new = ", ".join(f"{'np.tanh' if k == 3 else 'sigmoid'}({blocks[place]})" for k, place in enumerate(order))
    back = ", ".join(pieces[list(order).index(place)] for place in range(4))
    return replaced(source, (old, new), (", ".join(pieces), back))


def x_first(source, rng):
    """The LSTM's concatenation as [x; h]."""
    return replaced(source, ("np.vstack((hs[t - 1], xs[t]))", "np.vstack((xs[t], hs[t - 1]))"),
                    ("dz[:hidden_size]", "dz[vocab_size:]"))  # fmt: skip


def float32(source, rng):
    """A float32 buffer for h."""
    return replaced(source, ("h = np.zeros((N, T, H))", "h = np.zeros((N, T, H), dtype=np.float32)"))


def mean_loss(source, rng):
    """The loss and its gradient divided by the number of steps."""
    return replaced(source, ("loss += -np.log", "loss += -1.0 / len(inputs) * np.log"),
                    ("dy[targets[t]] -= 1", "dy[targets[t]] -= 1; dy /= len(inputs)"))  # fmt: skip


def keepdims(source, rng):
    """A bias's gradient with two axes."""
    return replaced(source, ("db = da.sum(axis=0)", "db = da.sum(axis=0, keepdims=True)"), ("db += c", "db += c[0]"))


CHANGES = {
    "cs231n": [other_gates, float32, keepdims],
    "min_char_rnn": [mean_loss],
    "lstm_loss": [x_first, mean_loss],
}


def main(number):
    """Check so many variants, and print each that is called wrong."""
    rng, wrong = np.random.default_rng(0), 0
    folder = Path(tempfile.mkdtemp())
    for seed in range(number):
        name, source = variant(rng)
        path = folder / "mine.py"
        path.write_text(source, encoding="utf-8")
        result = check_here(path, seed)
        if not result.ok:
            wrong += 1
            bad = {n: (f["status"], *f["sentences"]) for n, f in result.findings.items() if f["status"] != "ok"}
            print(f"variant {seed} of {name}: {bad}")
    print(f"{number} right variants, {wrong} called wrong")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
