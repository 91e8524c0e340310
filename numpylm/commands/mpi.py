"""Training in several processes, which mpiexec starts: who speaks, and how all of them end.

Rank 0 alone prints. What another rank would print is kept, and shown if that rank fails where rank 0 does not. A rank
that fails while the others wait for it ends them all, after a moment for rank 0 to say the same. So there is one
message, and no process is left behind.
"""

import os
import sys
import tempfile
import threading
import time
import traceback
from functools import cache

import numpy as np

from numpylm.base.ranks import ALONE, Ranks
from numpylm.commands import RANK_VARIABLES
from numpylm.commands.process import forget_reader
from numpylm.commands.run_folder import RunError

SIZE_VARIABLES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
WAIT_VARIABLE = "NUMPYLM_MPI_SECONDS"  # the longest time that a rank waits for the others
LONGEST_WAIT = 600.0
PATIENCE = 2.0  # seconds that a rank which failed waits for the others to come to their end
TIME_TO_PASS_ON = 1.0  # seconds that mpiexec has to pass on the last message


def is_one_of_several():
    """Whether mpiexec, or the like, started this process as one of several."""
    sizes = {os.environ[name] for name in SIZE_VARIABLES if name in os.environ}
    return any(name in os.environ for name in RANK_VARIABLES) and sizes != {"1"}


@cache
def ranks():
    """The processes that mpiexec started, as Ranks; ALONE without it. Raises RunError where mpi4py is missing."""
    if not is_one_of_several():
        return ALONE
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"mpiexec needs mpi4py, pip install -e '.[mpi]' or pip install mpi4py mpich: {reason}") from None
    return Ranks(MPI.COMM_WORLD) if MPI.COMM_WORLD.Get_size() > 1 else ALONE


def run_as_rank(main, arguments):
    """main(arguments) in each of several processes: the exit status of all."""
    try:
        group = ranks()
    except RunError as error:
        print(f"numpylm: error: {error}", file=sys.stderr)
        return 2
    if group.size == 1:
        return main(arguments)
    ending = group.comm.Dup()
    kept = None  # of what a silent rank prints, by Python or not: the true standard error, and the file in its place
    if group.rank > 0:
        sys.stdout.flush()
        sys.stderr.flush()
        kept = os.dup(2), tempfile.TemporaryFile()  # noqa: SIM115
        os.dup2(kept[1].fileno(), 2)
        forget_reader(1)
    threading.Thread(target=watch, args=(group, kept), daemon=True).start()
    try:
        status = main(arguments)
    except SystemExit as stop:  # argparse has said why
        status = stop.code or 0
    except BaseException:
        traceback.print_exc()
        status = 1
    return end_together(group, ending, status, kept)


def end_together(group, ending, status, kept):
    """Waits until all ranks have ended, and returns the first status that is not 0. Where this one failed and the
    others go on, or wait for it, it ends them all."""
    mine, statuses = np.array([status]), np.zeros(group.size, int)
    request = ending.Iallgather(mine, statuses)
    failed_at = time.monotonic()
    while not request.Test():
        if status != 0 and time.monotonic() - failed_at > PATIENCE:
            speak(group.rank, kept)
            abort(group, status)
        time.sleep(0.02)  # a rank that waits leaves its core to the others
    failed = np.flatnonzero(statuses)
    if len(failed) and failed[0] == group.rank:
        speak(group.rank, kept)
    return int(statuses[failed[0]]) if len(failed) else 0


def speak(rank, kept, message=None):
    """Prints the message, or what a silent rank would have printed."""
    if kept is None:
        if message:
            print(message, file=sys.stderr, flush=True)
        return
    sys.stderr.flush()
    true_error, file = kept
    file.seek(0)
    text = message or f"process {rank}: {file.read().decode('utf-8', 'replace').strip() or 'failed'}"
    os.write(true_error, f"{text}\n".encode())


def abort(group, status):
    """Ends all ranks at once, without MPI's own message.

    mpiexec ends at once too, and forgets what it has not yet passed on: it gets a moment for that.
    """
    sys.stdout.flush()
    time.sleep(TIME_TO_PASS_ON)
    forget_reader(2)
    group.comm.Abort(status)  # may come back before mpiexec has ended this process
    time.sleep(PATIENCE)
    os._exit(status)


def watch(group, kept):
    """Runs beside the training: ends all ranks where this one has waited too long for the others."""
    longest = float(os.environ.get(WAIT_VARIABLE, LONGEST_WAIT))
    while True:
        time.sleep(min(1.0, longest / 4))
        since = group.waiting_since
        waited = 0 if since is None else time.monotonic() - since
        if waited > longest + 2 * TIME_TO_PASS_ON * group.rank:  # rank 0 speaks, if it can
            speak(group.rank, kept, f"numpylm: error: process {group.rank} has waited {waited:.0f} s for the others, "
                  f"which do not answer; all end here. {WAIT_VARIABLE} sets the longest wait")  # fmt: skip
            abort(group, 3)
