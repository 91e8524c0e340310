"""Training by truncated backpropagation through time (Williams and Peng, 1990; Mikolov et al., 2010).

One step: the loss of a window of T tokens in N parallel streams, its gradients, clipping, the optimizer's update. The
state is carried from window to window and starts from zeros at the beginning of each epoch; gradients stop at the
window's edge. After each epoch the model is validated.

Whoever samples or scores a line starts from zeros too. So that this is no stranger to the model than any other state,
a stream whose window begins with a line's end is restarted from zeros now and then (restart_probability).

`training` is a generator: whenever it yields, everything that the future depends on is in the model, the optimizer and
the Progress, so that whoever runs it can show, save, stop, and later go on as if nothing had happened.
"""

import math
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from numpylm import require, schedules
from numpylm.clipping import clip_by_global_norm
from numpylm.data.batches import num_windows, window
from numpylm.evaluation import evaluate
from numpylm.optimizers import OPTIMIZERS


@dataclass(frozen=True)
class Settings:
    """How to train. batch_size is N, num_steps is T; epochs or minutes (or both) say when to stop."""

    batch_size: int = 32
    num_steps: int = 32
    epochs: int | None = 3
    minutes: float | None = None
    optimizer: str = "adam"
    learning_rate: float = 0.005
    schedule: str = "cosine"
    decay_from: int = 4
    decay_factor: float = 0.5
    max_norm: float = 5.0
    restart_probability: float = 0.2
    seed: int = 0

    def __post_init__(self):
        require.positive_integer("batch_size", self.batch_size)
        require.positive_integer("num_steps", self.num_steps)
        require.positive_number("learning_rate", self.learning_rate)
        require.positive_number("max_norm", self.max_norm)
        require.positive_number("decay_factor", self.decay_factor)
        require.fraction("restart_probability", self.restart_probability)
        require.count("decay_from", self.decay_from)
        require.count("seed", self.seed)
        require.one_of("optimizer", self.optimizer, OPTIMIZERS)
        require.one_of("schedule", self.schedule, schedules.SCHEDULES)
        if self.epochs is None and self.minutes is None:
            raise ValueError("give a number of epochs, or of minutes, or both")
        if self.epochs is not None:
            require.positive_integer("epochs", self.epochs)
        if self.minutes is not None:
            require.positive_number("minutes", self.minutes)


@dataclass
class Progress:
    """Where training is: complete epochs, windows done in this one, steps in all, and what they found."""

    rng: Any  # the numpy.random.Generator of dropout and of restarts
    epoch: int = 0
    window: int = 0
    step: int = 0
    tokens: int = 0  # predicted in training steps
    epoch_tokens: int = 0  # the same in this epoch alone
    epoch_nats: float = 0.0  # the sum of their surprisals
    step_seconds: float = 0.0  # spent in training steps
    seconds: float = 0.0  # spent in training steps and validation
    carried: Any = None  # the state after the last window, None at an epoch's beginning
    valid_losses: list = field(default_factory=list)


class StepReport(NamedTuple):
    """One step: mean nats per token before the update, the gradients' global norm before clipping, tokens predicted."""

    loss: float
    norm: float
    num_tokens: int
    learning_rate: float


class EpochReport(NamedTuple):
    """One validation, with is_best where its loss is the lowest so far; train_loss is the mean over the epoch's steps,
    None where there were none."""

    valid_loss: float
    is_best: bool
    train_loss: float | None = None


class TrainingDiverged(Exception):
    """The loss or the gradient norm became NaN or infinite; the step was not applied."""

    def __init__(self, step, loss, norm):
        super().__init__(f"step {step}: the loss is {loss}, the gradient norm {norm}")
        self.step, self.loss, self.norm = step, loss, norm


def make_optimizer(settings):
    """The optimizer that the settings name."""
    return OPTIMIZERS[settings.optimizer](settings.learning_rate)


