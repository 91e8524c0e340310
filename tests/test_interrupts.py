"""Ctrl-C and the other signals: within training, outside it, while Python imports, and where they are ignored."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from processes import SECONDS, environment, start_numpylm

from numpylm.commands.process import SIGNALS, Interrupts, handled_signals

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_the_second_stops_at_once(capfd, number):
    before = list(map(signal.getsignal, SIGNALS))
    with Interrupts() as interrupts:
        assert not interrupts.requested
        signal.raise_signal(number)
        assert interrupts.requested
        assert "stopping after this step" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert list(map(signal.getsignal, SIGNALS)) == before


def test_a_signal_does_no_harm_where_the_terminal_has_gone(monkeypatch):
    def gone(*arguments):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "write", gone)
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert interrupts.requested


def test_outside_the_main_thread_signals_are_left_alone():
    before, found = list(map(signal.getsignal, SIGNALS)), []

    def use():
        with handled_signals(), Interrupts() as interrupts:
            found.append((interrupts.requested, list(map(signal.getsignal, SIGNALS)) == before))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert found == [(False, True)]


@needs_signals
def test_a_signal_that_nohup_ignores_stays_ignored(monkeypatch):
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with handled_signals():
            with Interrupts() as interrupts:
                signal.raise_signal(signal.SIGHUP)
                assert not interrupts.requested
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            with pytest.raises(KeyboardInterrupt, match="stopped by SIGTERM"):
                signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@needs_signals
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_command_that_a_signal_ends_says_so(tmp_path, name):
    """While it reads, outside any training: exit status 128 and the signal's number, one line, no traceback."""
    number = getattr(signal, name)
    process = start_numpylm("prepare", "-", "--out", "a.tokens", folder=tmp_path, stdin=subprocess.PIPE)
    process.stdin.write(b"a" * 2**20)  # more than a pipe holds: now the command reads
    process.stdin.flush()
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (128 + number, b"")
    assert err.strip() == (b"interrupted" if name == "SIGINT" else f"stopped by {name}".encode())
    assert list(tmp_path.iterdir()) == [], "nothing temporary stays"


@needs_signals
def test_ctrl_c_while_numpy_is_imported_is_one_line(tmp_path):
    """A numpy.py that waits stands for a slow disk."""
    (tmp_path / "numpy.py").write_text("import time\nopen('importing', 'w').close()\ntime.sleep(60)\n")
    process = start_numpylm("info", "run", folder=tmp_path, env=environment(PYTHONPATH=str(tmp_path)))
    while not (tmp_path / "importing").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err.strip()) == (130, b"", b"interrupted")
