"""The command line as a user runs it: a process of its own, in a folder, in a terminal of so many columns."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECONDS = 120


def environment(**changes):
    """This process's, with one thread, warnings as errors, output in blocks, and the package on the path."""
    path = os.pathsep.join(filter(None, (changes.pop("PYTHONPATH", ""), str(ROOT))))
    settings = {"OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "error", "PYTHONUTF8": "1", "PYTHONPATH": path}
    return os.environ | settings | {"COLUMNS": "80", "PYTHONUNBUFFERED": ""} | changes


def start_numpylm(*arguments, folder, env=None, **options):
    """A Popen of python -m numpylm, with its output in pipes."""
    command = [sys.executable, "-m", "numpylm", *map(str, arguments)]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=env or environment(), **pipes | options)


def run_numpylm(*arguments, folder, stdin=b"", env=None):
    """(exit status, standard output, standard error), as texts; fails if there is a traceback."""
    with start_numpylm(*arguments, folder=folder, env=env, stdin=subprocess.PIPE) as process:
        out, err = process.communicate(stdin, timeout=SECONDS)
    out, err = (stream.decode("utf-8", "replace").replace("\r\n", "\n") for stream in (out, err))
    assert "Traceback" not in err and "Exception ignored" not in err, err
    return process.returncode, out, err


def run_in_terminal(*arguments, folder, columns):
    """(exit status, the lines that the terminal was sent, each split where the cursor went back to its beginning)."""
    import fcntl
    import pty
    import struct
    import termios

    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = environment()
    del env["COLUMNS"]
    process = start_numpylm(*arguments, folder=folder, env=env, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    sent = b""
    while True:
        try:
            block = os.read(controller, 65536)
        except OSError:  # Linux's way to say that the other side has closed
            break
        if not block:
            break
        sent += block
    os.close(controller)
    return process.wait(SECONDS), [line.split("\r") for line in sent.decode("utf-8").replace("\r\n", "\n").split("\n")]
