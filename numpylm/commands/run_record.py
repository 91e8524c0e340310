"""What a checkpoint keeps of a training that goes on: Progress, optimizer and RunningMean, as a TrainingRecord."""

from dataclasses import fields

import numpy as np

from numpylm.checkpoint import TrainingRecord
from numpylm.commands.metrics import RunningMean
from numpylm.commands.run_folder import RunError, is_of_type
from numpylm.require import count, is_finite_number
from numpylm.training import Progress, make_optimizer

LARGEST = 2**53  # of a count: what a float can count to


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
        "running": vars(running),
    }
    return TrainingRecord(arrays, kept)


def restore(record, settings, model, num_batches):
    """The optimizer, Progress and RunningMean that record_of wrote down. Raises RunError if they cannot be right."""
    try:
        read = dict(record.fields)
        rng = np.random.default_rng()
        rng.bit_generator.state = read.pop("rng")
        running = RunningMean(**checked(RunningMean, read.pop("running")))
        progress = Progress(rng, **checked(Progress, read, omitted=("rng", "carried")))
        check_agreement(progress, num_batches)
        progress.carried = restore_carried(record, model)
        return restore_optimizer(record, settings, model, progress.step), progress, running
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise RunError(f"the checkpoint's record of its training is incomplete or damaged ({error!r})") from None


def checked(cls, read, omitted=()):
    """What JSON held for a dataclass of counts, numbers of 0 or above, and lists of numbers. Raises ValueError."""
    expected = {field.name: field.type for field in fields(cls) if field.name not in omitted}
    if read.keys() != expected.keys():
        raise ValueError(f"expected the fields {', '.join(expected)}; got {', '.join(map(str, read))}")
    for name, kind in expected.items():
        numbers = read[name] if kind is list else [read[name]]
        if not is_of_type(read[name], kind) or not all(is_finite_number(number) for number in numbers):
            raise ValueError(f"{name} must be of type {kind.__name__} and finite; got {read[name]!r:.100}")
        if kind is not list and not 0 <= read[name] <= LARGEST:
            raise ValueError(f"{name} must lie in 0..2^53; got {read[name]!r:.100}")
    return read


def check_agreement(progress, num_batches):
    """Raises ValueError where the counts contradict one another or the data."""
    count("batch", progress.batch)
    if not progress.batch <= min(num_batches, progress.step):
        raise ValueError(f"batch is {progress.batch}, in step {progress.step}, of {num_batches} batches in an epoch")
    if not progress.epoch <= min(len(progress.valid_losses), progress.step):
        raise ValueError(f"{progress.epoch} epochs, {len(progress.valid_losses)} validations, {progress.step} steps")


def restore_optimizer(record, settings, model, num_steps):
    """The optimizer after num_steps, each of its slots complete."""
    optimizer = make_optimizer(settings)
    optimizer.num_steps = num_steps
    prefixes = {f"optimizer.{slot}." for slot in optimizer.slots}
    given = {name for name in record.arrays if name.startswith("optimizer.")}
    expected = {prefix + name for prefix in prefixes for name in model.parameters()} if num_steps else set()
    if given != expected:
        raise ValueError(f"the optimizer's arrays are not complete: {', '.join(sorted(given ^ expected)[:3])}")
    for name in given:
        _, slot, parameter = name.split(".", 2)
        optimizer.memory[slot][parameter] = record.arrays[name]
    return optimizer


def restore_carried(record, model):
    """The state after the last batch, a tuple with each layer's; None at an epoch's beginning."""
    names = [name for name in record.arrays if name.startswith("carried.")]
    if not names:
        return None
    State = type(model.initial_state(1)[0])
    num_layers = 1 + max(int(name.split(".")[1]) for name in names)
    return tuple(
        State(*[record.arrays[f"carried.{layer}.{field}"] for field in State._fields]) for layer in range(num_layers)
    )
