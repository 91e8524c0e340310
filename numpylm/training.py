"""Training: one loop for every kind of model.

Each step computes the loss of a batch and its gradients, clips the gradients, and lets the optimizer update the model.
Validation follows each epoch. A Task holds the functions that differ between language models, translation, speech and
question answering.

`training` is a generator. Whenever it yields, the model, the optimizer and the Progress hold everything that the rest
of the training needs. So a caller can show progress, save, stop, and later continue with the same results.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from numpylm import schedules
from numpylm.base import require
from numpylm.base.choices import OPTIMIZER, SIZES, TIME, choice
from numpylm.clipping import clip_by_global_norm
from numpylm.evaluation import safe_exp
from numpylm.optimizers import OPTIMIZERS

LEARNING_RATES = {name: optimizer().learning_rate for name, optimizer in OPTIMIZERS.items()}
LEARNING_RATES["adam"] = 0.005  # measured: best for the built-in corpus
RATES_SHOWN = ", ".join(f"{rate:g} with {name}" for name, rate in LEARNING_RATES.items())


class Task(NamedTuple):
    """The part of training that each kind of model does in its own way. A batch is any record of arrays.

    unit                the name of a target: the loss is in nats per word, per character, …
    num_batches         how many batches an epoch has
    batches             (epoch, first) -> an iterator of the epoch's batches from number `first` on
    num_targets         (batch) -> its number of predicted targets; the loss is the mean over them
    loss_and_gradients  (model, batch, carried, rng) -> a record with loss, gradients and state; carried is the state
                        after the batch before, None at an epoch's beginning
    validate            (model, ranks=ALONE) -> Validation; ranks share the work (base/data_parallel.py)
    perplexity          whether losses are shown as perplexities, e^loss
    axes                for each array of a batch, the axis of the sequences, or None if the array has no such axis; by
                        default axis 1 for all
    """

    unit: str
    num_batches: int
    batches: Callable
    num_targets: Callable
    loss_and_gradients: Callable
    validate: Callable
    perplexity: bool = True
    axes: tuple | None = None


class Validation(NamedTuple):
    """Mean nats per target of the validation data, and a note to show beside it."""

    loss: float
    note: str = ""


@dataclass(frozen=True)
class Settings:
    """How to train. Training stops after epochs or after minutes, whichever comes first. Raises ValueError for a
    setting out of range."""

    batch_size: int = choice(32, "sequences in a batch", "-N", metavar="N", group=SIZES)
    epochs: int | None = choice(
        3, "passes over the training data", metavar="K", shown="{default}, unless --minutes", group=TIME
    )
    minutes: float | None = choice(None, "stop training after M minutes in all", metavar="M", group=TIME)
    seed: int = choice(0, "of parameters, order, dropout and restarts", metavar="K", group=TIME)
    optimizer: str = choice(
        "adam", ", ".join(OPTIMIZERS), choices=tuple(OPTIMIZERS), metavar="NAME", group=OPTIMIZER
    )  # fmt: skip
    learning_rate: float | None = choice(None, "at the start", metavar="RATE", shown=RATES_SHOWN, group=OPTIMIZER)
    schedule: str = choice(
        "cosine", f"of the learning rate: {', '.join(schedules.SCHEDULES)}", choices=schedules.SCHEDULES,
        metavar="NAME", group=OPTIMIZER,
    )  # fmt: skip
    decay_from: int = choice(
        4, "decay: the last epoch (counted from 0) at the full rate", metavar="K", group=OPTIMIZER
    )  # fmt: skip
    decay_factor: float = choice(0.5, "decay, plateau: the rate is multiplied by X", metavar="X", group=OPTIMIZER)
    max_norm: float = choice(
        5.0, "largest global norm of the gradients", flag="--clip", metavar="NORM", group=OPTIMIZER
    )  # fmt: skip
    rates = LEARNING_RATES  # no field: what learning_rate is if None is given

    def __post_init__(self):
        require.one_of("optimizer", self.optimizer, OPTIMIZERS)
        require.one_of("schedule", self.schedule, schedules.SCHEDULES)
        if self.learning_rate is None:
            object.__setattr__(self, "learning_rate", self.rates[self.optimizer])
        if self.epochs is None and self.minutes is None:
            raise ValueError("give a number of epochs, or of minutes, or both")
        for name in ("batch_size", *["epochs"] * (self.epochs is not None)):
            require.positive_integer(name, getattr(self, name))
        for name in ("learning_rate", "max_norm", "decay_factor", *["minutes"] * (self.minutes is not None)):
            require.positive_number(name, getattr(self, name))
        for name in ("decay_from", "seed"):
            require.count(name, getattr(self, name))


@dataclass
class Progress:
    """How far training is: whole epochs, batches done in this epoch, steps in all, and the losses so far."""

    rng: Any  # the numpy.random.Generator of dropout and of restarts
    epoch: int = 0
    batch: int = 0
    step: int = 0
    tokens: int = 0  # targets predicted in training steps
    epoch_tokens: int = 0  # the same in this epoch alone
    epoch_nats: float = 0.0  # the sum of these targets' surprisals
    step_seconds: float = 0.0  # spent in training steps
    seconds: float = 0.0  # spent in training steps and validation
    carried: Any = None  # the state after the last batch, None at an epoch's beginning
    valid_losses: list = field(default_factory=list)


class StepReport(NamedTuple):
    """One step: mean nats per target before the update; the gradients' global norm before clipping; targets; rate."""

    loss: float
    norm: float
    num_tokens: int
    learning_rate: float


