"""numpylm bench and numpylm doctor as a user runs them: real processes, tiny sizes."""

import argparse
import json
import os
from functools import partial

import pytest
from processes import environment, run_numpylm

from numpylm.base import require
from numpylm.bench import measurements, processes, system
from numpylm.bench.shapes import SHAPES
from numpylm.commands import bench as command
from numpylm.commands import cli, doctor

TINY = ("--quick", "--shapes", "3,2,4,5,7", "--cells", "lstm")
ALONE_AND_TINY = """
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("torch", "jax") else find_spec(name, *rest)
from numpylm.bench import measurements as m
m.clock.TURN, m.SAMPLED_TOKENS, m.SAMPLED_TEXTS = 0.001, 5, 3
m.TRANSLATOR, m.FRAMES = m.Shape("tiny", 3, 2, 4, 6, 7), m.Shape("tiny", 40, 3, 1, 1, 5)
"""


def test_a_quick_run_prints_its_tables_and_writes_json(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(ALONE_AND_TINY, encoding="utf-8")
    status, out, err = run_numpylm(
        "bench", *TINY, "--clock", "processor", "--json", "speed.json",
        folder=tmp_path, env=environment(PYTHONPATH=str(tmp_path)),
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "no PyTorch, no JAX" in out and "LSTM 3,2,4,5,7" in out and "× products" in out
    for title in ("Training step", "Sampling one sequence", "Evaluation", "Peak memory"):
        assert title in out
    assert max(map(len, out.split("\n\n", 1)[1].splitlines())) <= 80
    found = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert (found["threads"], found["rounds"], found["clock"]) == (1, 2, "processor")
    (training,) = found["training"]
    assert (training["cell"], training["shape"]) == ("lstm", ["3,2,4,5,7", 3, 2, 4, 5, 7])
    assert list(training["seconds"]) == ["products", "floor", "numpylm"]
    assert len(training["seconds"]["products"]) == len(training["seconds"]["numpylm"]) >= 2


def test_growth_is_measured_by_itself(capsys, monkeypatch, tmp_path):
    path = tmp_path / "scaling.json"
    monkeypatch.setattr(command, "answers", lambda calls, *rest: (call() for call in calls))
    monkeypatch.setattr(measurements, "SCALING_SIZES", (100, 200, 400))
    monkeypatch.setattr(command.report, "SCALING_SIZES", (100, 200, 400))
    monkeypatch.setattr(measurements, "SCALING_FIXED", 1)
    monkeypatch.setattr(measurements.clock, "TURN", 0.001)
    picture = tmp_path / "scaling.png"
    assert cli.main(["bench", "--scaling", "--quick", "--json", str(path), "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    out = capsys.readouterr().out
    assert "time grows as T^" in out and "Sampling" not in out
    (row,) = json.loads(path.read_text(encoding="utf-8"))["scaling"]
    assert list(row["seconds"]) == [f"{axis}={size}" for axis in "TN" for size in (100, 200, 400)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shapes", "F"], "a shape is one of A, B, C, D, E, or five sizes T,N,D,H,V above 0; got 'F'"),
        (["--rounds", "0"], "rounds must be a positive integer"),
        (["--seconds", "-1"], "seconds must be a"),
        (["--json", "nowhere/speed.json"], "there is no folder for nowhere"),
        (["--json", "."], ". is a folder, a device or a pipe, where a file belongs"),
        (["--plot", "speed.png"], "add --scaling"),
        (["--scaling", "--plot", "speed.xyz"], "a picture's name ends in .png, .svg, .pdf; got speed.xyz"),
    ],
)
def test_wrong_options_are_answered_before_anything_is_measured(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(command, "answers", None)
    assert cli.main(["bench", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_kernel_that_is_not_taken_and_a_missing_matplotlib_are_errors(capsys, monkeypatch):
    assert cli.main(["bench", *TINY, "--kernel", "Nonsense"]) == 2
    assert "--kernel Nonsense: this BLAS" in capsys.readouterr().err
    assert cli.main(["bench", "--quick", "--shapes", "5,3,4,10000000,7"]) == 2
    assert capsys.readouterr().err.startswith("numpylm bench: error: a model of 400,")
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert cli.main(["bench", "--scaling", "--plot", "speed.png"]) == 2
    assert "--plot needs matplotlib, which is not installed" in capsys.readouterr().err


def test_calls_are_answered_by_a_process_with_this_environment_whose_end_is_an_error():
    before = dict(os.environ)
    calls = [partial(os.getenv, "OMP_NUM_THREADS"), os.getpid, os.getpid]
    threads, *pids = processes.answers(calls, threads=3)
    assert threads == "3" and len(set(pids)) == 1 and pids[0] != os.getpid()
    with pytest.raises(ValueError, match="part must be one of train; got 'trian'"):
        list(processes.answers([partial(require.one_of, "part", "trian", ["train"])]))
    with pytest.raises(ChildProcessError, match="the process that measures has ended"):
        list(processes.answers([partial(os._exit, 3)]))
    assert dict(os.environ) == before


def test_the_environment_has_the_threads_for_every_library_and_the_kernel(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_something")
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    found = processes.environment(1, None)
    assert {found[name] for name in processes.THREADS} == {"1"} and "OPENBLAS_CORETYPE" not in found
    assert found["XLA_FLAGS"] == "--xla_something --xla_cpu_multi_thread_eigen=false"
    assert found["PATH"] == os.environ["PATH"]
    found = processes.environment(2, "Haswell")
    assert (found["OMP_NUM_THREADS"], found["OPENBLAS_CORETYPE"]) == ("2", "Haswell")


# The doctor, on made-up machines


@pytest.fixture
def machine(monkeypatch):
    """Sets the kernels of a machine: name -> seconds of a step in each round; None, or a missing round, is a crash."""

    def made_up(speeds, **blas):
        rounds = {name: list(steps or []) for name, steps in speeds.items()}

        def answers(calls, threads, kernel):
            taken = kernel if kernel in speeds else "SkylakeX"
            if not rounds[taken]:
                raise ChildProcessError("ended")
            step = rounds[taken].pop(0)
            return {"blas": {"kernel": taken}}, {"gflops": 1 / step, "step": step}

        facts = system.about() | {"blas": {"name": "openblas", "version": "1", "kernel": "SkylakeX"} | blas}
        monkeypatch.setattr(doctor, "about", lambda: facts)
        monkeypatch.setattr(doctor, "answers", answers)
        monkeypatch.setattr(doctor, "cpuinfo", {"flags": "fpu sse4_2 avx2 avx512vl"}.get)
        doctor.run(argparse.Namespace(threads=1))

    return made_up


def test_only_kernels_that_the_processor_can_run_are_tried(monkeypatch):
    blas = {"name": "openblas", "kernel": "Haswell"}
    others = [name for name in doctor.KERNELS if name != "Haswell"]
    for info, expected in (
        ({"flags": "sse4_2 avx avx2"}, ["Nehalem", "Sandybridge", "Zen"]),
        ({"Features": "asimd asimddp"}, ["ARMV8", "NEOVERSEN1"]),
        ({}, others),
    ):
        monkeypatch.setattr(doctor, "cpuinfo", info.get)
        assert doctor.kernels_to_try(blas) == [None, *expected]
    assert doctor.kernels_to_try({"name": "accelerate", "kernel": None}) == [None]


def test_the_fastest_kernel_of_its_best_round_is_advised_with_its_line(machine, capsys):
    machine({"SkylakeX": [9.0, 3.0, 9.0] + [9.0] * 9, "Haswell": [9.0, 9.0, 2.0], "Zen": None})
    out = capsys.readouterr().out
    assert "Haswell is 1.5 times as fast as SkylakeX" in out and "OPENBLAS_CORETYPE=Haswell" in out
    assert out.index("Haswell") < out.index("<- in use") and "Zen" not in out
    assert max(map(len, out.split("\n\n", 1)[1].splitlines())) <= 80


def test_where_no_cell_is_measured_at_a_shape_there_is_no_table(capsys):
    """D is min-char-rnn's: `bench --shapes D --cells lstm` has no training step to show."""
    training = measurements.MEASUREMENTS["training"]
    assert command.print_table(training, iter(training.cases(["lstm"], [SHAPES["D"]]))) == []
    assert capsys.readouterr().out == ""
