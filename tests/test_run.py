"""A run: what it leaves in its folder, and that stopping it, or killing it, changes nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest

from numpylm.checkpoint import save_checkpoint
from numpylm.commands import metrics
from numpylm.commands import run as runs
from numpylm.commands.console import blas_threads
from numpylm.commands.metrics import read_metrics
from numpylm.commands.run import RunDiverged, resume_run, start_run
from numpylm.commands.run_folder import RunConfig, RunError
from numpylm.data import grammar
from numpylm.data.archive import CheckpointError, read_archive, write_archive
from numpylm.optimizers import OPTIMIZERS
from numpylm.training import Settings

SETTINGS = Settings(batch_size=4, num_steps=8, epochs=2, learning_rate=0.05)
SIZES = {"embedding_dim": 5, "hidden_dim": 6}
NUM_WINDOWS = 16  # of the first 600 words or so, four fifths are trained on, in 4 streams of 8 steps
TIMES = ("seconds", "step_seconds", "tokens_per_second")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "tiny.txt"
    path.write_text(grammar.generate_text(600, 7), encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def one_thread():
    with blas_threads(1):
        yield


def config_of(corpus, model="lstm", options=None, **settings):
    return RunConfig(model, SIZES | (options or {}), corpus, "word", 1, None, replace(SETTINGS, **settings))


def train(run):
    return runs.train(run, show_progress=False)


def stop_after(monkeypatch, num_reports):
    """Makes the next training believe that Ctrl-C was pressed before its report of that number (counted from 1)."""

    class Interrupts:
        def __enter__(self):
            self.remaining = num_reports
            return self

        def __exit__(self, *exception):
            pass

        @property
        def requested(self):
            self.remaining -= 1
            return self.remaining <= 0

    monkeypatch.setattr(runs, "Interrupts", Interrupts)


def state_of(folder):
    """All that a run's files hold, but for the time that it took."""
    metadata, arrays = read_archive(folder / "last.npz")
    training = {name: value for name, value in metadata["training"].items() if name not in TIMES}
    contents = {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}
    rows = [{name: row[name] for name in row if name not in TIMES} for row in read_metrics(folder / "metrics.csv")]
    best = (folder / "best.npz").read_bytes() if (folder / "best.npz").exists() else None
    return {**metadata, "training": training, "arrays": contents, "rows": rows, "best": best}


def assert_same_state(folder, expected):
    state = state_of(folder)
    assert state["rows"] == expected["rows"]
    assert state["training"] == expected["training"]
    assert state["arrays"].keys() == expected["arrays"].keys()
    assert [name for name in expected["arrays"] if state["arrays"][name] != expected["arrays"][name]] == []
    assert state == expected


# What a run leaves


def test_a_run_can_start_from_uniform_parameters_which_its_seed_decides(corpus, tmp_path):
    config = replace(config_of(corpus), uniform_range=0.1)
    model, again, other = (
        start_run(tmp_path / name, replace(config, settings=replace(SETTINGS, seed=seed))).model
        for name, seed in (("first", 0), ("again", 0), ("other", 1))
    )
    for name, array in model.parameters().items():
        assert 0 < np.abs(array).max() <= np.float32(0.1), name
        assert np.array_equal(array, again.parameters()[name]), name
        assert not np.array_equal(array, other.parameters()[name]), name
    assert runs.read_config(tmp_path / "first").uniform_range == 0.1


def test_a_run_writes_its_choices_its_checkpoints_and_a_row_for_each_part_of_an_epoch(corpus, tmp_path):
    run = start_run(tmp_path / "run", config_of(corpus))
    assert train(run)
    assert sorted(path.name for path in run.folder.iterdir()) == ["best.npz", "config.json", "last.npz", "metrics.csv"]
    rows = read_metrics(run.folder / "metrics.csv")
    assert [row["step"] for row in rows] == list(range(1, 2 * NUM_WINDOWS + 1))
    assert [row["step"] for row in rows if row["valid_loss"] is not None] == [NUM_WINDOWS, 2 * NUM_WINDOWS]
    assert [row["epoch"] for row in rows if row["valid_loss"] is not None] == [1, 2]
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert json.loads((run.folder / "config.json").read_text())["settings"]["learning_rate"] == 0.05


