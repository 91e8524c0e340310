"""mpiexec -n K python -m numpylm train: one voice, one run folder, the numbers of one process, and a clean end."""

import os
import signal
import sys
import time

import mpi_faults
import numpy as np
import pytest
from mpi_launch import mpi_environment, needs_mpi, run, start
from run_examples import write_corpus

import numpylm as nlm
from numpylm.commands import mpi
from numpylm.commands.cli import main
from numpylm.commands.run_folder import RunError
from numpylm.data.metrics import read_metrics

OPTIONS = "train --corpus tiny.txt --level word -N 5 -T 6 -D 4 -H 5 --dropout 0.2 --optimizer sgd --learning-rate 0.5"


def command(fault, out, *more):
    return mpi_faults.__file__, fault, *OPTIONS.split(), "--out", out, *more


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_corpus(tmp_path)
    (tmp_path / "other.txt").write_text((tmp_path / "tiny.txt").read_text(encoding="utf-8")[:-40], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assert_alike(folder, other):
    """Both runs have the same rows and parameters, to the rounding of float32."""
    rows, others = (read_metrics(path / "metrics.csv") for path in (folder, other))
    assert [row["step"] for row in rows] == [row["step"] for row in others]
    for column in ("train_loss", "gradient_norm", "tokens"):
        np.testing.assert_allclose([row[column] for row in rows], [row[column] for row in others], rtol=1e-5)
    assert rows[-1]["valid_loss"] == pytest.approx(others[-1]["valid_loss"], rel=1e-5)
    mine, theirs = (nlm.load_checkpoint(path / "last.npz").model.parameters() for path in (folder, other))
    for name in mine:
        assert np.abs(mine[name] - theirs[name]).max() <= 1e-5 * np.abs(theirs[name]).max(), name


@needs_mpi
def test_a_run_is_interrupted_and_goes_on_with_another_number_of_processes(folder, capsys):
    """Three processes stop at step 4, in the middle of an epoch; two go on; one process did it all at once."""
    process = start(3, *command("interrupt", "parts", "--epochs", "2"), folder=folder)
    while not (folder / "ready").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.count("Stopped after step") == out.count("3 processes") == err.count("stopping after this step") == 1
    stopped = nlm.load_checkpoint(folder / "parts" / "last.npz").training
    assert stopped.fields["num_streams"] == 5 and stopped.arrays["carried.0.h"].shape == (5, 5)
    status, out, err = run(2, "-m", "numpylm", "train", "--resume", "parts", folder=folder)
    assert (status, out.count("Saved in")) == (0, 1), err
    assert main([*OPTIONS.split(), "--out", "whole", "--epochs", "2"]) == 0
    capsys.readouterr()
    assert_alike(folder / "parts", folder / "whole")


@needs_mpi
@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        ("disk", 2, "numpylm train: error: run/best.npz: No space left on device"),
        ("kill", 9, "KILLED BY SIGNAL: 9|EXIT CODE: 9|Killed"),  # mpiexec's own words
        ("stop", 3, "numpylm: error: process 0 has waited"),
        ("error", 2, "process 1: numpylm train: error: not enough memory"),
        ("text", 2, "numpylm train: error: the data of process 1 and of process 0 differ"),
    ],
)
def test_a_fault_of_one_ends_all_with_one_message(folder, fault, status, message):
    env = mpi_environment(**{mpi.WAIT_VARIABLE: "2" if fault == "stop" else "60"})
    found, out, err = run(3, *command(fault, "run", "--epochs", "1"), folder=folder, env=env)
    assert found == status, err
    assert any(part in out + err for part in message.split("|")), err
    assert "Traceback" not in err and err.count("error") <= 1
    if fault == "text":
        assert not (folder / "run").exists()
    else:
        assert nlm.load_checkpoint("run/last.npz").training.fields["step"] == 0, "the last checkpoint is whole"


@needs_mpi
def test_wrong_options_are_said_once(folder):
    status, out, err = run(2, "-m", "numpylm", "train", "--nothing", folder=folder)
    assert (status, out, err.count("error")) == (2, "", 1)


def test_without_mpi4py_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setenv("PMI_RANK", "1")
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(RunError, match="mpiexec needs mpi4py, pip install"):
        mpi.ranks.__wrapped__()
    assert "PMI_RANK" in os.environ and mpi.is_one_of_several()
    monkeypatch.setenv("PMI_SIZE", "1")
    assert not mpi.is_one_of_several()
