"""numpylm bench and numpylm doctor as a user runs them: real processes, tiny sizes."""

import json
import subprocess
import sys

import pytest
from processes import ROOT, environment, run_numpylm

from numpylm.bench import run
from numpylm.commands import bench as command
from numpylm.commands import cli, doctor

TINY = ("--quick", "--shapes", "3,2,4,5,7", "--cells", "lstm")
ALONE = """
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("torch", "jax") else find_spec(name, *rest)
"""


@pytest.fixture
def without_rivals(tmp_path):
    """An environment in which neither PyTorch nor JAX is found, as where they are not installed."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(ALONE, encoding="utf-8")
    return environment(PYTHONPATH=str(tmp_path / "site"))


def test_a_quick_run_prints_its_tables_and_writes_json_and_a_picture(tmp_path, without_rivals):
    pytest.importorskip("matplotlib")
    files = ("--json", "speed.json", "--plot", "speed.png")
    status, out, err = run_numpylm("bench", *TINY, "--clock", "processor", *files, folder=tmp_path, env=without_rivals)
    assert (status, err) == (0, "")
    assert "by the processor's clock" in out and "no PyTorch, no JAX" in out and "LSTM 3,2,4,5,7" in out
    for title in ("Training step", "Sampling one sequence", "Evaluation", "Peak memory"):
        assert title in out
    tables = out.split("\n\n", 1)[1]
    assert max(map(len, tables.splitlines())) <= 80
    found = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert (found["threads"], found["rounds"], found["clock"]) == (1, 2, "processor")
    (training,) = found["training"]
    assert (training["cell"], training["shape"]) == ("lstm", ["3,2,4,5,7", 3, 2, 4, 5, 7])
    assert training["seconds"].keys() == {"floor", "numpylm"} and training["disagreement"] == {"numpylm": None}
    assert len(training["seconds"]["floor"]) == len(training["seconds"]["numpylm"]) >= 2
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")


def test_the_script_is_the_command():
    script = [sys.executable, str(ROOT / "benchmarks" / "speed.py"), "--help"]
    out = subprocess.run(script, env=environment(), capture_output=True, text=True, encoding="utf-8", check=True).stdout
    assert out.startswith("usage: python -m numpylm bench")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shapes", "F"], "a shape is one of A, B, C, D, E, or five sizes T,N,D,H,V above 0; got 'F'"),
        (["--rounds", "0"], "rounds must be a positive integer"),
        (["--seconds", "-1"], "seconds must be a"),
        (["--json", "nowhere/speed.json"], "there is no folder for nowhere"),
        (["--plot", "speed.xyz"], "a picture's name ends in .png, .svg, .pdf; got speed.xyz"),
    ],
)
def test_wrong_options_are_answered_before_anything_is_measured(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(command, "Worker", None)
    assert cli.main(["bench", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_kernel_that_is_not_taken_is_an_error(capsys):
    assert cli.main(["bench", *TINY, "--kernel", "Nonsense"]) == 2
    assert "--kernel Nonsense: this BLAS" in capsys.readouterr().err


def test_a_picture_needs_matplotlib(capsys, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert cli.main(["bench", "--plot", "speed.png"]) == 2
    assert "--plot needs matplotlib, which is not installed" in capsys.readouterr().err


class WrongWorker:
    """A worker in whose process PyTorch computes something else."""

    def __init__(self, threads, kernel):
        pass

    def ask(self, task, **arguments):
        from bench_examples import ABOUT, row

        from numpylm.bench.shapes import SHAPES

        if task == "about":
            return ABOUT
        if task == "memory":
            return {"mib": 100.0}
        answer = row("lstm", SHAPES["A"])
        return answer | {"disagreement": answer["disagreement"] | {"torch": "its loss is wrong"}}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


def test_a_wrong_result_is_told_left_out_and_makes_the_status_1(capsys, monkeypatch):
    monkeypatch.setattr(command, "Worker", WrongWorker)
    monkeypatch.setattr(run, "Worker", WrongWorker)
    assert cli.main(["bench", "--shapes", "A", "--cells", "lstm"]) == 1
    out, err = capsys.readouterr()
    assert err.splitlines()[0] == "LSTM A: torch is left out: its loss is wrong"
    (line,) = [line for line in out.splitlines() if line.startswith("LSTM A") and "%" in line]
    assert line.split() == ["LSTM", "A", "1.00", "1.20", "–", "1.25", "1.20", "–", "0.96", "≈", "0", "%"]


def test_growth_is_measured_by_itself(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(command.scaling, "SIZES", (10, 100, 200))
    path = tmp_path / "scaling.json"
    assert cli.main(["bench", "--scaling", "--quick", "--json", str(path)]) == 0
    out = capsys.readouterr().out
    assert "time grows as T^" in out and "Sampling" not in out
    rows = json.loads(path.read_text(encoding="utf-8"))["scaling"]
    assert [(row["axis"], row["size"]) for row in rows] == [(axis, size) for axis in "TN" for size in (10, 100, 200)]


def test_the_doctor_measures_real_kernels(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "PROBE", {"cell": "rnn", "shape": ["tiny", 3, 2, 4, 5, 7], "size": 64, "seconds": 0})
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "NumPy" in out and "GFLOP/s" in out
