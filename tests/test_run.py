"""A run: what it leaves in its folder, what is refused, and what keeps two from mixing."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from processes import environment
from run_examples import (
    NUM_BATCHES,
    SETTINGS,
    assert_same_state,
    config_of,
    start,
    state_of,
    stop_after,
    train,
    write_corpus,
)

import numpylm as nlm
from numpylm.checkpoint import save_checkpoint
from numpylm.commands import run as runs
from numpylm.commands.run import RunDiverged, resume_run
from numpylm.commands.run_folder import RunError, locked
from numpylm.data.archive import CheckpointError
from numpylm.data.atomic import FileError
from numpylm.training import EpochReport

# What a run leaves


def test_the_seed_decides_a_run_that_may_start_from_uniform_parameters(corpus, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert train(start(tmp_path / name, corpus, options={"dropout": 0.3}, seed=seed))
    assert_same_state(tmp_path / "a", state_of(tmp_path / "b"))
    assert state_of(tmp_path / "a")["arrays"] != state_of(tmp_path / "c")["arrays"]
    model, again, other = (
        start(tmp_path / name, corpus, options={"uniform_range": 0.1}, seed=seed).model
        for name, seed in (("first", 0), ("again", 0), ("other", 1))
    )
    for name, array in model.parameters().items():
        assert 0 < np.abs(array).max() <= np.float32(0.1), name
        assert np.array_equal(array, again.parameters()[name]), name
        assert not np.array_equal(array, other.parameters()[name]), name


def test_the_best_checkpoint_is_the_one_of_the_lowest_validation_loss(corpus, tmp_path):
    choices = {"epochs": 6, "learning_rate": 0.5, "schedule": "constant"}
    run = start(tmp_path / "run", corpus, **choices)
    assert train(run)
    best_epoch = 1 + int(np.argmin(run.progress.valid_losses))
    assert best_epoch < 6, "the rate is meant to be so high that a later epoch is worse"
    short = start(tmp_path / "short", corpus, **choices)
    for report in runs.reports(short):
        if isinstance(report, EpochReport) and short.progress.epoch == best_epoch:
            break
    best = nlm.load_checkpoint(run.folder / "best.npz").model.parameters()
    for name, array in short.model.parameters().items():
        np.testing.assert_array_equal(best[name], array)


# Folders, and who may write there


def test_a_folder_with_a_checkpoint_is_left_alone_and_one_without_can_be_begun_again(corpus, tmp_path):
    run = start(tmp_path / "run", corpus)
    train(run)
    before = state_of(run.folder)
    with pytest.raises(RunError, match=r"already holds a run .*--resume.*--out"):
        start(run.folder, corpus, seed=1)
    assert_same_state(run.folder, before)
    for name in ("last.npz", "best.npz"):
        (run.folder / name).unlink()
    with pytest.raises(RunError, match=r"holds no last\.npz to resume from: begin its run again"):
        resume_run(run.folder)
    assert train(start(run.folder, corpus))
    assert_same_state(run.folder, before)


def test_only_one_process_trains_in_a_folder_and_its_end_ends_the_lock(corpus, tmp_path):
    run = start(tmp_path / "run", corpus)
    before = state_of(run.folder)
    holding = "import sys, time; from numpylm.commands.run_folder import locked\nwith locked(sys.argv[1]):\n"
    holding += "    print('held', flush=True); time.sleep(100)"
    arguments = [sys.executable, "-c", holding, str(run.folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout.readline().strip() == b"held"
        for action in (lambda: train(run), lambda: resume_run(run.folder, epochs=5), lambda: start(run.folder, corpus)):
            with pytest.raises(RunError, match=r"another process is training in .*run|already holds a run"):
                action()
        assert_same_state(run.folder, before)
        process.kill()
    assert train(resume_run(run.folder))
    with locked(run.folder), pytest.raises(RunError, match="another process is training"), locked(run.folder):
        pass


# What is refused


def test_resuming_says_what_is_missing(corpus, tmp_path):
    for folder in (tmp_path, corpus):
        with pytest.raises(RunError, match=r"holds no run: there is no .*config\.json"):
            resume_run(folder)
    run = start(tmp_path / "run", corpus)
    save_checkpoint(run.folder / "last.npz", run.model, run.data.vocabulary)
    with pytest.raises(RunError, match="no training to go on with"):
        resume_run(run.folder)


@pytest.mark.parametrize("fault", [{"batch": 17}, {"epoch": 9}, {"running": {}}, {"valid_losses": []}], ids=str)
def test_a_training_record_that_cannot_be_of_this_run_is_refused(corpus, tmp_path, monkeypatch, fault):
    """Each of them could be that of another run; what no run has, test_checkpoint.py tries."""
    run = start(tmp_path / "run", corpus)
    stop_after(monkeypatch, NUM_BATCHES + 3)
    assert not train(run)
    model, vocabulary, record = nlm.load_checkpoint(run.folder / "last.npz")
    save_checkpoint(run.folder / "last.npz", model, vocabulary, record._replace(fields=record.fields | fault))
    with pytest.raises(RunError, match="record of its training"):
        resume_run(run.folder)


# Numbers that mean nothing, and full disks


def test_a_loss_that_diverges_is_reported_and_the_last_good_checkpoint_stays(corpus, tmp_path):
    run = start(tmp_path / "run", corpus, options={"model": "gru"}, optimizer="sgd", learning_rate=1e38)
    with pytest.raises(RunDiverged) as caught:
        train(run)
    message = str(caught.value)
    assert message.startswith("training diverged at step 2: the loss is inf, the gradient norm")
    assert f"The last good checkpoint is {run.folder / 'last.npz'}, of step 0." in message
    assert "smaller --learning-rate (it was 1e+38), a smaller --clip (it was 5), or --model lstm" in message
    for array in nlm.load_checkpoint(run.folder / "last.npz").model.parameters().values():
        assert np.isfinite(array).all()


def test_a_full_disk_keeps_the_last_checkpoint_and_is_told_with_the_path(corpus, tmp_path, monkeypatch):
    run = start(tmp_path / "run", corpus)
    before = (run.folder / "last.npz").read_bytes()

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("numpylm.data.archive.npy.write_array", full)
        with pytest.raises(CheckpointError, match=r"npz: No space left"):
            train(run)
    monkeypatch.setattr("csv.DictWriter.writerow", full)
    with pytest.raises(FileError, match=r"metrics\.csv: No space left on device; free some space"):
        train(resume_run(run.folder))
    assert (run.folder / "last.npz").read_bytes() == before


def test_a_relu_rnn_learns_a_small_text_by_default_without_overflow(tmp_path):
    """A state under the identity, carried through the text, grew beyond 1e30 here."""
    path = write_corpus(tmp_path, num_words=700, seed=3)
    settings = replace(SETTINGS, batch_size=32, num_steps=32, epochs=3, learning_rate=0.005)
    config = config_of(path, {"model": "rnn", "nonlinearity": "relu", "embedding_dim": 64, "hidden_dim": 128}, "char")
    run = runs.start_run(tmp_path / "run", runs.find_kind("language"), replace(config, settings=settings))
    assert train(run)
    assert nlm.perplexity(run.model, run.data.parts["test"]) < 25
