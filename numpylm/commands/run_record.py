"""What a checkpoint keeps of a training that goes on: Progress, optimizer and RunningMean, as a TrainingRecord."""

import numpy as np

from numpylm.checkpoint import TrainingRecord
from numpylm.commands.metrics import RunningMean
from numpylm.commands.run_folder import RunError
from numpylm.data.schema import check, fields_of
from numpylm.training import Progress, make_optimizer


def record_of(optimizer, progress, running):
    """All that training depends on beside the parameters, as a TrainingRecord."""
    arrays = {
        f"optimizer.{slot}.{name}": array
        for slot, by_name in optimizer.memory.items()
        for name, array in by_name.items()
    }
    for layer, state in enumerate(progress.carried or ()):
        arrays.update({f"carried.{layer}.{name}": array for name, array in state._asdict().items()})
    kept = {name: value for name, value in vars(progress).items() if name not in ("rng", "carried")} | {
        "rng": progress.rng.bit_generator.state,
        "num_streams": len(progress.carried[0][0]) if progress.carried else 0,
        "optimizer": type(optimizer).__name__.lower(),
        "running": vars(running),
    }
    return TrainingRecord(arrays, kept)


def restore(record, settings, model, num_batches):
    """The optimizer, Progress and RunningMean of a record that load_checkpoint has checked. Raises RunError if they
    contradict the settings, the data, or one another."""
    read = dict(record.fields)
    rng = np.random.default_rng()
    rng.bit_generator.state = read.pop("rng")
    num_streams, trained_by = read.pop("num_streams"), read.pop("optimizer")
    try:
        running = RunningMean(**check("running", read.pop("running"), fields_of(RunningMean)))
        progress = Progress(rng, **read)
        check_agreement(progress, num_batches)
        if trained_by != settings.optimizer:
            raise ValueError(f"it was trained by {trained_by}, and the run's settings say {settings.optimizer}")
    except ValueError as error:
        raise RunError(f"the checkpoint's record of its training cannot be right: {error}") from None
    progress.carried = restore_carried(record, model, num_streams)
    return restore_optimizer(record, settings, progress.step), progress, running


def check_agreement(progress, num_batches):
    """Raises ValueError where the counts contradict one another or the data."""
    if not progress.batch <= min(num_batches, progress.step):
        raise ValueError(f"batch is {progress.batch}, in step {progress.step}, of {num_batches} batches in an epoch")
    if not progress.epoch <= min(len(progress.valid_losses), progress.step):
        raise ValueError(f"{progress.epoch} epochs, {len(progress.valid_losses)} validations, {progress.step} steps")


def restore_optimizer(record, settings, num_steps):
    """The optimizer after num_steps."""
    optimizer = make_optimizer(settings)
    optimizer.num_steps = num_steps
    for name, array in record.arrays.items():
        owner, slot, parameter = name.split(".", 2)
        if owner == "optimizer":
            optimizer.memory[slot][parameter] = array
    return optimizer


def restore_carried(record, model, num_streams):
    """The state after the last batch, a tuple with each layer's; None at an epoch's beginning."""
    if num_streams == 0:
        return None
    return tuple(
        type(state)(*[record.arrays[f"carried.{layer}.{field}"] for field in state._fields])
        for layer, state in enumerate(model.initial_state(num_streams))
    )
