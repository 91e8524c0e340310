"""The doctor on made-up machines: what it tries, what it believes, and what it advises."""

import argparse
from contextlib import ExitStack

import pytest
from bench_examples import ABOUT

from numpylm.bench import doctor_report
from numpylm.commands import doctor
from numpylm.commands.doctor import Measured

OPTIONS = argparse.Namespace(threads=1)


class MadeUpWorker:
    """An OpenBLAS that takes the kernels that it has, at the speed given: kernel -> seconds of a step in each round.

    A speed of None is a kernel whose process crashes at once, an empty list one that crashes when it multiplies."""

    speeds = {}  # noqa: RUF012
    asked = []  # noqa: RUF012

    def __init__(self, threads, kernel=None):
        self.kernel = kernel if kernel in self.speeds else "SkylakeX"
        self.rounds = list(self.speeds[self.kernel] or [])

    def ask(self, task, **arguments):
        if self.speeds[self.kernel] is None or (task == "probe" and not self.rounds):
            raise ChildProcessError("ended")
        self.asked.append((task, self.kernel))
        if task == "about":
            return {"blas": {"kernel": self.kernel}}
        step = self.rounds.pop(0)
        return {"gflops": 1 / step, "step": step}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


@pytest.fixture
def machine(monkeypatch):
    """Sets the machine: its kernels' speeds, and facts that differ from the example's."""

    def made_up(speeds, coretype=None, **blas):
        MadeUpWorker.speeds, MadeUpWorker.asked = speeds, []
        facts = ABOUT | {"coretype": coretype, "blas": ABOUT["blas"] | blas}
        monkeypatch.setattr(doctor, "about", lambda: facts)
        monkeypatch.setattr(doctor, "Worker", MadeUpWorker)
        monkeypatch.setattr(doctor, "candidates", lambda machine, instructions: ["Haswell", "Zen", "SkylakeX"])

    return made_up


def test_kernels_take_turns_and_the_best_round_counts(machine):
    machine({"SkylakeX": [3.0, 2.0, 4.0], "Haswell": [1.0, 9.0, 9.0]})
    with ExitStack() as stack:
        found = doctor.measure(doctor.start_workers(stack, ["Haswell", "Zen", "SkylakeX"], 1))
    assert found == [Measured("Haswell", 1.0, 1.0), Measured("SkylakeX", 0.5, 2.0)]
    assert [kernel for task, kernel in MadeUpWorker.asked if task == "probe"] == ["SkylakeX", "Haswell"] * 3


def test_a_kernel_that_was_not_taken_or_crashes_is_left_out(machine, capsys):
    machine({"SkylakeX": [3.0, 2.0, 4.0], "Haswell": None, "Zen": []})
    doctor.main(OPTIONS)
    out = capsys.readouterr().out
    assert "SkylakeX" in out and "Haswell" not in out and "Zen" not in out


def test_a_kernel_that_openblas_puts_in_anothers_place_is_measured_once_under_its_own_name(machine):
    machine({"SkylakeX": [3.0] * 3})
    with ExitStack() as stack:
        workers = doctor.start_workers(stack, ["Haswell", "Zen", "SkylakeX"], 1)
    assert list(workers) == ["SkylakeX"]


def test_the_fastest_kernel_is_advised_with_its_line(machine, capsys, monkeypatch):
    monkeypatch.setattr(doctor_report, "setting_line", lambda kernel: f"SET {kernel}")
    machine({"SkylakeX": [3.0] * 3, "Haswell": [2.0] * 3})
    doctor.main(OPTIONS)
    out = capsys.readouterr().out
    assert "Haswell is 1.5 times as fast as SkylakeX" in out and out.endswith("\n\n    SET Haswell\n")
    assert out.index("Haswell") < out.index("<- in use")
    assert max(map(len, out.splitlines())) <= 80


def test_a_tie_is_no_reason_to_set_anything(machine, capsys):
    machine({"SkylakeX": [1.1] * 3, "Haswell": [1.0] * 3})
    doctor.main(OPTIONS)
    assert "There is nothing to set: no kernel is faster than SkylakeX by 15 % or more." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("blas", "words"),
    [
        ({"name": "accelerate", "kernel": None}, "Apple's Accelerate"),
        ({"name": "mkl", "kernel": None}, "Intel's MKL"),
        ({"name": "scipy-openblas", "kernel": None}, "Only the kernel in use can be measured"),
    ],
)
def test_without_an_openblas_to_ask_only_what_there_is_is_measured(machine, capsys, blas, words):
    machine({"SkylakeX": [1.0] * 3, "Haswell": [0.5] * 3}, **blas)
    doctor.main(OPTIONS)
    out = capsys.readouterr().out
    assert words in out and "Haswell" not in out and "export" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_facts_name_versions_and_settings():
    text = doctor_report.facts_table(ABOUT, 1, {"OMP_NUM_THREADS": "4", "OPENBLAS_CORETYPE": "", "HOME": "/root"})
    facts = {line.split()[0]: " ".join(line.split()[1:]) for line in text.splitlines()}
    assert facts["Python"] == "3.11.7" and facts["NumPy"] == "2.4.6" and facts["torch"] == "2.13.0"
    assert facts["BLAS"] == "openblas 0.3.30" and facts["kernel"] == "SkylakeX"
    assert facts["processor"] == "A processor, 2 cores"
    assert facts["OMP_NUM_THREADS"] == "4 (set)" and "HOME" not in facts and "OPENBLAS_CORETYPE" not in facts