def test_the_best_checkpoint_is_the_one_of_the_lowest_validation_loss(corpus, tmp_path):
    choices = {"epochs": 6, "learning_rate": 0.5, "schedule": "constant"}
    run = start_run(tmp_path / "run", config_of(corpus, **choices))
    assert train(run)
    losses = run.progress.valid_losses
    best_epoch = 1 + int(np.argmin(losses))
    assert best_epoch < 6, "the rate is meant to be so high that a later epoch is worse"
    short = start_run(tmp_path / "short", config_of(corpus, **choices))
    for report in runs.reports(short, runs.cut_streams(short.tokens["train"], 4)):
        if isinstance(report, runs.EpochReport) and short.progress.epoch == best_epoch:
            break
    best = read_archive(run.folder / "best.npz")[1]
    for name, array in short.model.parameters().items():
        np.testing.assert_array_equal(best[f"parameter.{name}"], array)


def test_two_runs_of_one_seed_are_the_same_and_another_seed_is_another_run(corpus, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert train(start_run(tmp_path / name, config_of(corpus, options={"dropout": 0.3}, seed=seed)))
    assert_same_state(tmp_path / "a", state_of(tmp_path / "b"))
    assert state_of(tmp_path / "a")["arrays"] != state_of(tmp_path / "c")["arrays"]


def test_minutes_end_a_run_within_an_epoch_with_a_validation(corpus, tmp_path):
    run = start_run(tmp_path / "run", config_of(corpus, epochs=None, minutes=1e-9))
    assert train(run)
    rows = read_metrics(run.folder / "metrics.csv")
    assert run.progress.step == 1
    assert rows[-1]["valid_loss"] is not None
    assert (run.folder / "best.npz").exists()


# Stopping and going on


@pytest.fixture(scope="module")
def uninterrupted(corpus, tmp_path_factory):
    """The final state of runs that are never stopped, each made once."""
    states = {}

    def state(**choices):
        key = repr(choices)
        if key not in states:
            run = start_run(tmp_path_factory.mktemp("whole") / "run", config_of(corpus, **choices))
            assert train(run)
            states[key] = state_of(run.folder)
        return states[key]

    return state


def resume_until_done(monkeypatch, folder, stops):
    """Resumes a run, stopping after the given numbers of reports, and at last to its end."""
    for num_reports in stops:
        stop_after(monkeypatch, num_reports)
        assert not train(resume_run(folder))
    monkeypatch.undo()
    assert train(resume_run(folder))


@pytest.mark.parametrize(
    "stops",
    [(1,), (7,), (NUM_WINDOWS,), (NUM_WINDOWS + 1,), (NUM_WINDOWS + 2,), (3, 1, 9, 1, 1, 2, 5), (29,), (32,)],
    ids=["1", "7", "before validation", "epoch's end", "after it", "often", "29", "the very end"],
)
@pytest.mark.parametrize("choices", [{"options": {"dropout": 0.3}}], ids=["dropout"])
def test_a_stopped_and_resumed_run_ends_bit_for_bit_as_if_it_had_never_stopped(
    corpus, tmp_path, monkeypatch, uninterrupted, stops, choices
):
    start_run(tmp_path / "run", config_of(corpus, **choices))
    resume_until_done(monkeypatch, tmp_path / "run", stops)
    assert_same_state(tmp_path / "run", uninterrupted(**choices))


@pytest.mark.parametrize(
    ("optimizer", "schedule"), [*zip(OPTIMIZERS, ("constant", "decay", "plateau", "decay", "plateau"), strict=True)]
)
def test_every_optimizer_and_schedule_goes_on_bit_for_bit(
    corpus, tmp_path, monkeypatch, uninterrupted, optimizer, schedule
):
    choices = {"optimizer": optimizer, "schedule": schedule, "decay_from": 0}
    start_run(tmp_path / "run", config_of(corpus, **choices))
    resume_until_done(monkeypatch, tmp_path / "run", (5, NUM_WINDOWS + 4))
    assert_same_state(tmp_path / "run", uninterrupted(**choices))


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("rnn", {"nonlinearity": "relu", "dropout": 0.2, "dropout_kind": "variational"}),
        ("gru", {"dropout": 0.2}),
        ("lstm", {"num_layers": 2, "embedding_dim": 6, "tie_weights": True, "dropout": 0.1}),
    ],
    ids=["rnn", "gru", "lstm"],
)
def test_every_model_goes_on_bit_for_bit(corpus, tmp_path, monkeypatch, uninterrupted, model, options):
    choices = {"model": model, "options": options}
    start_run(tmp_path / "run", config_of(corpus, **choices))
    resume_until_done(monkeypatch, tmp_path / "run", (5, NUM_WINDOWS, 6))
    assert_same_state(tmp_path / "run", uninterrupted(**choices))


