"""metrics.csv: each row once, numbers that come back exactly, and no trust in damaged files."""

from types import SimpleNamespace

import pytest

from numpylm.commands.run_record import Metrics
from numpylm.data.metrics import COLUMNS, read_metrics
from numpylm.training import EpochReport, StepReport, Task

HEADER = ",".join(COLUMNS) + "\n"


def begun(path):
    """The Metrics of a new run, and its file."""
    metrics = Metrics()
    metrics.cut(path)
    return metrics


def task_of(num_batches):
    return Task("word", num_batches, *[None] * 4)


def progress_at(step, num_batches, validated=False):
    """The Progress after a step: tokens and times are made up."""
    epoch, batch = divmod(step, num_batches) if validated else divmod(step - 1, num_batches)
    times = {"seconds": step / 8, "step_seconds": step / 9}
    return SimpleNamespace(step=step, epoch=epoch, batch=batch + (not validated), tokens=10 * step, **times)


def write_epochs(path, num_batches, num_epochs=1):
    metrics, task = begun(path), task_of(num_batches)
    for step in range(1, num_epochs * num_batches + 1):
        metrics.take(path, task, progress_at(step, num_batches), StepReport(1 / step, 2.0, 10, 0.5))
        if step % num_batches == 0:
            metrics.take(path, task, progress_at(step, num_batches, validated=True), EpochReport(3.0, True))
    return metrics


def test_a_row_holds_the_means_since_the_row_before(tmp_path):
    path = tmp_path / "metrics.csv"
    metrics = begun(path)
    reports = [StepReport(1.0, 3.0, 10, 0.5), StepReport(4.0, 5.0, 20, 0.25)]
    for step, report in enumerate(reports, start=1):
        metrics.take(path, task_of(40), progress_at(step, 40), report)
    expected = (2, 0.05, 20, 0.25, (1.0 * 10 + 4.0 * 20) / 30, None, 4.0, 0.25, 90, "nats per word")
    assert read_metrics(path) == [dict(zip(COLUMNS, expected, strict=True))]
    assert metrics == Metrics(learning_rate=0.25, num_rows=1)


@pytest.mark.parametrize("num_batches", [1, 3, 19, 20, 21, 39, 40, 1000])
def test_an_epoch_has_some_twenty_rows_and_ends_with_the_validation(tmp_path, num_batches):
    path = tmp_path / "metrics.csv"
    metrics = write_epochs(path, num_batches, num_epochs=2)
    rows = read_metrics(path)
    steps = [row["step"] for row in rows]
    assert steps == sorted(set(steps)), "no step has two rows"
    assert [row["epoch"] for row in rows if row["valid_loss"] is not None] == [1, 2]
    assert len(rows) == metrics.num_rows
    assert 2 * min(num_batches, 20) <= len(rows) <= 2 * 40


def test_only_the_rows_that_are_counted_are_kept_and_missing_ones_are_not_counted(tmp_path):
    path = tmp_path / "metrics.csv"
    write_epochs(path, 5, num_epochs=2)
    before = path.read_text().splitlines()
    for num_rows in (17, 10, 4, 0):
        metrics = Metrics(num_rows=num_rows)
        metrics.cut(path)
        assert path.read_text().splitlines() == before[: 1 + num_rows]
        assert metrics.num_rows == min(num_rows, 10)
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.csv"]


def test_a_line_that_a_crash_cut_short_is_left_out(tmp_path):
    path = tmp_path / "metrics.csv"
    write_epochs(path, 5)
    whole, rows = path.read_text(), read_metrics(path)
    last_line = whole.splitlines()[-1]
    for length in range(len(last_line) + 1):
        path.write_text(whole[: len(whole) - len(last_line) - 1 + length])
        assert read_metrics(path) == rows[:-1]


def test_no_file_has_no_rows_an_old_one_no_unit_and_a_foreign_or_damaged_one_is_refused(tmp_path):
    path = tmp_path / "metrics.csv"
    assert read_metrics(path) == []
    path.write_text(HEADER.replace(",loss_unit", "") + "1,0.5,10,2.5,3.0,,1.0,0.1,4\n")
    assert read_metrics(path)[0]["train_loss"] == 3.0 and "loss_unit" not in read_metrics(path)[0]
    for content, message in (
        ("a,b\n1,2\n", "no metrics.csv: its first line must be step"),
        (HEADER + "1,2\n", "is damaged: '1,2' is not a row of 10 cells"),
        (HEADER + "1,1,1,1,one,1,1,1,1,nats\n", "is damaged: .*one"),
    ):
        path.write_text(content)
        with pytest.raises(ValueError, match=message):
            read_metrics(path)
