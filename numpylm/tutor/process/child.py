"""The process that runs a student's file, seen from `check`: it is asked, answers in bounded time and size, and ends.

It is started without numpylm: its program (runner.py) is sent as text. When it hangs, dies or answers nonsense, Stop
says so. A watcher (ending.py) ends it, and what it forked, when `check` itself is killed.
"""

import contextlib
import os
import queue
import re
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path

from numpylm.tutor.process import ending, wire
from numpylm.tutor.process.stop import Stop

START_SECONDS = 60  # for Python and NumPy to start on a busy machine
HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent.parent


def program():
    """The text of the child's program: nine files in one, without what they import from numpylm."""
    names = ("wire", "sizes", "stand_ins", "parsing", "supplied", "syntax", "reading", "inspecting", "runner")
    text = "\n".join((HERE / f"{name}.py").read_text(encoding="utf-8") for name in names)
    text = re.sub(r"^from numpylm\.[^(\n]*(\([^)]*\))?\n", "", text, flags=re.MULTILINE)
    return "import sys\nsys.path = [folder for folder in sys.path if folder]\n" + text


class Child:
    """One process that runs a student's file. seconds: how long all requests about one function may take."""

    def __init__(self, path, seconds, megabytes):
        self.path, self.seconds, self.megabytes = Path(path), seconds, megabytes
        self.process = self.replies = self.watcher = self.mark = None
        self.end_of_process = "crash", "it is not started"
        self.left = seconds

    def start(self):
        """Start the process and its watcher, and read the file in it; what the file holds."""
        self.end()
        name, value = "NUMPYLM_CHECK", secrets.token_hex(16)
        limits = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}
        self.mark = f"{name}={value}"
        arguments = [program(), self.path, PACKAGE, self.megabytes]
        self.process = started(["-c", *arguments], subprocess.PIPE, os.environ | limits | {name: value})
        text = (HERE / "ending.py").read_text(encoding="utf-8")
        self.watcher = started(["-I", "-S", "-c", text, self.process.pid, self.mark], subprocess.DEVNULL)
        self.replies = queue.Queue()
        self.left = self.seconds
        self.ask({"ready": True}, START_SECONDS)
        return self.ask({"load": True})

    def ask(self, request, seconds=None):
        """The child's reply. Raises Stop where it takes too long, dies, or answers what is no message of ours."""
        if self.process is None:  # it has ended, and was not started again
            raise Stop(*self.end_of_process)
        limit, began = seconds or self.left, time.monotonic()
        threading.Thread(target=exchange, args=(self.process, request, self.replies), daemon=True).start()
        try:
            reply = self.replies.get(timeout=limit)
        except queue.Empty:
            is_one = limit > self.seconds / 2
            why = "is there a loop that never ends?" if is_one else "the check called it many times"
            self.stop("timeout", f"it was stopped after {self.seconds:g} seconds: {why} (--seconds gives more time)")
        if seconds is None:
            self.left = max(0.01, self.left - (time.monotonic() - began))
        if isinstance(reply, Exception):
            self.stop("crash", f"it broke off the conversation with the check: {reply}")
        if not isinstance(reply, dict):
            self.stop("crash", f"it ended the whole Python process {self.exit_words()}")
        return reply

    def stop(self, status, words):
        """End the process, and raise Stop, as will all that it is asked from now on."""
        self.end()
        self.end_of_process = status, words
        raise Stop(status, words)

    def exit_words(self):
        """How the process ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
        code = self.process.returncode
        is_stopped = code is not None and (code < 0 or (code > 0 and self.megabytes < 200))  # Python itself needs some
        why = f"; the system stopped it, perhaps because {self.megabytes:g} MB of memory are too few: see --memory"
        return f"(exit status {code}){why * is_stopped}"

    def end(self):
        """End the process, all that it started, and its watcher."""
        if self.process:
            ending.end_all(self.process.pid, self.mark)
            for process in (self.process, self.watcher):
                process.kill()
                process.wait()
            for stream in (self.process.stdin, self.process.stdout, self.watcher.stdin):
                with contextlib.suppress(OSError):
                    stream.close()
        self.process = None

    def close(self):
        """The same; the file is not read again."""
        self.end()


def started(arguments, output, environment=None):
    """A Python process with a group of its own, to which a pipe leads."""
    command = [sys.executable, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output,
                            stderr=subprocess.DEVNULL, start_new_session=True, env=environment)  # fmt: skip


def exchange(process, request, replies):
    """Write a request and read its reply, in a thread of its own: neither may block the check."""
    try:
        wire.write_message(process.stdin, request)
        replies.put(wire.read_message(process.stdout))
    except (OSError, ValueError) as error:
        ended = isinstance(error, BrokenPipeError) or "closed file" in str(error)
        replies.put(None if ended else error)
