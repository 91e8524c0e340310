"""The adding problem and the copy task (numpylm/data/tasks.py), three seeds each: tasks that need a memory.

Every batch is new, so that the training loss is the error on new problems. The adding problem reads numbers in place of
tokens: it calls the cell's own forward and backward pass. The copy task uses a language model.
"""

import json
import time

import numpy as np
from recipe_results import measured

from numpylm.affine import affine_backward, affine_forward
from numpylm.clipping import clip_by_global_norm
from numpylm.commands.run_folder import write_json
from numpylm.data import tasks
from numpylm.initialization import glorot_uniform
from numpylm.model import MODELS
from numpylm.optimizers import Adam
from numpylm.stack import CELLS

SEEDS = (0, 1, 2)
MAX_NORM = 1.0
ROW_STEPS = 50  # a row of the CSV is the mean over so many steps
ERRORS = {"adding": "mean squared error", "copy": "nats per step"}


class Adder:
    """Answers adding problems: a recurrent layer, and an affine map of its last h_T to one number."""

    def __init__(self, cell, H, rng, dtype=np.float32):
        self.cell, self.H = cell, H
        drawn = {**cell.initialize(rng, 2, H)._asdict(), "W_hy": glorot_uniform(rng, H, 1), "b_y": np.zeros(1)}
        self._parameters = {name: array.astype(dtype) for name, array in drawn.items()}

    def parameters(self):
        """Name -> array, the live arrays."""
        return self._parameters

    def loss_and_gradients(self, x, target):
        """Mean squared error of N answers, and its gradients by name, from x (T, N, 2) and target (N, 1)."""
        p, State = self._parameters, self.cell.State
        layer = self.cell.Parameters(*[p[name] for name in self.cell.Parameters._fields])
        zeros = State(*[np.zeros((x.shape[1], self.H), x.dtype) for _ in State._fields])
        out = self.cell.forward(layer, x, zeros)
        y = affine_forward(out.h[-1], p["W_hy"], p["b_y"])  # (N, 1)
        dh_T, dW_hy, db_y = affine_backward(tasks.squared_error_backward(y, target), out.h[-1], p["W_hy"])
        dh = np.zeros_like(out.h)
        dh[-1] = dh_T
        dlayer = self.cell.backward(layer, dh, zeros, out.trace).dparameters
        return tasks.squared_error_forward(y, target), {**dlayer._asdict(), "W_hy": dW_hy, "b_y": db_y}


def make(options, seed):
    """(model, function that draws a batch) for the task that the options name."""
    rng = np.random.default_rng([seed, 0])
    T, N, H = options["num_steps"], options["batch_size"], options["hidden_dim"]
    if options["task"] == "adding":
        return Adder(CELLS[options["model"]](**options["cell"]), H, rng), lambda: tasks.adding_batch(rng, T, N)
    model = MODELS[options["model"]](tasks.COPY_VOCABULARY, H, H, seed=seed, **options["cell"])
    return model, lambda: tasks.copy_batch(rng, T, N)


def losses(options, seed):
    """The loss before each step of training with one seed: an array."""
    model, draw = make(options, seed)
    optimizer, found = Adam(options["learning_rate"]), []
    for _ in range(options["steps"]):
        loss, gradients = model.loss_and_gradients(*draw())[:2]
        clipped, _ = clip_by_global_norm(gradients, MAX_NORM)
        optimizer.step(model.parameters(), clipped)
        found.append(loss)
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
    num_tokens = len(SEEDS) * options["steps"] * options["batch_size"] * (T + 2 * tasks.NUM_COPIED * is_copy)
    baseline = tasks.copy_baseline(T) if is_copy else tasks.ADDING_BASELINE
    seconds, unit, test = sum(run["seconds"] for run in runs), ERRORS[options["task"]], sum(last) / len(last)
    return measured(rows, options, model, seconds, unit, test, num_tokens, seeds=last, baseline=baseline)