def train_step(model, optimizer, inputs, targets, state=None, max_norm=math.inf, rng=None):
    """One step of learning: (loss, gradient norm, the state to carry on). Raises TrainingDiverged, nothing changed."""
    out = model.loss_and_gradients(inputs, targets, state, rng=rng)
    clipped, norm = clip_by_global_norm(out.gradients, max_norm)
    if not (math.isfinite(out.loss) and math.isfinite(norm)):
        raise TrainingDiverged(optimizer.num_steps + 1, out.loss, norm)
    optimizer.step(model.parameters(), clipped)
    return out.loss, norm, out.state


def training(model, optimizer, streams, valid_tokens, settings, progress, line_end=None):
    """Trains from where progress is to the settings' end; yields a StepReport after each step and an EpochReport
    after each epoch (and, when the minutes are over, after the part of one)."""
    num = num_windows(streams, settings.num_steps)
    while settings.epochs is None or progress.epoch < settings.epochs:
        while progress.window < num and not out_of_time(settings, progress):
            yield _one_window(model, optimizer, streams, settings, progress, num, line_end)
        yield _validate(model, valid_tokens, settings, progress, num)
        if out_of_time(settings, progress):
            return


def _one_window(model, optimizer, streams, settings, progress, num, line_end):
    started = time.perf_counter()
    inputs, targets = window(streams, settings.num_steps, progress.window)
    optimizer.learning_rate = learning_rate_at(settings, progress, num)
    if progress.carried is not None and settings.restart_probability > 0:
        restarted = (inputs[0] == line_end) & (progress.rng.random(inputs.shape[1]) < settings.restart_probability)
        progress.carried = restart(progress.carried, restarted)
    loss, norm, progress.carried = train_step(
        model, optimizer, inputs, targets, progress.carried, settings.max_norm, progress.rng
    )
    progress.window += 1
    progress.step += 1
    progress.tokens += targets.size
    progress.epoch_tokens += targets.size
    progress.epoch_nats += loss * targets.size
    seconds = time.perf_counter() - started
    progress.step_seconds += seconds
    progress.seconds += seconds
    return StepReport(loss, norm, targets.size, optimizer.learning_rate)


def restart(state, restarted):
    """The state with zeros for the streams where restarted (N,) is True."""
    kept = ~restarted[:, None]  # (N, 1)
    return tuple(type(layer)(*[array * kept for array in layer]) for layer in state)


def _validate(model, valid_tokens, settings, progress, num):
    started = time.perf_counter()
    loss = evaluate(model, valid_tokens, min(settings.batch_size, len(valid_tokens) - 1)).loss
    if not math.isfinite(loss):
        raise TrainingDiverged(progress.step, f"{loss} on the validation text", "of the last step was finite")
    train_loss = progress.epoch_nats / progress.epoch_tokens if progress.epoch_tokens else None
    is_best = loss < min(progress.valid_losses, default=math.inf)
    progress.valid_losses.append(loss)
    if progress.window == num:
        progress.epoch, progress.window, progress.carried = progress.epoch + 1, 0, None
        progress.epoch_tokens, progress.epoch_nats = 0, 0.0
    progress.seconds += time.perf_counter() - started
    return EpochReport(loss, is_best, train_loss)


def out_of_time(settings, progress):
    """Whether the minutes given, if any, are over."""
    return settings.minutes is not None and progress.seconds >= 60 * settings.minutes


def share_done(settings, progress, num):
    """How much of the training is done, from 0 to 1: by epochs or by minutes, whichever is further; num windows make
    an epoch."""
    by_epochs = 0 if settings.epochs is None else (progress.epoch + progress.window / num) / settings.epochs
    by_minutes = 0 if settings.minutes is None else progress.seconds / (60 * settings.minutes)
    return min(1.0, max(by_epochs, by_minutes))


def learning_rate_at(settings, progress, num):
    """The learning rate of the next step, num windows being an epoch."""
    if settings.schedule == "decay":
        return schedules.decay(settings.learning_rate, progress.epoch, settings.decay_from, settings.decay_factor)
    if settings.schedule == "plateau":
        return schedules.plateau(settings.learning_rate, progress.valid_losses, settings.decay_factor)
    if settings.schedule == "cosine":
        return schedules.cosine(settings.learning_rate, share_done(settings, progress, num))
    return schedules.constant(settings.learning_rate)
