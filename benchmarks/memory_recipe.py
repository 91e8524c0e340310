"""The adding problem and the copy task, three seeds each: only a memory solves them. Each has the error of the best
answer without one.

    adding      x_t = (value in 0..1, mark): two of T values are marked, one in each half; what is their sum?
                Always answering 1 gives a mean squared error of 1/6, the variance of the sum.
                Hochreiter and Schmidhuber (1997), section 5.4, with the ranges of Le, Jaitly and Hinton (2015)

    copy        ten symbols, T - 1 blanks, a delimiter, ten blanks; the target is T + 10 blanks, then the ten symbols.
                Knowing when, but not what, gives a loss of 10 ln 8 / (T + 20) nats per step.
                Hochreiter and Schmidhuber (1997), in the form of Arjovsky, Shah and Bengio (2016), section 4.1

Every batch is new, so that the training loss is the error on new problems. The adding problem reads numbers in place of
tokens: it calls the cell's own forward and backward pass. Its loss is the mean squared error of N answers,

    loss = (1/N) Σ_n (y[n] - target[n])²        y (N, 1)   target (N, 1)

The copy task uses a language model.
"""

import json
import math
import time

import numpy as np
from recipe_results import measured

from numpylm.affine import affine_backward, affine_forward
from numpylm.commands.run_folder import write_json
from numpylm.initialization import glorot_uniform
from numpylm.model import MODELS, LossOutput
from numpylm.optimizers import Adam
from numpylm.stack import CELLS, Stack, stack_backward, stack_forward
from numpylm.training import update

NUM_SYMBOLS, NUM_COPIED = 8, 10
BLANK, DELIMITER = NUM_SYMBOLS, NUM_SYMBOLS + 1
COPY_VOCABULARY = NUM_SYMBOLS + 2
ADDING_BASELINE = 1 / 6  # mean squared error: the variance of the sum of two uniform numbers, each 1/12
SEEDS = (0, 1, 2)
MAX_NORM = 1.0
ROW_STEPS = 50  # a row of the CSV is the mean over so many steps
ERRORS = {"adding": "mean squared error", "copy": "nats per step"}


def adding_batch(rng, T, N, dtype=np.float32):
    """N adding problems of T >= 2 steps: x (T, N, 2), of values and marks, and the sums (N, 1)."""
    values, marks = rng.random((T, N)), np.zeros((T, N))
    marks[rng.integers(0, T // 2, N), np.arange(N)] = 1
    marks[rng.integers(T // 2, T, N), np.arange(N)] = 1
    sums = (values * marks).sum(axis=0)[:, None]  # (N, 1)
    return np.stack([values, marks], axis=-1).astype(dtype), sums.astype(dtype)


def copy_batch(rng, T, N):
    """N copy problems with a gap of T: inputs and targets (T + 20, N), tokens below COPY_VOCABULARY."""
    symbols = rng.integers(0, NUM_SYMBOLS, (NUM_COPIED, N))
    inputs = np.full((T + 2 * NUM_COPIED, N), BLANK)
    targets = inputs.copy()
    inputs[:NUM_COPIED] = symbols
    inputs[NUM_COPIED + T - 1] = DELIMITER
    targets[-NUM_COPIED:] = symbols
    return inputs, targets


def copy_baseline(T):
    """Nats per step of the best answer that remembers nothing: blanks, then each of eight symbols equally likely."""
    return NUM_COPIED * math.log(NUM_SYMBOLS) / (T + 2 * NUM_COPIED)


class Adder:
    """Answers adding problems: a recurrent layer, and an affine map of its last h_T to one number."""

    def __init__(self, cell, H, rng, dtype=np.float32):
        self.stack, self.H = Stack(cell, 1), H
        drawn = {**cell.initialize(rng, 2, H)._asdict(), "W_hy": glorot_uniform(rng, H, 1), "b_y": np.zeros(1)}
        self._parameters = {name: array.astype(dtype) for name, array in drawn.items()}

    def parameters(self):
        """Name -> array, the live arrays."""
        return self._parameters

    def loss_and_gradients(self, x, target):
        """LossOutput from x (T, N, 2) and target (N, 1); the loss is the mean squared error of N answers."""
        p, State = self._parameters, self.stack.cell.State
        zeros = [State(*[np.zeros((x.shape[1], self.H), x.dtype) for _ in State._fields])]
        out = stack_forward(self.stack, p, x, zeros)
        error = affine_forward(out.h[-1], p["W_hy"], p["b_y"]) - target  # (N, 1)
        loss = (error * error).mean().item()
        dy = 2 * error / len(error)
        dh_T, dW_hy, db_y = affine_backward(dy, out.h[-1], p["W_hy"])
        dh = np.zeros_like(out.h)
        dh[-1] = dh_T
        gradients = stack_backward(self.stack, p, dh, zeros, out.trace).dparameters
        return LossOutput(loss, gradients | {"W_hy": dW_hy, "b_y": db_y}, out.state)


def make(options, seed):
    """(model, function that draws a batch) for the task that the options name."""
    rng = np.random.default_rng([seed, 0])
    T, N, H = options["num_steps"], options["batch_size"], options["hidden_dim"]
    if options["task"] == "adding":
        return Adder(CELLS[options["model"]](**options["cell"]), H, rng), lambda: adding_batch(rng, T, N)
    model = MODELS[options["model"]](COPY_VOCABULARY, H, H, seed=seed, **options["cell"])
    return model, lambda: copy_batch(rng, T, N)


def losses(options, seed):
    """The loss before each step of training with one seed: an array."""
    model, draw = make(options, seed)
    optimizer, found = Adam(options["learning_rate"]), []
    for _ in range(options["steps"]):
        out = model.loss_and_gradients(*draw())
        update(model, optimizer, out, MAX_NORM)
        found.append(out.loss)
    return np.array(found)


def one_seed(options, seed, folder):
    """{"seconds", "losses"} of a seed, losses being means over ROW_STEPS; read from the folder if it is there."""
    path = folder / f"seed-{seed}.json"
    if not path.exists():
        started = time.perf_counter()
        means = losses(options, seed).reshape(-1, ROW_STEPS).mean(axis=1).tolist()
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, {"options": options, "seconds": time.perf_counter() - started, "losses": means})
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept["options"] != options:
        raise ValueError(f"{path} was made with other options, {kept['options']}; remove it to train again")
    return kept


def learn(options, data, folder):
    """Train with each seed: a Measured whose rows are steps, with a column for each seed.

    Its test is the mean over the last tenth of the steps, and its baseline the loss of the best answer without a
    memory.
    """
    runs = [one_seed(options, seed, folder) for seed in SEEDS]
    curves = np.array([run["losses"] for run in runs])  # (seeds, rows)
    rows = [
        {"step": (k + 1) * ROW_STEPS, **{f"seed_{s}": loss for s, loss in zip(SEEDS, curve, strict=True)}}
        for k, curve in enumerate(curves.T.tolist())
    ]
    last = curves[:, -max(1, len(rows) // 10) :].mean(axis=1).tolist()
    is_copy, T, model = options["task"] == "copy", options["num_steps"], make(options, 0)[0]
    num_tokens = len(SEEDS) * options["steps"] * options["batch_size"] * (T + 2 * NUM_COPIED * is_copy)
    baseline = copy_baseline(T) if is_copy else ADDING_BASELINE
    seconds, unit, test = sum(run["seconds"] for run in runs), ERRORS[options["task"]], sum(last) / len(last)
    return measured(rows, options, model, seconds, unit, test, num_tokens, seeds=last, baseline=baseline)
