"""The command line itself: help that fits a terminal, errors in one line, exit statuses."""

import sys

import pytest
from processes import run_numpylm

from numpylm.commands import cli
from numpylm.commands.run import RunDiverged
from numpylm.commands.run_folder import RunError
from numpylm.data.archive import CheckpointError

COMMANDS = ("train", "sample", "evaluate", "score", "info", "export", "step")


@pytest.fixture
def failing(monkeypatch):
    """A stand-in for the info command: raises what it is given."""

    def fail_with(error):
        def info(options):
            raise error

        monkeypatch.setattr("numpylm.commands.checkpoint_commands.info", info)
        return cli.main(["info", "run"])

    return fail_with


def test_every_command_has_a_help_that_fits_into_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in ([], *([command] for command in COMMANDS)):
        with pytest.raises(SystemExit) as stop:
            cli.main([*arguments, "--help"])
        out = capsys.readouterr().out
        assert stop.value.code == 0
        assert out.startswith(" ".join(["usage: python -m numpylm", *arguments]))
        assert max(map(len, out.splitlines())) < 80
        if not arguments:
            assert all(f"    {command}" in out for command in COMMANDS)


def test_help_is_given_by_a_process_with_and_without_being_asked(tmp_path):
    asked = run_numpylm("--help", folder=tmp_path)
    unasked = run_numpylm(folder=tmp_path)
    assert (asked[0], unasked[0]) == (0, 2)
    assert asked[1:] == unasked[1:] and asked[2] == ""


def test_mistyped_commands_and_options_are_answered_in_one_line(capsys):
    for arguments, message in (
        (["tarin"], "numpylm: error: argument COMMAND: invalid choice: 'tarin'"),
        (["info"], "numpylm info: error: the following arguments are required: RUN"),
        (["info", "run", "--what"], "numpylm: error: unrecognized arguments: --what"),
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        out, err = capsys.readouterr()
        assert stop.value.code == 2 and out == ""
        assert err.startswith(message) and err.endswith("--help explains)\n") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ValueError("too small"), 2, "too small"),
        (RunError("no run"), 2, "no run"),
        (RunDiverged("diverged"), 1, "diverged"),
        (CheckpointError("a.npz", "it is damaged", "save it again"), 2, "a.npz: it is damaged; save it again"),
        (FileNotFoundError("there is no file a"), 2, "there is no file a"),
        (PermissionError(13, "Permission denied", "runs/a"), 2, "runs/a: Permission denied"),
        (OSError(28, "No space left on device"), 2, "[Errno 28] No space left on device"),
        (MemoryError("2 TiB"), 2, "not enough memory; choose smaller sizes (2 TiB)"),
    ],
)
def test_failures_are_told_in_a_line(failing, capsys, error, status, line):
    assert failing(error) == status
    assert capsys.readouterr().err == f"numpylm info: error: {line}\n"


def test_a_bug_is_not_hidden(failing):
    with pytest.raises(KeyError):
        failing(KeyError("a bug"))


def test_the_traceback_can_be_asked_for(failing, monkeypatch):
    monkeypatch.setenv("NUMPYLM_TRACEBACK", "1")
    with pytest.raises(ValueError, match="too small"):
        failing(ValueError("too small"))


def test_ctrl_c_ends_any_command_quietly(failing, capsys):
    assert failing(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "\ninterrupted\n"


def test_the_package_can_be_run_without_standard_streams(failing, monkeypatch, capsys):
    """As under Windows' pythonw, where both are None."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        patch.setattr(sys, "stderr", None)
        cli.replace_unprintable()
