"""Ctrl-C, the progress bar with and without a terminal, and the little helpers of what is printed."""

import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from numpylm.commands import console
from numpylm.commands.console import Interrupts, ProgressBar, blas_threads, cut, quoted, step_text
from numpylm.training import EpochReport, Progress, Settings, StepReport

SETTINGS = Settings(epochs=2)
NUM_WINDOWS = 10


def progress_at(epoch, window):
    step = epoch * NUM_WINDOWS + window
    progress = Progress(np.random.default_rng(0), epoch, window, step, tokens=2000 * step)
    progress.step_seconds = progress.seconds = 0.1 * max(step, 1)
    return progress


def test_the_first_ctrl_c_is_noted_and_the_second_stops_at_once(capfd):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Interrupts() as interrupts:
        assert not interrupts.requested
        signal.raise_signal(signal.SIGINT)
        assert interrupts.requested
        assert "stopping after this step" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_termination_signal_is_noted_too():
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGTERM)
        assert interrupts.requested


def test_handlers_are_given_back_when_training_fails():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), Interrupts():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) == before


def test_a_signal_does_no_harm_where_the_terminal_has_gone(monkeypatch):
    def gone(*arguments):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "write", gone)
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert interrupts.requested


def test_outside_the_main_thread_signals_are_left_alone():
    before = signal.getsignal(signal.SIGINT)
    found = []

    def use():
        with Interrupts() as interrupts:
            found.append((interrupts.requested, signal.getsignal(signal.SIGINT) == before))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert found == [(False, True)]


def show_two_epochs():
    with ProgressBar(SETTINGS, progress_at(0, 0), NUM_WINDOWS) as bar:
        for epoch in range(2):
            for window in range(1, NUM_WINDOWS + 1):
                bar.show(progress_at(epoch, window), StepReport(2.0, 1.5, 1000, 0.1))
            bar.show(progress_at(epoch + 1, 0), EpochReport(2.5 - epoch, True, train_loss=2.0))


EPOCH_LINES = (
    "epoch 1/2: train perplexity 7.39, validation perplexity 12.18 (best so far)\n"
    "epoch 2/2: train perplexity 7.39, validation perplexity 4.48 (best so far)\n"
)


def test_without_a_terminal_only_the_epochs_are_shown(capsys):
    show_two_epochs()
    shown = capsys.readouterr()
    assert shown.out == EPOCH_LINES
    assert shown.err == ""


def test_without_tqdm_the_epochs_are_shown_and_what_is_missing(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    show_two_epochs()
    shown = capsys.readouterr()
    assert shown.out == EPOCH_LINES
    assert shown.err == "no progress bar: tqdm is not installed\n"


def test_an_epoch_that_minutes_cut_short_keeps_its_number(capsys):
    settings = Settings(epochs=None, minutes=1.0)
    with ProgressBar(settings, progress_at(2, 3), NUM_WINDOWS) as bar:
        bar.show(progress_at(2, 4), EpochReport(2.0, False))
        bar.show(progress_at(3, 0), EpochReport(2.0, False))
    assert capsys.readouterr().out == "epoch 3: validation perplexity 7.39\n" * 2


@pytest.mark.parametrize("loss", [0.0, 4.6, 20.0, 1e9])
def test_the_numbers_behind_the_bar_are_short(loss):
    text = step_text(loss, 1234.5, progress_at(0, 3))
    assert "20k tok/s" in text and "norm 1234.50" in text and "ppl" in text
    assert len(step_text(4.6, 1.5, progress_at(0, 3))) <= 45


def test_lines_are_cut_to_the_width():
    assert cut("12345", 5) == "12345"
    assert cut("123456", 5) == "1234…"
    assert cut("123456", 0) == "…"


def test_the_width_of_the_terminal_is_asked_for(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    assert console.terminal_width() == 50
    assert console.bar_width() == 47
    monkeypatch.setenv("COLUMNS", "5")
    assert console.bar_width() == 20


def test_a_path_is_quoted_where_it_has_a_space(monkeypatch, tmp_path):
    assert quoted(Path("runs/a")) == "runs/a".replace("/", os.sep)
    assert quoted("my runs/a") == '"my runs/a"'
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
    with blas_threads(1):
        pass
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with blas_threads(2):
        pass
