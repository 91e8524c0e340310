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

from numpylm.tutor import ending, wire
from numpylm.tutor.stop import Stop

START_SECONDS = 60  # for Python and NumPy to start on a busy machine
HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent


def program():
    """The text of the child's program: nine files in one, without what they import from numpylm."""
    names = ("wire", "sizes", "stand_ins", "old_python", "loops", "course", "reading", "inspecting", "runner")
    text = "\n".join((HERE / f"{name}.py").read_text(encoding="utf-8") for name in names)
    text = re.sub(r"^from numpylm\.[^(\n]*(\([^)]*\))?\n", "", text, flags=re.MULTILINE)
    return "import sys\nsys.path = [folder for folder in sys.path if folder]\n" + text


class Watcher:
    """The process that ends the student's processes when this one is gone. close() ends them now."""

    def __init__(self):
        self.mark, self.groups = f"NUMPYLM_CHECK={secrets.token_hex(16)}", []
        text = (HERE / "ending.py").read_text(encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", text, self.mark], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip

    def follow(self, process):
        """Watch a process, which leads a group of its own, and what it starts."""
        self.groups.append(process.pid)
        with contextlib.suppress(OSError):
            self.process.stdin.write(f"{process.pid}\n")
            self.process.stdin.flush()

    def end(self, process):
        """End a process and all that it started."""
        ending.end_all(process.pid, self.mark)
        process.kill()
        process.wait()

    def close(self):
        """End the watcher."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.wait()


class Child:
    """One process that runs a student's file. seconds: how long all requests about one function may take."""

    def __init__(self, path, seconds, megabytes):
        self.path, self.seconds, self.megabytes = Path(path), seconds, megabytes
        self.process = self.replies = self.watcher = None
        self.left = seconds

    def start(self):
        """Start the process, if it does not run, and read the file in it; what the file holds."""
        self.end()
        self.watcher = self.watcher or Watcher()
        environment = os.environ | dict([self.watcher.mark.split("=")])
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", program(), str(self.path), str(PACKAGE), str(self.megabytes)], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.watcher.follow(self.process)
        self.replies = queue.Queue()
        self.left = self.seconds
        self.ask({"ready": True}, START_SECONDS)
        return self.ask({"load": True})

    def ask(self, request, seconds=None):
        """The child's reply. Raises Stop where it takes too long, dies, or answers what is no message of ours."""
        limit, began = seconds or self.left, time.monotonic()
        threading.Thread(target=exchange, args=(self.process, request, self.replies), daemon=True).start()
        try:
            reply = self.replies.get(timeout=limit)
        except queue.Empty:
            words = f"it was stopped after {self.seconds:g} seconds"
            words += ": is there a loop that never ends? (--seconds gives more time)"
            raise self.stopped("timeout", words) from None
        if seconds is None:
            self.left = max(0.01, self.left - (time.monotonic() - began))
        if isinstance(reply, Exception):
            raise self.stopped("crash", f"it broke off the conversation with the check: {reply}")
        if not isinstance(reply, dict):
            raise self.stopped("crash", f"it ended the whole Python process {self.exit_words()}")
        return reply

    def stopped(self, status, words):
        """Ends the process; the Stop to raise."""
        stop = Stop(status, words)
        self.end()
        return stop

    def exit_words(self):
        """How the process ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
        code = self.process.returncode
        is_stopped = code is not None and (code < 0 or (code > 0 and self.megabytes < 200))  # Python itself needs some
        why = f"; the system stopped it, perhaps because {self.megabytes:g} MB of memory are too few: see --memory"
        return f"(exit status {code}){why * is_stopped}"

    def end(self):
        """End the process and all that it started."""
        if self.process:
            self.watcher.end(self.process)
            for stream in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):
                    stream.close()
        self.process = None

    def close(self):
        """End the process and its watcher."""
        self.end()
        if self.watcher:
            self.watcher.close()


def exchange(process, request, replies):
    """Write a request and read its reply, in a thread of its own: neither may block the check."""
    try:
        wire.write_message(process.stdin, request)
        replies.put(wire.read_message(process.stdout))
    except (OSError, ValueError) as error:
        ended = isinstance(error, BrokenPipeError) or "closed file" in str(error)
        replies.put(None if ended else error)