class Killed(BaseException):
    """Stands for a kill -9: nothing of the package catches it."""


def kill_at(monkeypatch, number):
    """Makes the process die before the write of that number (a checkpoint or a row); later ones never happen."""
    count = iter(range(1, 1000))

    def dying(write):
        def wrapped(*arguments, **options):
            if next(count) >= number:
                raise Killed
            return write(*arguments, **options)

        return wrapped

    monkeypatch.setattr(runs, "save_checkpoint", dying(save_checkpoint))
    monkeypatch.setattr(metrics.MetricsFile, "_write", dying(metrics.MetricsFile._write))


@pytest.mark.parametrize(
    ("save_seconds", "kills"),
    [(-1, (2, 3, 30, 31, 32, 33, 34, 35, 67)), (60, (2, 16, 17, 18, 19, 35, 36))],
    ids=["saved at each step", "saved at each epoch"],
)
def test_a_run_killed_before_any_write_goes_on_bit_for_bit(
    corpus, tmp_path, monkeypatch, uninterrupted, save_seconds, kills
):
    expected = uninterrupted(options={"dropout": 0.3})
    for number in kills:
        folder = tmp_path / str(number)
        start_run(folder, config_of(corpus, options={"dropout": 0.3}))
        with monkeypatch.context() as patch:
            patch.setattr(runs, "SAVE_SECONDS", save_seconds)
            kill_at(patch, number)
            with pytest.raises(Killed):
                train(resume_run(folder))
        assert train(resume_run(folder))
        assert_same_state(folder, expected)


def test_a_row_that_a_crash_cut_short_is_written_again(corpus, tmp_path, monkeypatch, uninterrupted):
    start_run(tmp_path / "run", config_of(corpus))
    stop_after(monkeypatch, 7)
    train(resume_run(tmp_path / "run"))
    with open(tmp_path / "run" / "metrics.csv", "a", encoding="utf-8") as file:
        file.write("8,0.5333,256,1")
    resume_until_done(monkeypatch, tmp_path / "run", ())
    assert_same_state(tmp_path / "run", uninterrupted())


def test_a_finished_run_is_not_changed_by_resuming_it_and_goes_on_with_more_epochs(
    corpus, tmp_path, monkeypatch, uninterrupted
):
    assert train(start_run(tmp_path / "run", config_of(corpus, schedule="constant")))
    with monkeypatch.context() as patch:
        patch.setattr(runs, "ProgressBar", None)  # there is nothing to show
        assert train(resume_run(tmp_path / "run"))
    assert_same_state(tmp_path / "run", uninterrupted(schedule="constant"))
    assert train(resume_run(tmp_path / "run", epochs=3))
    assert_same_state(tmp_path / "run", uninterrupted(schedule="constant", epochs=3))
    assert json.loads((tmp_path / "run" / "config.json").read_text())["settings"]["epochs"] == 3


def test_a_run_that_minutes_ended_is_not_validated_again(corpus, tmp_path):
    run = start_run(tmp_path / "run", config_of(corpus, epochs=None, minutes=1e-9))
    train(run)
    before = state_of(tmp_path / "run")
    assert train(resume_run(tmp_path / "run"))
    assert_same_state(tmp_path / "run", before)
    assert train(resume_run(tmp_path / "run", epochs=1))
    steps = [row["step"] for row in read_metrics(tmp_path / "run" / "metrics.csv")]
    assert steps == [1, *range(1, NUM_WINDOWS + 1)], "a row for the first step, and one for its validation"


# What is refused


def test_a_folder_that_holds_a_run_is_left_alone(corpus, tmp_path):
    run = start_run(tmp_path / "run", config_of(corpus))
    train(run)
    before = state_of(run.folder)
    with pytest.raises(RunError, match=r"already holds a run .*--resume.*--out"):
        start_run(run.folder, config_of(corpus, seed=1))
    assert_same_state(run.folder, before)


def test_a_corpus_that_is_too_small_is_refused_before_anything_is_written(tmp_path):
    path = tmp_path / "small.txt"
    for num_lines, batch_size, message in ((20, 64, "N = 64 streams need"), (2, 1, "valid part"), (10, 1, "")):
        path.write_text("a b\n" * num_lines)
        if not message:
            assert start_run(tmp_path / "run", config_of(str(path), batch_size=batch_size))
            continue
        with pytest.raises(ValueError, match=message):
            start_run(tmp_path / "run", config_of(str(path), batch_size=batch_size))
        assert not (tmp_path / "run").exists()


