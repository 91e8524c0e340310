"""The command line as one rank of several, of which one meets a fault: python mpi_faults.py FAULT train …

After three steps -- disk: rank 0's disk is full; kill, stop, error: rank 1 is killed, freezes, runs out of memory;
interrupt: rank 0 writes a file, so that a test can press Ctrl-C. text: rank 1 reads another text. none: all is well.
"""

import os
import signal
import sys
import time
from pathlib import Path

from numpylm.commands import cli, mpi
from numpylm.commands import run as runs

AFTER = 3  # steps


def fail(path, *rest):
    raise OSError(28, "No space left on device", str(path))


def after_some_steps(action):
    """Makes training call action() once it has done AFTER steps."""
    training = runs.training

    def faulty(*arguments):
        for number, report in enumerate(training(*arguments), 1):
            yield report
            if number == AFTER:
                action()

    runs.training = faulty


def wait_for_ctrl_c():
    Path("ready").touch()
    time.sleep(1)


def out_of_memory():
    raise MemoryError("of rank 1")


def main(fault, *arguments):
    rank, mpi.PATIENCE = mpi.ranks().rank, 0.5
    if fault == "disk" and rank == 0:
        after_some_steps(lambda: setattr(runs, "save_checkpoint", fail))
    if fault == "interrupt" and rank == 0:
        after_some_steps(wait_for_ctrl_c)
    if fault == "text" and rank == 1:
        arguments = ["other.txt" if argument == "tiny.txt" else argument for argument in arguments]
    actions = {
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
        "error": out_of_memory,
    }
    if fault in actions and rank == 1:
        after_some_steps(actions[fault])
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
