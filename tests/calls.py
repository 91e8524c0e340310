"""Calls of the command line within the tests' own process; conftest.py has the fixture `call` that uses them."""

import io
import sys

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
