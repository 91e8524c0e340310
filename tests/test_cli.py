"""The command line itself: help that fits a terminal, errors in one line, exit statuses, streams."""

import subprocess
import sys

import pytest
from processes import SECONDS, environment, run_numpylm

import numpylm as nlm
from numpylm.commands import cli, process
from numpylm.commands.run import RunDiverged
from numpylm.commands.run_folder import RunError
from numpylm.data.atomic import FileError
from numpylm.data.printable import on_one_line, printable, visible


@pytest.fixture
def failing(monkeypatch):
    """A stand-in for the info command: raises what it is given."""

    def fail_with(error):
        def run(options):
            raise error

        monkeypatch.setattr("numpylm.commands.info.run", run)
        return cli.main(["info", "run"])

    return fail_with


def test_every_command_has_a_help_that_fits_into_80_columns(call):
    for arguments in ([], *([command] for command in cli.COMMANDS)):
        status, out, _ = call(*arguments, "--help")
        assert status == 0 and out.startswith(" ".join(["usage: python -m numpylm", *arguments]))
        assert max(map(len, out.splitlines())) < 80
        if not arguments:
            assert all(f"    {command}" in out for command in cli.COMMANDS)


def test_help_is_given_by_a_process_with_and_without_being_asked_and_imports_no_numpy(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('not needed for help')")
    env = environment(PYTHONPATH=str(tmp_path))
    asked = run_numpylm("--help", folder=tmp_path, env=env)
    unasked = run_numpylm(folder=tmp_path, env=env)
    assert (asked[0], unasked[0]) == (0, 2)
    assert asked[1:] == unasked[1:] and asked[2] == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("tarin", "numpylm: error: argument COMMAND: invalid choice: 'tarin'"),
        ("info", "numpylm info: error: the following arguments are required: RUN"),
        ("info run --what", "numpylm info: error: unrecognized arguments: --what"),
        ("translate --out=", "numpylm translate: error: --out is empty"),
        ("step --html= --text x", "numpylm step: error: --html is empty"),
    ],
)
def test_mistyped_commands_and_options_are_answered_in_one_line(call, arguments, message):
    refused = call(*arguments.split()).refused()
    assert refused.startswith(message) and refused.endswith("--help explains)\n")


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ValueError("too small"), 2, "too small"),
        (ValueError("trained must be \x1b[31mred"), 2, r"trained must be \x1b[31mred"),
        (RunError("no run"), 2, "no run"),
        (RunDiverged("diverged"), 1, "diverged"),
        (FileError("a.npz", "it is damaged", "save it again"), 2, "a.npz: it is damaged; save it again"),
        (FileNotFoundError("there is no file a"), 2, "there is no file a"),
        (PermissionError(13, "Permission denied", "runs/a"), 2, "runs/a: Permission denied"),
        (OSError(28, "No space left on device"), 2, "the output: No space left on device"),
        (MemoryError("2 TiB"), 2, "not enough memory; choose smaller sizes (2 TiB)"),
    ],
)
def test_failures_are_told_in_a_line(failing, capsys, error, status, line):
    assert failing(error) == status
    assert capsys.readouterr().err == f"numpylm info: error: {line}\n"


def test_a_bug_is_not_hidden_and_any_traceback_can_be_asked_for(failing, monkeypatch):
    with pytest.raises(KeyError):
        failing(KeyError("a bug"))
    monkeypatch.setenv("NUMPYLM_TRACEBACK", "1")
    with pytest.raises(ValueError, match="too small"):
        failing(ValueError("too small"))


def test_ctrl_c_ends_any_command_quietly(failing, capsys):
    assert failing(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "\ninterrupted\n"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("max_norm must be a finite number above 0; got inf", "--clip must be a finite number above 0; got inf"),
        ("seed must be an integer, 0 or above; got -1", "--seed must be an integer, 0 or above; got -1"),
        ("the seed must be kept", "the seed must be kept"),
        ("D must equal H; got embedding_dim=6, hidden_dim=7", "D must equal H; got --embedding-dim=6, --hidden-dim=7"),
    ],
)
def test_errors_name_options_as_they_are_typed(message, told):
    assert cli.with_flags(message, cli.build_parser(("train",)).command_parsers["train"]) == told


# Streams


def test_text_from_a_file_cannot_command_the_terminal():
    text = "a\x1b]0;title\x07\x9b31m\x7f\tb\r\nc\udce9 é 圆\n"
    assert printable(text) == "a\\x1b]0;title\\x07\\x9b31m\\x7f\tb\\x0d\nc\\udce9 é 圆\n"
    assert on_one_line(text) == r"a\x1b]0;title\x07\x9b31m\x7f\tb\r\nc\udce9 é 圆\n"
    assert [*map(visible, ("a", "<unk>", " ", "\n", "\x1b", "é"))] == ["a", "<unk>", "' '", r"'\n'", r"'\x1b'", "é"]


def test_a_pipe_gets_utf_8_whatever_the_locale_or_a_note_says_what_was_lost(tmp_path):
    vocabulary = nlm.build_vocabulary("é圆", "char")
    nlm.save_checkpoint(tmp_path / "a.npz", nlm.RNNLM(3, 2, 2), vocabulary)
    env = environment(PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", LC_ALL="C")
    env.pop("PYTHONIOENCODING", None)
    status, out, err = run_numpylm("info", "a.npz", folder=tmp_path, env=env)
    assert (status, err) == (0, "") and "<unk> é 圆\n" in out
    status, out, err = run_numpylm("info", "a.npz", folder=tmp_path, env=env | {"PYTHONIOENCODING": "ascii"})
    assert status == 0 and "<unk> ? ?\n" in out
    assert err.startswith(r"note: 2 characters cannot be shown here (the first is '\xe9') and became ?")


@pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors as a POSIX shell does")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-", "> /dev/full"])
def test_closed_streams_and_full_ones_give_no_traceback(tmp_path, closed):
    command = f'"{sys.executable}" -m numpylm figures nothing {closed}; echo $?'
    if closed == "> /dev/full":
        command = f'"{sys.executable}" -m numpylm check --list {closed}; echo $? >&2'
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment(), capture_output=True, timeout=SECONDS)
    assert b"2" in (done.stdout + done.stderr).splitlines()
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr
    assert ("full" not in closed) or done.stderr.startswith(b"numpylm check: error: the output: No space left")


def test_the_package_can_be_run_without_standard_streams(monkeypatch):
    """As under Windows' pythonw, where both are None."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        patch.setattr(sys, "stderr", None)
        with process.prepared_streams():
            print("lost")
        assert sys.stderr.getvalue() == "note: standard output is closed; what was printed is lost\n"
