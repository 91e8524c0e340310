"""python -m numpylm step: what it prints fits and is complete, what it refuses, and what it says of a mistake."""

import inspect
import re
import unicodedata
from itertools import pairwise

import numpy as np
import pytest

import numpylm as nlm
from numpylm import lstm
from numpylm.model import MODELS
from numpylm.stepping.small import small_model

TEXT = "the cat sat on the mat.\nthe dog sat on the cat.\n"


@pytest.fixture
def call(call, monkeypatch):
    """call(words of a command line, columns=80) is (status, standard output, standard error)."""

    def called(*arguments, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        return call("step", *arguments)

    return called


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """A folder with untrained models, their vocabularies of TEXT."""
    folder = tmp_path_factory.mktemp("step")
    chars, words = (nlm.build_vocabulary(TEXT, level) for level in ("char", "word"))
    models = {
        "gru": (nlm.GRULM(len(chars), 8, 9, num_layers=2, dropout=0.3), chars),
        "tied": (nlm.LSTMLM(len(words), 6, 6, tie_weights=True), words),
        "relu": (nlm.RNNLM(len(chars), 4, 6, nonlinearity="relu"), chars),
    }
    for name, (model, vocabulary) in models.items():
        nlm.save_checkpoint(folder / f"{name}.npz", model, vocabulary=vocabulary)
    nlm.save_checkpoint(folder / "complex.npz", nlm.RNNLM(len(chars), 2, 3, dtype=complex), vocabulary=chars)
    nlm.save_checkpoint(folder / "no_vocabulary.npz", nlm.RNNLM(5, 2, 3))
    return folder


def columns_of(line):
    return sum(not unicodedata.combining(character) for character in line)


@pytest.mark.parametrize("cell", MODELS)
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_all_fits_into_the_terminal_once_and_every_gradient_has_its_proof(call, cell, columns):
    status, out, err = call("--cell", cell, columns=columns)
    lines, blocks = out.splitlines(), out.split("\n\n")
    assert (status, err) == (0, "") and max(map(columns_of, lines)) <= columns
    verdict = " ".join(blocks[-1].split())
    number = re.fullmatch(r"All (\d+) numbers of gradients are right: the largest error is \de-1[5-7]\.", verdict)
    assert int(number[1]) > 90
    assert "WRONG" not in out and "nan" not in out and "\033" not in out
    assert len(re.findall(r" dh_prev( +-?\d\.\d{4}){3} error \de-\d\d", out)) == 3
    assert len(set(blocks)) == len(blocks) and not any(line == after for line, after in pairwise(lines))
    last = out[out.index("THE PARAMETERS") :]
    assert "\n  dW" in last and "\n  b_y" in last and "\n  dW" not in out[: -len(last)]


def test_a_narrower_terminal_gets_sixty_columns(call):
    assert call(columns=1) == call(columns=59) == call(columns=60)


def test_formulas_are_the_sources_own_lines(call):
    out = call("--cell", "lstm")[1]
    for name in ("lstm_step", "lstm_step_backward"):
        lines = inspect.getsource(getattr(lstm, name)).splitlines()
        formulas = [line.partition("#")[0].strip() for line in lines if re.match(r"    \w+ = ", line)]
        assert len(formulas) > 7
        for formula in formulas:
            assert len(re.findall(rf"^.{{8}}{re.escape(formula)}$", out, re.MULTILINE)) == 3, formula


def test_the_numbers_are_those_of_the_models_own_record(call):
    model, vocabulary = small_model(seed=4)
    tokens = nlm.encode(vocabulary, "look").astype(int)[:, None]
    trace = model.forward(tokens[:-1]).trace.layers[0]
    out = call("--cell", "lstm", "--seed", 4, "--at", 1, "--forward")[1]
    for name in ("i_t", "f_t", "o_t", "c_tilde_t", "c_t", "h_t", "c_prev", "h_prev"):
        (shown,) = re.findall(rf"^ +{name} +([-\d. ]+)$", out, re.MULTILINE)
        assert np.allclose(np.array(shown.split(), float), getattr(trace.steps[1], name)[0], atol=6e-5), name
    assert f"loss {model.loss_and_gradients(tokens[:-1], tokens[1:]).loss:.4f}" in out
    assert "── Step t = 1" in out and "Step t = 0" not in out and "BACKWARD" not in out
    line = inspect.getsourcelines(lstm.lstm_step)[1]
    assert f"lstm_step, numpylm/lstm.py:{line} ──" in out


def test_one_half_or_one_step_can_be_asked_for(call):
    whole = call("--cell", "gru")[1]
    forward, backward = (call("--cell", "gru", flag)[1] for flag in ("--forward", "--backward"))
    both = call("--cell", "gru", "--forward", "--backward")[1]
    assert both == whole == call("--cell", "gru")[1], "the same command prints the same"
    assert "BACKWARD" not in forward and "FORWARD" not in backward
    assert whole.startswith(forward[: forward.index("THE PARAMETERS")])
    assert whole.endswith(backward[backward.index("BACKWARD") :])
    at_2 = call("--cell", "gru", "--at", 2)[1]
    assert re.findall(r" t = (\d)", at_2) == ["2", "2"] and "x[2]" in at_2 and "x[1]" not in at_2
    assert call("--cell", "gru", "--seed", 1)[1] != whole
    out = call("--text", "aababbaab", "--forward")[1]  # V = 3 < T = 8: training would fold E W_x
    assert "reads a a b a b b a a and is to predict a b a b b a a b" in " ".join(out.split())
    assert "x[7]" in out
    assert re.search(r"^ +hW_t +zeros$", call("--cell", "gru", "--at", 0)[1], re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("gru", "the", ["layer 1", "layer 0", "dlayer_1.W_hr", "…", "along one random direction"]),
        ("tied", "the cat sat", ["reads the cat and is to predict cat sat", "and dW_hyᵀ is added"]),
        ("relu", "the c", ["; f is relu", "h_t = f(a_t)"]),
    ],
)
def test_a_run_of_ones_own(call, checkpoints, name, text, expected):
    status, out, err = call("--run", checkpoints / f"{name}.npz", "--text", text)
    assert (status, err) == (0, "") and "are right" in out
    assert max(map(columns_of, out.splitlines()[1:])) <= 80, "all but the run's path"
    assert [words for words in expected if words not in " ".join(out.split())] == []


