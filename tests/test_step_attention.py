"""The step command with --attention: what it prints, that its proofs prove, and what it refuses."""

import pytest
from translation_examples import random_model

from numpylm import attention
from numpylm.checkpoint import save_checkpoint
from numpylm.commands.cli import main
from numpylm.data.text import build_vocabulary


@pytest.mark.parametrize("kind", ["dot", "additive"])
@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_every_gradient_is_shown_and_right(kind, cell, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["step", "--attention", kind, "--cell", cell, "--text", "abcab"]) == 0
    out = capsys.readouterr().out
    assert "numbers of gradients are right: the largest error is " in out
    assert f"A small {cell.upper()} encoder-decoder" in out and "is to write b a c b a" in out
    assert ("(18)" in out, "dW_sa" in out) == ((True, True) if kind == "additive" else (False, False))
    shown = "alpha_t", "ctx_t", "dalpha_t", "de_t", "dh[5]", "dW_cs", "Target step t = 5", "s_t and h_j are given"
    assert [text for text in shown if text not in out] == []


def test_a_wrong_backward_is_found(capsys, monkeypatch):
    right = attention.softmax_backward
    monkeypatch.setattr(attention, "softmax_backward", lambda dy, y: 1.001 * right(dy, y))
    assert main(["step", "--attention", "dot"]) == 1
    assert "WRONG" in capsys.readouterr().out


def test_one_step_and_one_direction(capsys):
    assert main(["step", "--attention", "dot", "--at", "2", "--forward"]) == 0
    out = capsys.readouterr().out
    assert "Target step t = 2" in out and "Target step t = 1" not in out and "BACKWARD" not in out


@pytest.fixture
def run(tmp_path):
    """A function that saves a translator of seven source and five target tokens, and returns its path."""

    def saved(attention, **options):
        vocabularies = {"source": build_vocabulary("abcde\n", "char"), "target": build_vocabulary("xyz\n", "char")}
        model = random_model(seed=1, embedding_dim=3, bidirectional=True, num_layers=2, attention=attention, **options)
        save_checkpoint(tmp_path / "model.npz", model, vocabularies)
        return str(tmp_path / "model.npz")

    return saved


@pytest.mark.parametrize(("tied", "written"), [(False, "x x x"), (True, r"'\n'")])
def test_a_trained_translator_shows_the_attention_over_a_sentence(run, capsys, tied, written):
    assert main(["step", "--run", run("additive", tie_weights=tied), "--text", "abqe"]) == 0
    out, err = capsys.readouterr()
    assert rf"reads a b <unk> e '\n' and writes {written}" in out and "numbers of gradients are right" in out
    assert "(18)" in out and "(17)" not in out and "dh[4]" in out and "does not know 'q'" in err


@pytest.mark.parametrize(
    ("attention", "arguments", "message"),
    [
        (None, "--layer 0", "step through attention has no --layer: leave it out"),
        (None, "--pdb", "has no --pdb"),
        (None, "--at 5", "--at must lie in 0..4; got 5"),
        ("dot", "--text abc --cell gru", "step through a translator has no --cell"),
        ("dot", "--text abc --html new.html", "has no --html"),
        ("dot", "", "--run needs --text: a few tokens for the model to read, or a sentence to translate"),
        ("none", "--text abc", "has no attention to step through: it was trained with --score none"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(run, call, attention, arguments, message):
    given = ["--run", run(attention)] if attention else ["--attention", "dot"]
    assert message in call("step", *given, *arguments.split()).refused()