class EpochReport(NamedTuple):
    """One validation. is_best says whether its loss is the lowest so far. train_loss is the mean over the epoch's
    targets, None if the epoch had no step."""

    valid_loss: float
    is_best: bool
    train_loss: float | None = None
    note: str = ""


class TrainingDiverged(Exception):
    """The loss or the gradient norm became NaN or infinite. A training step that finds this changes nothing."""

    def __init__(self, step, loss, norm):
        super().__init__(f"step {step}: the loss is {loss}, the gradient norm {norm}")
        self.step, self.loss, self.norm = step, loss, norm


def make_optimizer(settings):
    """The optimizer that the settings name."""
    return OPTIMIZERS[settings.optimizer](settings.learning_rate)


def train_step(model, optimizer, inputs, targets, state=None, max_norm=math.inf, rng=None):
    """Train a language model for one step: (loss, gradient norm, the state for the next window).

    Raises TrainingDiverged, and changes nothing, if the loss or the norm is not finite.
    """
    require.model(model, "loss_and_gradients")
    out = model.loss_and_gradients(inputs, targets, state, rng=rng)
    norm = update(model, optimizer, out, max_norm)
    return out.loss, norm, out.state


def update(model, optimizer, out, max_norm):
    """Clip out.gradients, step the optimizer, and return the global norm before clipping.

    Raises TrainingDiverged, and changes nothing, if out.loss or the norm is not finite.
    """
    clipped, norm = clip_by_global_norm(out.gradients, max_norm)
    if not (math.isfinite(out.loss) and math.isfinite(norm)):
        raise TrainingDiverged(optimizer.num_steps + 1, out.loss, norm)
    optimizer.step(model.parameters(), clipped)
    return norm


def training(task, model, optimizer, settings, progress, clock=time.perf_counter):
    """Continue from progress until the settings' epochs or minutes are over. Yield a StepReport after each step and an
    EpochReport after each epoch, also after an epoch that the minutes cut short. clock returns seconds."""
    while settings.epochs is None or progress.epoch < settings.epochs:
        batches = task.batches(progress.epoch, progress.batch)
        while progress.batch < task.num_batches and not out_of_time(settings, progress):
            yield _one_step(task, model, optimizer, batches, settings, progress, clock)
        yield _validate(task, model, progress, clock)
        if out_of_time(settings, progress):
            return


def _one_step(task, model, optimizer, batches, settings, progress, clock):
    started = clock()
    batch = next(batches)
    optimizer.learning_rate = learning_rate_at(settings, progress, task.num_batches)
    out = task.loss_and_gradients(model, batch, progress.carried, progress.rng)
    norm = update(model, optimizer, out, settings.max_norm)
    num_targets = task.num_targets(batch)
    progress.carried = out.state
    progress.batch += 1
    progress.step += 1
    progress.tokens += num_targets
    progress.epoch_tokens += num_targets
    progress.epoch_nats += out.loss * num_targets
    seconds = clock() - started
    progress.step_seconds += seconds
    progress.seconds += seconds
    return StepReport(out.loss, norm, num_targets, optimizer.learning_rate)


def _validate(task, model, progress, clock):
    started = clock()
    loss, note = task.validate(model)
    if not math.isfinite(loss) or (task.perplexity and math.isinf(safe_exp(loss))):
        raise TrainingDiverged(progress.step, f"{loss:.3g} on the validation data", "of the last step was finite")
    train_loss = progress.epoch_nats / progress.epoch_tokens if progress.epoch_tokens else None
    is_best = loss < min(progress.valid_losses, default=math.inf)
    progress.valid_losses.append(loss)
    if progress.batch == task.num_batches:
        progress.epoch, progress.batch, progress.carried = progress.epoch + 1, 0, None
        progress.epoch_tokens, progress.epoch_nats = 0, 0.0
    progress.seconds += clock() - started
    return EpochReport(loss, is_best, train_loss, note)


def out_of_time(settings, progress):
    """Whether settings.minutes, if given, are over."""
    return settings.minutes is not None and progress.seconds >= 60 * settings.minutes


def share_done(settings, progress, num_batches):
    """How much of the training is done, from 0 to 1: the share of the epochs or of the minutes, the larger one."""
    by_epochs = 0 if settings.epochs is None else (progress.epoch + progress.batch / num_batches) / settings.epochs
    by_minutes = 0 if settings.minutes is None else progress.seconds / (60 * settings.minutes)
    return min(1.0, max(by_epochs, by_minutes))


def learning_rate_at(settings, progress, num_batches):
    """The learning rate of the next step."""
    if settings.schedule == "decay":
        return schedules.decay(settings.learning_rate, progress.epoch, settings.decay_from, settings.decay_factor)
    if settings.schedule == "plateau":
        return schedules.plateau(settings.learning_rate, progress.valid_losses, settings.decay_factor)
    if settings.schedule == "cosine":
        return schedules.cosine(settings.learning_rate, share_done(settings, progress, num_batches))
    return settings.learning_rate  # constant
