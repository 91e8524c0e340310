"""How a language model trains: truncated backpropagation through time (Williams and Peng, 1990; Mikolov et al., 2010).

The text is cut into N parallel streams. A batch is a window of T tokens of each (data/batches.py). The state is carried
from window to window and starts from zeros at the beginning of each epoch; gradients stop at the window's edge.

Sampling and scoring start from zeros too. To accustom the model to zeros, training restarts a stream now and then where
its window begins with a line's end (restart_probability).
"""

from dataclasses import dataclass

import numpy as np

from numpylm.base import require
from numpylm.base.choices import OPTIMIZER, SIZES, again, choice
from numpylm.base.ranks import ALONE
from numpylm.data.batches import cut_streams, num_windows, window
from numpylm.evaluation import evaluate
from numpylm.recurrence import map_state
from numpylm.training import Settings, Task, Validation

UNITS = {"word": "word", "char": "character"}  # of the loss, by the vocabulary's level


@dataclass(frozen=True)
class LanguageSettings(Settings):
    """Settings, with the window's length T and how often streams restart."""

    batch_size: int = again(Settings, "batch_size", 32, help="parallel streams")
    num_steps: int = choice(32, "steps that gradients reach back", "-T", metavar="T", group=SIZES)
    restart_probability: float = choice(
        0.2, "that a stream starts from zeros where its window begins at a line's end", metavar="P",
        group=OPTIMIZER,
    )  # fmt: skip

    def __post_init__(self):
        super().__post_init__()
        require.positive_integer("num_steps", self.num_steps)
        require.fraction("restart_probability", self.restart_probability)


def language_task(train_tokens, valid_tokens, settings, line_end=None, unit="token"):
    """The Task of a language model on token streams (S,); line_end is the id of the token that ends a line.

    Raises ValueError for fewer tokens than N = settings.batch_size streams need.
    """
    streams = cut_streams(train_tokens, settings.batch_size)
    num_batches = num_windows(streams, settings.num_steps)

    def batches(epoch, first):
        return (window(streams, settings.num_steps, k) for k in range(first, num_batches))

    def loss_and_gradients(model, batch, carried, rng):
        inputs, targets = map(np.ascontiguousarray, batch)  # a rank copies, and reads, its own streams alone
        if carried is not None and settings.restart_probability > 0:
            restarted = (inputs[0] == line_end) & (rng.random(inputs.shape[1]) < settings.restart_probability)
            carried = restart(carried, restarted)
        return model.loss_and_gradients(inputs, targets, carried, rng=rng)

    def validate(model, ranks=ALONE):
        num_parts = min(settings.batch_size, len(valid_tokens) - 1)
        return Validation(evaluate(model, valid_tokens, num_parts, ranks).loss)

    return Task(unit, num_batches, batches, lambda batch: batch[1].size, loss_and_gradients, validate)


def restart(state, restarted):
    """The state with zeros for the streams where restarted (N,) is True."""
    return map_state(lambda array: array * ~restarted[:, None], state)
