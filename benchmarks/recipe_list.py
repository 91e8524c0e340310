"""The recipes: for each, the choices, the data, and the published figure that its result stands beside.

A recipe that trains by `python -m numpylm train` is that command's options. Two scales differ from the papers': where
they sum the loss over the T steps of a window, ours is the mean, so that a rate of 1 and a norm of 5 at T = 20 are a
rate of 20 and a norm of 0.25 here.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from agreement_recipe import train_and_measure
from memory_recipe import learn
from one_pass import one_pass
from train_recipe import train


class Recipe(NamedTuple):
    """One row of the table. measure(data, folder) trains, or goes on in the folder, and returns a Measured."""

    name: str
    what: str
    data: str | None  # what it needs of the data folder
    published: str
    source: str
    measure: Callable


PTB, SHAKESPEARE = "ptb", "tinyshakespeare.txt"
SGD = "--optimizer sgd --learning-rate 20 --clip 0.25 --uniform-range 0.1 --restart-probability 0"
GRAMMAR = "--epochs 1 -D 64"

TRAINED = [
    Recipe(
        "ptb-100", "Penn Treebank, LSTM 1×100; N = 20, T = 35, SGD 20, 4 epochs", PTB,
        "136.1", "deep-learning-from-scratch-2, chapter 6",
        partial(train, f"-D 100 -H 100 -L 1 -T 35 -N 20 --epochs 4 --schedule constant {SGD}"),
    ),
    Recipe(
        "ptb-small", "Penn Treebank, LSTM 2×200; N = 20, T = 20, SGD, halved from epoch 5 on, 13 epochs", PTB,
        "114.5 to 115", "Zaremba et al., 2014, small",
        partial(
            train,
            "-D 200 -H 200 -L 2 -T 20 -N 20 --epochs 13 --seed 1 --schedule decay --decay-from 3 "
            f"--decay-factor 0.5 {SGD}",
        ),
    ),
    Recipe(
        "ptb-hour",
        "Penn Treebank, LSTM 2×224, tied, dropout 0.35; N = 20, T = 35, SGD, cosine, 22 epochs, two threads", PTB,
        "110.4 after 6 epochs, 87.2 after 40", "PyTorch word_language_model, 2×200, tied",
        partial(
            train,
            "-D 224 -H 224 -L 2 -T 35 -N 20 --tie-weights --dropout 0.35 --optimizer sgd --learning-rate 20 "
            "--clip 0.25 --restart-probability 0 --epochs 22",
            threads=2,
        ),
    ),
    Recipe(
        "shakespeare-best",
        "Tiny Shakespeare, the first 85 %, LSTM 1×512, dropout 0.3; N = 32, T = 80, Adam, cosine, 10 epochs",
        SHAKESPEARE,
        "1.88", "nanoGPT on a CPU, a Transformer, validation",
        partial(
            train,
            "--split 0.85 0.05 0.1 -D 128 -H 512 -T 80 -N 32 --dropout 0.3 --learning-rate 0.003 --clip 1 "
            "--restart-probability 0 --epochs 10",
        ),
    ),
    Recipe(
        "shakespeare-whole",
        "Tiny Shakespeare, the first 90 %, LSTM 1×512, dropout 0.5; N = 32, T = 80, Adam, cosine, 12 epochs",
        SHAKESPEARE, "1.88", "nanoGPT on a CPU, a Transformer, validation",
        partial(
            train,
            "--split 0.9 0 0.1 -D 128 -H 512 -T 80 -N 32 --dropout 0.5 --learning-rate 0.003 --clip 1 "
            "--restart-probability 0 --epochs 12",
        ),
    ),
]  # fmt: skip

ONE_PASS = [
    Recipe(
        f"shakespeare-{cell}", f"Tiny Shakespeare, {cell.upper()} 1×100, T = 16, one pass, Adagrad; smoothed loss",
        SHAKESPEARE, figure, "min-char-rnn",
        partial(one_pass, {
            "model": cell, "embedding_dim": 64, "hidden_dim": 100, "num_steps": 16,
            "learning_rate": 0.1, "limit": 5 / 16, "seed": 0,
        }),
    )
    for cell, figure in (("rnn", "1.98"), ("lstm", "1.64"))
]  # fmt: skip

AGREEMENT = [
    Recipe(
        f"grammar-{cell}", f"the built-in grammar, {cell.upper()}, H = {H}, 46 thousand parameters; 1 epoch, 3 seeds",
        None, "7.101", "the grammar's entropy: no model can be better",
        partial(train_and_measure, f"--model {cell} -H {H} {GRAMMAR}"),
    )
    for cell, H in (("rnn", 132), ("gru", 75), ("lstm", 64))
]  # fmt: skip


def memory(task, cell, cell_options, T, H, steps, rate, published, source):
    """The recipe of a cell on the adding problem or the copy task."""
    return Recipe(
        f"{task}-{cell}", f"{task}, T = {T}, {cell.upper()}, H = {H}; Adam, {steps:,} steps of 20, 3 seeds",
        None, published, source,
        partial(learn, {
            "task": task, "model": cell, "cell": cell_options, "num_steps": T, "batch_size": 20, "hidden_dim": H,
            "steps": steps, "learning_rate": rate,
        }),
    )  # fmt: skip


ADDING_SOURCE = "who always answers 1; Hochreiter and Schmidhuber, 1997"
COPY_SOURCE = "who remembers nothing; Arjovsky et al., 2016"
MEMORY = [
    memory("adding", "rnn", {}, 100, 50, 3000, 0.001, "0.167", ADDING_SOURCE),
    memory("adding", "lstm", {}, 100, 50, 3000, 0.01, "0.167", ADDING_SOURCE),
    memory("copy", "rnn", {}, 50, 100, 3000, 0.001, "0.297", COPY_SOURCE),
    memory("copy", "lstm", {"forget_bias": 4.0}, 50, 100, 3000, 0.01, "0.297", COPY_SOURCE),
]
RECIPES = {recipe.name: recipe for recipe in [*TRAINED, *ONE_PASS, *AGREEMENT, *MEMORY]}