def test_long_words_and_long_texts_are_broken_and_cut(call, tmp_path):
    vocabulary = nlm.build_vocabulary("internationalisation begins\n", "word")
    nlm.save_checkpoint(tmp_path / "long.npz", nlm.LSTMLM(len(vocabulary), 2, 3, num_layers=2), vocabulary=vocabulary)
    out = call("--run", tmp_path / "long.npz", "--text", "internationalisation begins " * 8, "--at", 14, "--layer", 1)
    assert max(map(columns_of, out[1].replace(str(tmp_path), "").splitlines())) == 80 and "reads internation…" in out[1]
    assert re.findall(r" t = (\d+), layer (\d)", out[1]) == [("14", "1"), ("14", "1")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--at 3", "--at must lie in 0..2; got 3"),
        ("--at -1", "--at must lie in 0..2; got -1"),
        ("--at x", "argument --at: invalid int value: 'x'"),
        ("--layer 1", "--layer must lie in 0..0; got 1"),
        ("--cell transformer", "argument --cell: invalid choice: 'transformer'"),
        ("--text=", "no char occurs"),
        ("--text x", "--text must have 2 to 61 tokens (chars), one to read and one to predict at least; 'x' has 1"),
        (f"--text {'ab' * 33}", "has 66"),
        ("--seed -1", "seed must be an integer, 0 or above; got -1"),
        ("--run gru.npz", "--run needs --text"),
        ("--run gru.npz --text the --seed 1", "a trained model (--run) has no --seed: leave it out"),
        ("--run gru.npz --text the --cell lstm", "gru.npz holds a model of cell gru, not lstm; leave out --cell"),
        ("--run gru.npz --text tXhY", "the vocabulary of gru.npz lacks 'X', 'Y'"),
        ("--run tied.npz --text the", "'the' has 1"),
        ("--run no_vocabulary.npz --text the", "it holds a model without a vocabulary"),
        ("--run complex.npz --text the", "complex.npz holds a model of complex128; this command needs real numbers"),
        ("--run nothing --text the", "there is no run or checkpoint nothing"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(call, checkpoints, monkeypatch, arguments, message):
    monkeypatch.chdir(checkpoints)
    assert message in call(*arguments.split()).refused()


def test_a_mistake_is_pointed_at(call, monkeypatch):
    """As if someone had changed the line of df_t in lstm.py."""
    Step = lstm.LSTMStepGradients
    monkeypatch.setattr(lstm, "LSTMStepGradients", lambda *q: Step(*q)._replace(df_t=1.01 * q[4]))
    status, out, _ = call("--cell", "lstm")
    assert status == 1
    verdict = " ".join(out.split("\n\n")[-1].split())
    assert re.match(r"WRONG: \d+ gradients. The first, .* is df_t \(Back through t = 2\)", verdict)
    assert re.search(r" df_t .*\n  ∂loss/∂f_t .*\n  df_t: WRONG by \d", out)
