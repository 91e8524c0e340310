"""The progress bar with and without a terminal, and the little helpers of what is printed."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from numpylm.commands import console
from numpylm.commands.console import ProgressBar, blas_threads, print_table, quoted, step_text
from numpylm.training import EpochReport, Progress, Settings, StepReport, Task

TASK = Task("word", 10, *[None] * 4)
EPOCH_LINES = (
    "epoch 1/2: train perplexity 7.39, validation perplexity 12.18 (best so far)\n"
    "epoch 2/2: train perplexity 7.39, validation perplexity 4.48 (best so far)\n"
)


def progress_at(epoch, batch):
    step = epoch * TASK.num_batches + batch
    progress = Progress(np.random.default_rng(0), epoch, batch, step, tokens=2000 * step)
    progress.step_seconds = progress.seconds = 0.1 * max(step, 1)
    return progress


@pytest.mark.parametrize(("hidden", "note"), [(None, ""), ("tqdm", "no progress bar: tqdm is not installed\n")])
def test_without_a_terminal_or_tqdm_only_the_epochs_are_shown(capsys, monkeypatch, hidden, note):
    if hidden:
        monkeypatch.setitem(sys.modules, hidden, None)
    with ProgressBar(Settings(epochs=2), progress_at(0, 0), TASK) as bar:
        for epoch in range(2):
            for batch in range(1, TASK.num_batches + 1):
                bar.show(progress_at(epoch, batch), StepReport(2.0, 1.5, 1000, 0.1))
            bar.show(progress_at(epoch + 1, 0), EpochReport(2.5 - epoch, True, train_loss=2.0))
    assert capsys.readouterr() == (EPOCH_LINES, note)


def test_an_epoch_that_minutes_cut_short_keeps_its_number(capsys):
    with ProgressBar(Settings(epochs=None, minutes=1.0), progress_at(2, 3), TASK) as bar:
        bar.show(progress_at(2, 4), EpochReport(2.0, False))
        bar.show(progress_at(3, 0), EpochReport(2.0, False))
    assert capsys.readouterr().out == "epoch 3: validation perplexity 7.39\n" * 2


def test_a_task_whose_losses_are_no_perplexities_shows_nats_and_its_note(capsys):
    with ProgressBar(Settings(epochs=2), progress_at(0, 0), TASK._replace(perplexity=False)) as bar:
        bar.show(progress_at(1, 0), EpochReport(0.25, True, 0.5, "error rate 3.1 %"))
    expected = "epoch 1/2: train loss 0.5000, validation loss 0.2500, error rate 3.1 % (best so far)\n"
    assert capsys.readouterr().out == expected
    assert "ppl" not in step_text(0.5, 1.5, progress_at(0, 3), perplexity=False)


@pytest.mark.parametrize("columns", [3, 30, 80])
def test_a_table_keeps_its_numbers_in_any_terminal_and_cuts_names(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table(
        "of three questions", ("right", "majority"), {"where is a person": ["9.5 %", "3"], "all": ["-", "70 %"]}
    )
    title, heads, *rows = capsys.readouterr().out.splitlines()
    assert [row.split()[-2:] for row in rows] == [["%", "3"], ["70", "%"]] and heads.split() == ["right", "majority"]
    assert len(set(map(len, (heads, *rows)))) == 1 and (len(rows[0]) < columns or columns < 21)
    assert ("where is a person" in rows[0]) == (columns == 80) and len(title) < columns
    print_table("no row", ("right",), {})
    assert capsys.readouterr().out.count("\n") == 1


def test_a_path_is_quoted_where_a_shell_would_read_it_otherwise(monkeypatch, tmp_path):
    assert quoted(Path("runs/a")) == "runs/a".replace("/", os.sep)
    assert quoted("my runs/a") == '"my runs/a"' and quoted("cost_$5") == "'cost_$5'"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert console.program() == f"{Path('.venv', 'bin', 'python')} -m numpylm"
    monkeypatch.setattr(sys, "executable", str(tmp_path.parent / "my python"))
    assert console.program() == f'"{tmp_path.parent / "my python"}" -m numpylm'


def test_a_number_of_threads_is_checked_and_needs_no_threadpoolctl(monkeypatch):
    for number in (0, -1, 1.5):
        with pytest.raises(ValueError, match="threads must be a positive integer"), blas_threads(number):
            pass
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with blas_threads(2):
        pass