def test_a_validation_or_test_text_of_one_token_is_refused(tmp_path):
    for lonely in ("valid", "test"):
        folder = tmp_path / lonely
        folder.mkdir()
        for part in ("train", "valid", "test"):
            (folder / f"{part}.txt").write_text("x" if part == lonely else "abcabcabc")
        config = replace(config_of(str(folder), batch_size=1), level="char")
        with pytest.raises(ValueError, match=f"the {lonely} part of the corpus is 1 tokens long, where 2 are needed"):
            start_run(tmp_path / "run", config)


def test_resuming_says_what_is_missing(corpus, tmp_path):
    with pytest.raises(RunError, match=r"holds no run: there is no .*config\.json"):
        resume_run(tmp_path)
    with pytest.raises(RunError, match="holds no run"):
        resume_run(corpus)
    run = start_run(tmp_path / "run", config_of(corpus))
    (run.folder / "last.npz").unlink()
    with pytest.raises(RunError, match=r"holds no last\.npz"):
        resume_run(run.folder)
    save_checkpoint(run.folder / "last.npz", run.model, run.vocabulary)
    with pytest.raises(RunError, match="no training to go on with"):
        resume_run(run.folder)


def test_a_damaged_checkpoint_or_training_record_is_refused(corpus, tmp_path):
    run = start_run(tmp_path / "run", config_of(corpus))
    train(run)
    path = run.folder / "last.npz"
    metadata, arrays = read_archive(path)
    for name in ("rng", "optimizer_steps", "running"):
        fields = {key: value for key, value in metadata["training"].items() if key != name}
        write_archive(path, arrays, {**metadata, "training": fields})
        with pytest.raises(RunError, match=f"incomplete or damaged .*{name}"):
            resume_run(run.folder)
    write_archive(path, arrays, {**metadata, "training": metadata["training"] | {"surplus": 1}})
    with pytest.raises(RunError, match="incomplete or damaged"):
        resume_run(run.folder)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"last\.npz"):
        resume_run(run.folder)


def test_a_corpus_that_has_changed_or_gone_is_noticed(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(grammar.generate_text(400, 3))
    run = start_run(tmp_path / "run", config_of(str(path)))
    path.write_text(grammar.generate_text(400, 4))
    with pytest.raises(RunError, match="is not what it was when the run started"):
        resume_run(run.folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"text\.txt"):
        resume_run(run.folder)


def test_fewer_epochs_than_were_begun_are_refused(corpus, tmp_path, monkeypatch):
    run = start_run(tmp_path / "run", config_of(corpus))
    stop_after(monkeypatch, NUM_WINDOWS + 3)
    train(run)
    with pytest.raises(RunError, match=r"in epoch 2 already.*--epochs 1"):
        resume_run(run.folder, epochs=1)
    assert resume_run(run.folder).config.settings.epochs == 2


def test_a_loss_that_diverges_is_reported_and_the_last_good_checkpoint_stays(corpus, tmp_path):
    run = start_run(tmp_path / "run", config_of(corpus, model="gru", optimizer="sgd", learning_rate=1e38))
    with pytest.raises(RunDiverged) as caught:
        train(run)
    message = str(caught.value)
    assert message.startswith("training diverged at step 2: the loss is inf, the gradient norm")
    assert f"The last good checkpoint is {run.folder / 'last.npz'}, of step 0." in message
    assert "smaller --learning-rate (it was 1e+38), a smaller --clip (it was 5), or --model lstm" in message
    for array in read_archive(run.folder / "last.npz")[1].values():
        assert np.isfinite(array).all()


def test_a_loss_whose_perplexity_overflows_counts_as_diverged(corpus, tmp_path):
    """A small saturated RNN has gradients of zero and a loss of 1e29 nats, which is finite."""
    run = start_run(tmp_path / "run", config_of(corpus, model="rnn", optimizer="sgd", learning_rate=1e30))
    with pytest.raises(
        RunDiverged, match=r"step 16: the loss is .*e\+\d\d nats .* validation text, the gradient norm \d"
    ):
        train(run)
    assert not (run.folder / "best.npz").exists()


def test_a_full_disk_keeps_the_last_checkpoint(corpus, tmp_path, monkeypatch):
    run = start_run(tmp_path / "run", config_of(corpus))
    before = (run.folder / "last.npz").read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpylm.data.archive._write_synced", full)
    with pytest.raises(CheckpointError, match="No space left"):
        train(run)
    assert (run.folder / "last.npz").read_bytes() == before
