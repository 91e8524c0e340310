"""The recipes: the choices and the data of each, and the figure that its result stands beside.

The options of a recipe that trains by `python -m numpylm train` or `translate` are that command's. Two scales differ
from the papers, which sum the loss over the T steps of a window: ours is the mean. Their rate of 1 and norm of 5 at
T = 20 are a rate of 20 and a norm of 0.25 here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from agreement_recipe import train_and_measure
from command_recipe import train, translate
from memory_recipe import learn
from one_pass import one_pass
from speech_recipe import official, unknown_speakers, with_grammar


class Recipe(NamedTuple):
    """One row of the table. run(options, data, folder) trains, or goes on in the folder: a Measured."""

    name: str
    what: str
    data: str | None  # what it needs of the data folder
    beside: str  # a published figure, or what the figure is
    source: str
    run: Callable
    options: Any
    threads: int | None = None  # None: as many as run takes by itself


PTB, SHAKESPEARE, MULTI30K, FSDD = "ptb", "tinyshakespeare.txt", "multi30k", "fsdd/fsdd.npz"
SGD = "--optimizer sgd --learning-rate 20 --clip 0.25"
SGD_ALONE = f"{SGD} --uniform-range 0.1 --restart-probability 0"
LARGE = "-D 128 -H 512 -T 80 -N 32 --learning-rate 0.003 --clip 1 --restart-probability 0"
NANOGPT = (
    "1.88 after 3 minutes on a CPU; 1.4697 in the standard configuration",
    "nanoGPT's README: a Transformer, validation on the last 10 %",
)
MIN_CHAR_RNN = "said of min-char-rnn; that program has T = 25 and one-hot inputs, this recipe T = 16 and an embedding"
FLOOR = ("7.101", "the grammar's entropy: no model can be better")
ADDING = ("0.167", "the answer 1 to every problem; task: Hochreiter and Schmidhuber, 1997; ReLU: Le et al., 2015")
COPY = ("0.297", "the best answer without a memory; task: Arjovsky et al., 2016")
WORDS = "--source de --target en --min-count 2"
NEW_VOICES = {
    "strings": 1500, "epochs": 36, "speed": 0.25, "tempo": 0.25, "learning_rate": 0.006, "batch_size": 32,
    "cepstra": 13, "hidden_dim": 128, "num_layers": 1, "dropout": 0.4,
}  # fmt: skip
LARGER = NEW_VOICES | {"strings": 2000, "epochs": 20, "learning_rate": 0.005, "hidden_dim": 160, "num_layers": 2}
ONE_PASS = {
    "embedding_dim": 64, "hidden_dim": 100, "num_steps": 16, "learning_rate": 0.1, "limit": 5 / 16, "seed": 0,
}  # fmt: skip
JOINED = "digit strings joined from real recordings (FSDD), GRU in both directions, CTC"


def memory(name, cell, T, H, rate, compared, kind="rnn", **cell_options):
    """The recipe of a cell on the adding problem or the copy task."""
    task = name.partition("-")[0]
    options = {
        "task": task, "model": kind, "cell": cell_options, "num_steps": T, "batch_size": 20, "hidden_dim": H,
        "steps": 3000, "learning_rate": rate,
    }  # fmt: skip
    what = f"{task}, T = {T}, {cell}, H = {H}; Adam {rate}, 3,000 steps of 20, 3 seeds"
    return Recipe(name, what, None, *compared, learn, options)


LIST = (
    Recipe("ptb-100", "Penn Treebank, LSTM 1×100; N = 20, T = 35, SGD 20, 4 epochs", PTB,
           "136.1", "deep-learning-from-scratch-2, chapter 6",
           train, f"-D 100 -H 100 -L 1 -T 35 -N 20 --epochs 4 --schedule constant {SGD_ALONE}"),
    Recipe("ptb-small", "Penn Treebank, LSTM 2×200; N = 20, T = 20, SGD, halved from epoch 5 on, 13 epochs", PTB,
           "114.5 to 115", "Zaremba et al., 2014, small",
           train, "-D 200 -H 200 -L 2 -T 20 -N 20 --epochs 13 --seed 1 --schedule decay --decay-from 3 "
           f"--decay-factor 0.5 {SGD_ALONE}"),
    Recipe("ptb-hour",
           "Penn Treebank, LSTM 2×224, tied, dropout 0.35; N = 20, T = 35, SGD, cosine, 22 epochs, two threads", PTB,
           "110.4 after 6 epochs, 87.2 after 40", "PyTorch word_language_model, 2×200, tied: its README of 2017",
           train, f"-D 224 -H 224 -L 2 -T 35 -N 20 --tie-weights --dropout 0.35 {SGD} --restart-probability 0 "
           "--epochs 22", 2),
    Recipe("shakespeare-best",
           "Tiny Shakespeare, the first 85 %, LSTM 1×512, dropout 0.3; N = 32, T = 80, Adam, cosine, 10 epochs",
           SHAKESPEARE, *NANOGPT, train, f"--split 0.85 0.05 0.1 --dropout 0.3 --epochs 10 {LARGE}"),
    Recipe("shakespeare-whole",
           "Tiny Shakespeare, the first 90 %, LSTM 1×512, dropout 0.5; N = 32, T = 80, Adam, cosine, 12 epochs",
           SHAKESPEARE, *NANOGPT, train, f"--split 0.9 0 0.1 --dropout 0.5 --epochs 12 {LARGE}"),
    *(Recipe(f"shakespeare-{cell}",
             f"Tiny Shakespeare, {cell.upper()} 1×100, T = 16, one pass, Adagrad 0.1; smoothed training loss",
             SHAKESPEARE, f"{figure}, no published source", MIN_CHAR_RNN, one_pass, ONE_PASS | {"model": cell})
      for cell, figure in (("rnn", "1.98"), ("lstm", "1.64"))),
    *(Recipe(f"grammar-{cell}",
             f"the built-in grammar, {cell.upper()}, H = {H}, 46 thousand parameters; 1 epoch, 3 seeds",
             None, *FLOOR, train_and_measure, f"--model {cell} -H {H} --epochs 1 -D 64")
      for cell, H in (("rnn", 132), ("gru", 75), ("lstm", 64))),
    memory("adding-rnn", "RNN, tanh", 100, 50, 0.001, ADDING),
    memory("adding-irnn", "RNN, ReLU, W_hh starts as the identity", 100, 50, 0.001, ADDING, nonlinearity="relu"),
    memory("adding-lstm", "LSTM, forget bias 1", 100, 50, 0.01, ADDING, "lstm"),
    memory("copy-rnn", "RNN, tanh", 50, 100, 0.001, COPY),
    memory("copy-lstm", "LSTM, forget bias 4", 50, 100, 0.01, COPY, "lstm", forget_bias=4.0),
    Recipe("multi30k-no-attention",
           "Multi30k German to English, LSTM 1×256 without attention, tied, dropout 0.3; N = 64, Adam, 4 epochs",
           MULTI30K, "BLEU 13.76", "bentrevett's seq2seq tutorial 1, LSTM 2×512, 13.9 million parameters, 10 epochs",
           translate, f"{WORDS} --model lstm --score none --tie-weights -D 256 -H 256 --dropout 0.3 "
           "--learning-rate 0.002 --epochs 4"),
    Recipe("multi30k",
           "Multi30k German to English, GRU 1×320, dot-product attention, tied, dropout 0.4; N = 64, Adam, 12 epochs",
           MULTI30K, "BLEU 28.30",
           "bentrevett's seq2seq tutorial 3, bidirectional GRU, additive attention, 20.5 million parameters",
           translate, f"{WORDS} --tie-weights -D 200 -H 320 --dropout 0.4 --learning-rate 0.0015 --epochs 12"),
    Recipe("tatoeba",
           "Tatoeba English to Chinese, both by characters, GRU 1×256, dot-product attention, tied, dropout 0.3; "
           "N = 64, Adam, 12 epochs or 45 minutes",
           "tatoeba/cmn-eng.txt.gz", "–", "no published figure; perplexity beside n-grams of the target",
           translate, "--source-level char --target-level char --tie-weights -D 256 -H 256 --dropout 0.3 "
           "--learning-rate 0.002 --epochs 12 --minutes 45", 1),
    Recipe("digits", f"{JOINED}, 2×160, dropout 0.4, 13 cepstra; official split, all five speakers known", FSDD,
           "1.5", "our aim: no published figure for joined strings", official, LARGER),
    Recipe("digits-unknown-speaker", f"{JOINED}, 1×128, dropout 0.4, 13 cepstra; each speaker left out in turn", FSDD,
           "15", "our aim", unknown_speakers, NEW_VOICES),
    Recipe("digits-grammar",
           f"{JOINED}, 1×128, dropout 0.4, 13 cepstra; telephone numbers of a plan, a new speaker, a language model",
           FSDD, "two thirds of what the oracle allows", "our aim",
           with_grammar, NEW_VOICES | {"without": "jackson"}),
)  # fmt: skip
RECIPES = {recipe.name: recipe for recipe in LIST}
