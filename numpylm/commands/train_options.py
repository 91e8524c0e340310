"""The options of the train command. Their defaults stand here, and in each one's help."""

from numpylm.dropout import KINDS
from numpylm.optimizers import OPTIMIZERS
from numpylm.schedules import SCHEDULES

TRAIN_DEFAULTS = {  # of the options that a run keeps; what is not given, the parser leaves out
    "model": "lstm", "corpus": "grammar", "split": (0.8, 0.1, 0.1), "level": None,
    "min_count": 1, "max_vocabulary": None,
    "epochs": None, "minutes": None, "out": None, "seed": 0,
    "embedding_dim": 64, "hidden_dim": 128, "num_layers": 1, "num_steps": 32, "batch_size": 32,
    "optimizer": "adam", "learning_rate": None, "schedule": "cosine", "decay_from": 4, "decay_factor": 0.5, "clip": 5.0,
    "restart_probability": 0.2, "dropout": 0.0, "dropout_kind": "standard", "tie_weights": False,
    "nonlinearity": "tanh", "forget_bias": 1.0, "uniform_range": None,
}  # fmt: skip


def add_train_options(parser):
    """All of them, in groups."""
    add_corpus_options(parser.add_argument_group("what to train"))
    add_run_options(parser.add_argument_group("how long, and where to"))
    add_size_options(parser.add_argument_group("sizes"))
    add_optimizer_options(parser.add_argument_group("optimizer and schedule"))
    add_model_options(parser.add_argument_group("regularisation and the cells' own options"))


def add_corpus_options(group):
    """The cell, the corpus and its tokens."""
    group.add_argument("--model", choices=("rnn", "lstm", "gru"), help="the recurrent cell (lstm)")
    group.add_argument(
        "--corpus", metavar="SOURCE",
        help="a UTF-8 text file (cut into train, validation, test), a folder with the three files, a token file from "
        "prepare, or grammar, the built-in corpus (grammar)",
    )  # fmt: skip
    group.add_argument(
        "--split", nargs=3, type=float, metavar=("TRAIN", "VALID", "TEST"),
        help="shares of a text file, in order; with 0 for validation the test part is used for both (0.8 0.1 0.1)",
    )  # fmt: skip
    group.add_argument(
        "--level", choices=("char", "word"), help="tokens are characters or words (char for a file, else word)"
    )
    group.add_argument("--min-count", type=int, metavar="K", help="rarer tokens become <unk> (1)")
    group.add_argument("--max-vocabulary", type=int, metavar="V", help="the most frequent tokens only (all)")


def add_run_options(group):
    """Epochs, minutes, folder, resumption, seed."""
    group.add_argument("--epochs", type=int, metavar="K", help="passes over the training text (3, unless --minutes)")
    group.add_argument("--minutes", type=float, metavar="M", help="stop training after so many minutes in all")
    group.add_argument("--out", metavar="DIR", help="the run's folder (a new one below runs/)")
    group.add_argument(
        "--resume", metavar="DIR",
        help="go on with the run in this folder, as if it had never stopped; with --epochs or --minutes, counted from "
        "its beginning, until then (the cosine schedule has come down to 0 by the old end, and jumps up again)",
    )  # fmt: skip
    group.add_argument("--seed", type=int, metavar="K", help="of parameters, dropout and restarts (0)")


def add_size_options(group):
    """D, H, L, T and N."""
    group.add_argument("-D", "--embedding-dim", type=int, metavar="D", help="of each token's vector (64)")
    group.add_argument("-H", "--hidden-dim", type=int, metavar="H", help="of the recurrent state (128)")
    group.add_argument("-L", "--num-layers", type=int, metavar="L", help="recurrent layers (1)")
    group.add_argument("-T", "--num-steps", type=int, metavar="T", help="steps that gradients reach back (32)")
    group.add_argument("-N", "--batch-size", type=int, metavar="N", help="parallel streams (32)")


def add_optimizer_options(group):
    """Optimizer, schedule, clipping and restarts."""
    group.add_argument(
        "--optimizer", choices=tuple(OPTIMIZERS), metavar="NAME", help="sgd, momentum, adagrad, rmsprop or adam (adam)"
    )
    group.add_argument(
        "--learning-rate", type=float, metavar="RATE",
        help="at the start (0.005 with adam, 0.002 with rmsprop, 0.1 with momentum and adagrad, 1 with sgd)",
    )  # fmt: skip
    group.add_argument(
        "--schedule", choices=SCHEDULES, metavar="NAME",
        help="of the learning rate: constant, decay, plateau or cosine (cosine)",
    )  # fmt: skip
    group.add_argument(
        "--decay-from", type=int, metavar="K", help="decay: full rate for K epochs more than the first (4)"
    )
    group.add_argument("--decay-factor", type=float, metavar="X", help="decay, plateau: rate times X (0.5)")
    group.add_argument("--clip", type=float, metavar="NORM", help="largest global gradient norm (5)")
    group.add_argument(
        "--restart-probability", type=float, metavar="P",
        help="that a stream starts from zeros where its window begins at a line's end (0.2)",
    )  # fmt: skip


def add_model_options(group):
    """Dropout, tying, and what only one cell has."""
    group.add_argument("--dropout", type=float, metavar="P", help="probability that a value is dropped (0)")
    group.add_argument(
        "--dropout-kind", choices=KINDS, metavar="KIND",
        help="standard: new masks at each step; variational: the same for all steps of a window (standard)",
    )  # fmt: skip
    group.add_argument("--tie-weights", action="store_true", help="W_hy is the transpose of E; needs D = H")
    group.add_argument(
        "--uniform-range", type=float, metavar="R",
        help="every parameter, biases too, starts uniform in plus or minus R (by its kind: initialization.py)",
    )  # fmt: skip
    group.add_argument("--nonlinearity", choices=("tanh", "relu"), help="of the rnn (tanh)")
    group.add_argument("--forget-bias", type=float, metavar="B", help="where the lstm's b_f starts (1)")
