"""Ends the process that runs a student's code, with all that it started. A watcher does so when `check` itself is gone.

The watcher is a process of its own, which reads a pipe that only `check` can write to. When `check` ends, however it
ends, the pipe closes. A process that left the group is known by a mark in its environment (where /proc shows it).
The watcher is sent this file as text: python -c TEXT GROUP MARK.
"""

import contextlib
import os
import signal
import sys


def end_all(group, mark):
    """Kill a process group, and every process that carries the mark in its environment."""
    with contextlib.suppress(OSError, AttributeError):  # on Windows there are no groups
        os.killpg(group, signal.SIGKILL)
    for _ in range(3):  # a process may start another one meanwhile
        for process in marked_processes(mark.encode()):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)


def marked_processes(mark):
    """The ids of the processes with this mark; none where the system has no /proc."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        with contextlib.suppress(OSError):
            if name.isdigit() and int(name) != os.getpid():
                with open(f"/proc/{name}/environ", "rb") as environment:
                    if mark in environment.read():  # that of a process that has ended is empty
                        found.append(int(name))
    return found


if __name__ == "__main__":
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.stdin.read()
    end_all(int(sys.argv[1]), sys.argv[2])
