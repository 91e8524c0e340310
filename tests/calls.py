"""Calls of the command line within the tests' own process; conftest.py has the fixture `call` that uses them."""

import io
import sys

import pytest

from numpylm.commands.cli import main


class Called(tuple):
    """(exit status, standard output, standard error) of a call, with what is often asked of it."""

    def refused(self):
        """The message of the one line on standard error with which a command refused its arguments."""
        status, out, err = self
        assert (status, out) == (2, ""), self
        assert err.startswith("numpylm") and ": error: " in err and err.count("\n") == 1, err
        return err


def call(monkeypatch, capsys, *arguments, stdin=b""):
    """A Called of main."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    capsys.readouterr()
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        status = stop.code
    return Called((status, *capsys.readouterr()))


class Written:
    """In place of pytest's capsys, for fixtures of a whole module: what was written to both streams."""

    def __init__(self):
        self.streams = io.StringIO(), io.StringIO()

    def readouterr(self):
        return tuple(stream.getvalue() for stream in self.streams)


def call_in(folder, *arguments, stdin=b""):
    """A Called of main, in a folder."""
    written = Written()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COLUMNS", "80")
        for name, stream in zip(("stdout", "stderr"), written.streams, strict=True):
            patch.setattr(sys, name, stream)
        return call(patch, written, *arguments, stdin=stdin)


def output_in(folder, *arguments, stdin=b""):
    """The standard output of a command that succeeds in a folder."""
    status, out, err = call_in(folder, *arguments, stdin=stdin)
    assert status == 0, err
    return out
