"""The train command: as processes that are stopped, killed and resumed, in terminals and pipes; and what it refuses."""

import json
import os
import signal
import sys
import time

import pytest
from processes import SECONDS, run_in_terminal, run_numpylm, start_numpylm
from run_examples import assert_same_state, state_of

from numpylm.commands import task_command
from numpylm.commands.cli import build_parser
from numpylm.commands.train import KIND
from numpylm.data import grammar
from numpylm.data.metrics import read_metrics

LONG = "--corpus text.txt --level word --epochs 2 -T 8 -N 4 -D 24 -H 48 --dropout 0.2 --out"
SHORT = "--corpus text.txt --level word --epochs 1 -D 8 -H 8 --out"
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a text, and in whole/ a run of LONG that was never stopped."""
    folder = tmp_path_factory.mktemp("train")
    (folder / "text.txt").write_text(grammar.generate_text(3000, 11), encoding="utf-8")
    status, out, err = run_numpylm("train", *LONG.split(), "whole", folder=folder)
    assert status == 0, err
    (folder / "whole.out").write_text(out, encoding="utf-8")
    (folder / "tiny.txt").write_text("hi\n")
    (folder / "chinese.txt").write_text("春眠不觉晓\n处处闻啼鸟\n夜来风雨声\n花落知多少\n" * 40, encoding="utf-8")
    return folder


def wait_for_rows(path, number, validated=False):
    """Waits until a metrics.csv has so many rows, or so many that end an epoch."""
    for _ in range(100 * SECONDS):
        lines = path.read_text(encoding="utf-8").split("\n")[1:-1] if path.exists() else []
        if len([line for line in lines if not validated or line.split(",")[5]]) >= number:
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} did not get {number} rows")


# A whole run


def test_a_run_says_what_it_does_how_good_it_is_and_where_all_is_saved(folder):
    out = (folder / "whole.out").read_text(encoding="utf-8")
    lines = (
        "corpus  text: ",
        " different words\n",
        "model   LSTM language model, D=24, H=48, L=1, dropout 0.2, N=4, T=8\n",
        "folder  whole\n",
    )
    parts = ("epoch 1/2: train perplexity ", "Test perplexity per word", "this LSTM (", "The model writes\n")
    for expected in (*lines, *parts, "Saved in whole:\n", " -m numpylm sample whole\n"):
        assert expected in out, expected
    assert max(len(line) for line in out.splitlines() if "numpylm" not in line) < 80
    files = {path.name for path in (folder / "whole").iterdir()}
    assert files == {"best.npz", "config.json", "last.npz", "learning_curve.png", "metrics.csv", "summary.json"}
    summary = json.loads((folder / "whole" / "summary.json").read_text())
    assert summary["model"] == "lstm" and summary["test_perplexity"] < summary["baselines"]["uniform"]


# Stopped, killed, and resumed


@needs_signals
def test_an_interrupted_process_saves_and_goes_on_bit_for_bit(folder, name="SIGTERM"):
    process = start_numpylm("train", *LONG.split(), name, folder=folder)
    wait_for_rows(folder / name / "metrics.csv", 2)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, err
    assert b"stopping after this step" in err and b"Traceback" not in err
    assert b"all is saved in" in out and f"train --resume {name}".encode() in out
    assert state_of(folder / name)["training"]["step"] < state_of(folder / "whole")["training"]["step"]
    assert run_numpylm("train", "--resume", name, folder=folder)[0] == 0
    assert_same_state(folder / name, state_of(folder / "whole"))


@needs_signals
def test_a_killed_process_goes_on_from_its_last_save_bit_for_bit_and_holds_the_folder_while_it_lives(folder):
    process = start_numpylm("train", *LONG.split(), "killed", folder=folder)
    wait_for_rows(folder / "killed" / "metrics.csv", 1, validated=True)
    process.send_signal(signal.SIGSTOP)  # it lives, and trains no further
    all_rows = read_metrics(folder / "whole" / "metrics.csv")
    trains = len(read_metrics(folder / "killed" / "metrics.csv")) < len(all_rows)
    status, _, err = run_numpylm("train", "--resume", "killed", folder=folder)
    assert not trains or (status == 2 and "another process is training in killed" in err)
    process.kill()
    process.communicate(timeout=SECONDS)
    assert run_numpylm("train", "--resume", "killed", folder=folder)[0] == 0
    assert_same_state(folder / "killed", state_of(folder / "whole"))


def test_an_interruption_of_the_report_is_no_loss(folder, call, monkeypatch):
    def interrupted(run):
        raise KeyboardInterrupt

    monkeypatch.setattr(task_command, "finish", interrupted)
    before = state_of(folder / "whole")
    status, _, err = call("train", "--resume", "whole")
    assert status == 130 and "interrupted" in err and "train --resume whole" in err
    assert_same_state(folder / "whole", before)


def test_a_run_whose_text_has_moved_is_resumed_from_its_new_place(folder, call, tmp_path):
    before = state_of(folder / "whole")
    (folder / "text.txt").rename(tmp_path / "book.txt")
    try:
        assert "--resume whole --corpus NEW_PLACE" in call("train", "--resume", "whole").refused()
        message = call("train", "--resume", "whole", "--corpus", "chinese.txt").refused()
        assert "have changed since it started" in message and "best.npz can be used" in message
        (folder / "whole" / "summary.json").unlink()
        status, out, _ = call("train", "--resume", "whole", "--corpus", tmp_path / "book.txt")
        assert status == 0 and "Test perplexity" in out and (folder / "whole" / "summary.json").exists()
    finally:
        (tmp_path / "book.txt").rename(folder / "text.txt")
    assert call("train", "--resume", "whole", "--corpus", "text.txt")[0] == 0
    assert_same_state(folder / "whole", before)


# Terminals and pipes


@needs_signals
def test_in_a_terminal_there_is_a_bar_and_no_line_is_too_long(folder):
    columns = 80
    arguments = ["-T", "4", "-N", "4", *SHORT.split()]
    status, lines = run_in_terminal("train", *arguments, "terminal", folder=folder, columns=columns)
    assert status == 0
    bars = [part for line in lines for part in line if "|" in part]
    shown = [part for part in bars if "tok/s" in part]
    assert len(shown) >= 2
    for word in ("epoch 1/1", "%|", "loss ", "ppl ", "norm "):
        assert all(word in part for part in shown), word
    assert max(len(part) for line in lines for part in line if "numpylm" not in part) < columns
    assert max(map(len, bars)) == columns - 3, "the bar is as wide as the terminal, but for room for ^C"
    assert "100%" in shown[-1]


def test_a_reader_that_goes_away_does_not_stop_training(folder):
    """As in `train … | head -1`."""
    with start_numpylm("train", *LONG.split(), "piped", folder=folder) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read().decode()
        assert process.wait(SECONDS) == 0
    assert "Traceback" not in err and "Exception ignored" not in err
    assert err.count("the reader of the output has gone; training goes on") == 1
    assert_same_state(folder / "piped", state_of(folder / "whole"))
    assert (folder / "piped" / "summary.json").exists()


# What is refused, or noted, in one line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--out whole", "whole already holds a run"),
        ("--out text.txt --corpus text.txt", "text.txt is a file"),
        ("--corpus nowhere.txt", "nowhere.txt is neither"),
        ("--corpus -", "make a token file of it: prepare - --out FILE.tokens"),
        ("--corpus tiny.txt", "give a longer text"),
        ("--corpus text.txt --batch-size 100000", "N = 100000 streams need at least"),
        ("--corpus text.txt --tie-weights", "D must equal H; got --embedding-dim=64, --hidden-dim=128"),
        ("--clip inf", "--clip must be"),
        ("--model rnn --forget-bias 2", "--forget-bias is an option of --model lstm, not of rnn"),
        ("--uniform-range 0.1 --forget-bias 1", "--uniform-range draws b_f too"),
        ("--nonlinearity relu", "--nonlinearity is an option of --model rnn, not of lstm"),
        ("--split 0.8 0.1 0.1", "--split cuts a corpus that is one file; grammar has its three parts"),
        ("--corpus text.txt --split 0.8 0.1 0.5", "three numbers (train, valid, test) that sum to 1"),
        ("--resume nowhere", "nowhere holds no run"),
        ("--resume whole --model lstm --seed 0 -H 3", "leave out --hidden-dim, --model, --seed"),
        ("--resume whole --out elsewhere", "leave out --out"),
        ("--resume whole --epochs 1", "the run is in epoch 2 already"),
    ],
)
def test_bad_options_are_refused_in_one_line(folder, call, arguments, message):
    before = state_of(folder / "whole")
    refused = call("train", *arguments.split()).refused()
    assert refused.startswith("numpylm train: error: ") and message in refused
    assert_same_state(folder / "whole", before)


def test_options_without_effect_and_words_that_are_lines_are_noted(call, tmp_path):
    arguments = "--corpus chinese.txt --level word --epochs 1 -N 4 -D 4 -H 4 --decay-from 2 --dropout-kind variational"
    status, _, err = call("train", *arguments.split(), "--out", tmp_path / "run")
    assert status == 0
    assert "note: no effect of --decay-from, --dropout-kind with the other options as they are\n" in err
    assert "note: the text has 1.0 words in a line" in err and "take --level char\n" in err
    status, _, err = call("train", "--corpus", "chinese.txt", "--epochs", "1", "-N", "4", "--out", tmp_path / "chars")
    assert status == 0 and "note" not in err


def test_options_become_a_configuration(monkeypatch, folder):
    def begun(arguments):
        monkeypatch.setattr(task_command, "start_run", lambda folder, kind, config, ranks: (folder, config))
        return task_command.begin(build_parser().parse_args(["train", *arguments.split()]), KIND)

    monkeypatch.chdir(folder)
    for arguments, expected in (("--minutes 2", (None, 2.0)), ("--epochs 5 --minutes 2", (5, 2.0)), ("", (3, None))):
        run_folder, config = begun(arguments)
        assert (config.settings.epochs, config.settings.minutes) == expected
    assert str(run_folder) == os.path.join("runs", "lstm-grammar")
    (folder / "grammar").mkdir(exist_ok=True)
    assert begun("")[1].data.corpus == "grammar", "a folder of this name is not the built-in corpus"
    assert (config.data.level, config.model.forget_bias) == ("word", 1.0)
    arguments = "--corpus text.txt --model rnn --nonlinearity relu --optimizer sgd --split 0.9 0 0.1 --uniform-range 1"
    run_folder, config = begun(arguments)
    assert str(run_folder) == os.path.join("runs", "rnn-text")
    whole_path = str((folder / "text.txt").resolve())
    assert config.data.corpus == whole_path, "so that the run can be resumed from another folder"
    assert config.data.level == "char" and config.data.split == (0.9, 0, 0.1)
    assert config.settings.learning_rate == 1.0 and config.model.uniform_range == 1
    assert config.model.nonlinearity == "relu" and config.model.forget_bias is None
