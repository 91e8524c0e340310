"""The child process that a student's file is run in, seen from outside.

The child (worker.py) tells what it begins and what it finds, line by line. When it hangs or dies, what it had begun is
noted as such.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

LITTLE_MEMORY = 200  # megabytes: with less the check itself may run out
# A student's random.py must not be taken for Python's: PYTHONSAFEPATH sees to it, but Python 3.10 does not know that.
START = """import sys
sys.path = [folder for folder in sys.path if folder]
from numpylm.tutor.worker import main
main(sys.argv[1:])"""
START_SECONDS = 60  # for Python and NumPy to start on a busy machine


def run_child(path, found, seconds, megabytes):
    """Runs one child; puts what it says into found, under each function's name, and what it says of the file under "".

    Returns whether all is said; if not, the function that it had begun when it hung or died is in found as such.
    """
    process = start_child(path, megabytes, {name: finding["status"] for name, finding in found.items() if name})
    lines, current, limit = lines_of(process), "", START_SECONDS
    try:
        while True:
            message = next_message(lines, limit)
            if message is None:
                if current == "" or current not in found:  # else only its diagnosis is missing
                    found[current] = silenced(current, process, seconds, megabytes)
                return current == ""
            if "begin" in message:
                current, limit = message["begin"], seconds
            elif "end" in message:
                current, limit = message.pop("end"), START_SECONDS
                found[current] = message
            if message.get("finished") or found.get("", message).get("status", "ok") != "ok":
                return True
    finally:
        process.kill()
        process.wait()


def start_child(path, megabytes, states):
    """A child process that checks all functions of the file but those whose states are known, in so much memory."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", "PYTHONSAFEPATH": "1"}
    package = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-c", START, str(path), str(megabytes), *map("=".join, states.items())],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        text=True, encoding="utf-8",
    )  # fmt: skip


def lines_of(process):
    """A queue that a thread fills with the child's lines, and with None at their end."""
    lines = queue.Queue()

    def read():
        with process.stdout, process.stderr:
            for line in process.stdout:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def next_message(lines, limit):
    """The child's next message; None where it says nothing in time, or has ended."""
    try:
        line = lines.get(timeout=limit)
    except queue.Empty:
        return None
    return None if line is None else json.loads(line)


def silenced(name, process, seconds, megabytes=float("inf")):
    """The finding on what the child had begun when it fell silent: it still runs, or it has ended."""
    what = "it" if name else "the file"
    try:
        code = process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return {
            "status": "timeout",
            "sentences": [
                f"{what} was stopped after {seconds:g} seconds: is there a loop that never ends? "
                "(--seconds gives more time)"
            ],
        }
    killed = "; the system stopped it, perhaps because it took too much memory" if code < 0 else ""
    if code > 0 and megabytes < LITTLE_MEMORY:
        killed = f", perhaps because it had only {megabytes:g} MB of memory beyond Python's own: --memory gives more"
    return {"status": "crash", "sentences": [f"{what} ended the whole Python process (exit status {code}){killed}"]}
