"""Workers, as real processes: their environment is set before NumPy is imported, and a crash is told."""

import os

import pytest

from numpylm.bench.processes import Worker, environment

TINY = ["tiny", 3, 2, 4, 5, 7]


def test_the_environment_has_one_thread_for_every_library_and_the_kernel_asked_for(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_something")
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    found = environment()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NPROC"):
        assert found[name] == "1"
    assert found["XLA_FLAGS"] == "--xla_something --xla_cpu_multi_thread_eigen=false"
    assert "OPENBLAS_CORETYPE" not in found and found["PATH"] == os.environ["PATH"]
    found = environment(threads=2, kernel="Haswell")
    assert (found["OMP_NUM_THREADS"], found["OPENBLAS_CORETYPE"]) == ("2", "Haswell")
    assert found["XLA_FLAGS"] == "--xla_something"


def test_a_worker_has_the_threads_and_the_kernel_that_it_was_started_with():
    with Worker(threads=1, kernel="Nehalem") as worker:
        about = worker.ask("about")
    assert about["coretype"] == "Nehalem"
    if about["blas"]["threads"] is None or about["blas"]["name"] != "openblas":
        pytest.skip("NumPy's BLAS is no OpenBLAS that can be asked")
    assert about["blas"]["threads"] == 1
    if "x86_64" in about["system"]:
        assert about["blas"]["kernel"] == "Nehalem"


def test_a_worker_answers_one_request_after_the_other():
    with Worker() as worker:
        growth = worker.ask("scaling", cell="rnn", shape=TINY, effort={"rounds": 2, "seconds": 0})
        probe = worker.ask("probe", cell="rnn", shape=TINY, size=8, seconds=0)
    assert len(growth["seconds"]) == 2 and min(growth["seconds"]) > 0
    assert probe["gflops"] > 0 and probe["step"] > 0
    assert worker.process.poll() == 0


def test_a_request_that_fails_is_a_child_process_error(capfd):
    with Worker() as worker:
        with pytest.raises(ChildProcessError, match="ended, with status 1, in nonsense"):
            worker.ask("nonsense")
        with pytest.raises(ChildProcessError, match="ended, with status 1, in about"):
            worker.ask("about")
    assert "KeyError: 'nonsense'" in capfd.readouterr().err, "the reason is on standard error"


def test_an_exception_ends_the_worker_at_once():
    with pytest.raises(RuntimeError), Worker() as worker:
        raise RuntimeError
    assert worker.process.poll() is not None
