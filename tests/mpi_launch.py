"""Starts mpiexec for tests; they are skipped where mpi4py, an MPI library or mpiexec is missing."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from processes import ROOT, environment


def prefix():
    """The environment that mpi4py is installed in, whose lib has the MPI library of `pip install mpich`."""
    found = find_spec("mpi4py")
    return Path(found.origin).parents[4] if found else Path(sys.prefix)


def mpiexec():
    """The path of mpiexec, beside mpi4py or on the PATH; None without one."""
    return shutil.which("mpiexec", path=os.pathsep.join([str(prefix() / "bin"), os.environ.get("PATH", "")]))


def mpi_environment(**changes):
    """processes.environment with the MPI library where mpi4py finds it."""
    library = os.pathsep.join(filter(None, [str(prefix() / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]))
    tests = str(Path(__file__).parent)
    return environment(LD_LIBRARY_PATH=library, PYTHONPATH=tests, **changes)


def missing():
    """Why processes cannot be started together; "" if they can."""
    if find_spec("mpi4py") is None:
        return "mpi4py is not installed (pip install mpi4py mpich)"
    if mpiexec() is None:
        return "there is no mpiexec (pip install mpich)"
    code = "from mpi4py import MPI"
    done = subprocess.run([sys.executable, "-c", code], env=mpi_environment(), capture_output=True, text=True)
    return "" if done.returncode == 0 else f"mpi4py finds no MPI library: {done.stderr.strip().splitlines()[-1]}"


REASON = missing()
needs_mpi = pytest.mark.skipif(bool(REASON), reason=REASON)


def start(K, *arguments, folder=ROOT, env=None):
    """A Popen of mpiexec with K ranks of this Python, with its output in pipes."""
    command = [mpiexec(), "-n", str(K), sys.executable, *map(str, arguments)]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=env or mpi_environment(), **pipes)


def run(K, *arguments, folder=ROOT, env=None, seconds=60):
    """(exit status, standard output, standard error) of mpiexec with K ranks."""
    with start(K, *arguments, folder=folder, env=env) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return process.returncode, out, err
