"""The record of a training in its checkpoint: what cannot be right is refused, in words."""

import pytest
from run_examples import NUM_BATCHES, start, stop_after, train

import numpylm as nlm
from numpylm.checkpoint import TrainingRecord, save_checkpoint
from numpylm.commands.run import resume_run
from numpylm.commands.run_folder import RunError
from numpylm.data.archive import CheckpointError


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    """A run that was stopped within its second epoch."""
    run = start(tmp_path_factory.mktemp("trained") / "run", corpus)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, NUM_BATCHES + 3)
        assert not train(run)
    return run


RECORD_FAULTS = [
    *({"rng": value} for value in (None, {}, "x", {"bit_generator": "PCG64", "state": 3})),
    *({"running": value} for value in ({}, {"nats": 1.0}, [])),
    *({name: value} for name in ("epoch", "batch", "step", "tokens") for value in (-1, 10**30, "3", None, 1.5, True)),
    *({name: value} for name in ("seconds", "epoch_nats") for value in (-1.0, float("inf"), "1", None)),
    *({"valid_losses": value} for value in (3, ["1"], [float("inf")], [])),
    *({"batch": 17}, {"epoch": 9}, {"surplus": 1}),
]


@pytest.mark.parametrize("fault", RECORD_FAULTS, ids=str)
def test_a_training_record_that_cannot_be_right_is_refused(trained, tmp_path, fault):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_bytes((trained.folder / "config.json").read_bytes())
    model, vocabulary, record = nlm.load_checkpoint(trained.folder / "last.npz")
    try:
        save_checkpoint(folder / "last.npz", model, vocabulary, TrainingRecord(record.arrays, record.fields | fault))
    except ValueError:
        return  # what cannot be written can still less be read
    with pytest.raises((RunError, CheckpointError), match=r"record of its training|last\.npz"):
        resume_run(folder)


def test_an_incomplete_optimizer_or_record_or_file_is_refused(trained, corpus, tmp_path):
    run = start(tmp_path / "run", corpus)
    model, vocabulary, record = nlm.load_checkpoint(trained.folder / "last.npz")
    for left_out in ("optimizer.v.", "optimizer."):
        arrays = {name: array for name, array in record.arrays.items() if not name.startswith(left_out)}
        with pytest.raises(ValueError, match=r"the array optimizer.*is missing"):
            save_checkpoint(run.folder / "last.npz", model, vocabulary, TrainingRecord(arrays, record.fields))
    path = run.folder / "last.npz"
    path.write_bytes((trained.folder / "last.npz").read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"last\.npz"):
        resume_run(run.folder)


def test_fewer_epochs_than_were_begun_are_refused(trained):
    with pytest.raises(RunError, match=r"in epoch 2 already.*--epochs 1"):
        resume_run(trained.folder, epochs=1)
    assert resume_run(trained.folder).config.settings.epochs == 2
