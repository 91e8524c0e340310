"""The step command with --attention: what it prints, that its proofs prove, and what it refuses."""

import pytest

from numpylm import attention
from numpylm.commands.cli import main


@pytest.mark.parametrize("kind", ["dot", "additive"])
@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_every_gradient_is_shown_and_right(kind, cell, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["step", "--attention", kind, "--cell", cell, "--text", "abcab"]) == 0
    out = capsys.readouterr().out
    assert "numbers of gradients are right: the largest error is " in out
    assert f"A small {cell.upper()} encoder-decoder" in out and "is to write b a c b a" in out
    assert ("(18)" in out, "dW_sa" in out) == ((True, True) if kind == "additive" else (False, False))
    for shown in (
        "alpha_t",
        "ctx_t",
        "dalpha_t",
        "de_t",
        "dh[5]",
        "dW_cs",
        "Target step t = 5",
        "s_t and h_j are given",
    ):
        assert shown in out, shown


def test_a_wrong_backward_is_found(capsys, monkeypatch):
    right = attention.softmax_backward
    monkeypatch.setattr(attention, "softmax_backward", lambda dy, y: 1.001 * right(dy, y))
    assert main(["step", "--attention", "dot"]) == 1
    assert "WRONG" in capsys.readouterr().out


def test_one_step_and_one_direction(capsys):
    assert main(["step", "--attention", "dot", "--at", "2", "--forward"]) == 0
    out = capsys.readouterr().out
    assert "Target step t = 2" in out and "Target step t = 1" not in out and "BACKWARD" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--layer", "0"], "--attention steps through a small model: leave out --layer"),
        (["--pdb"], "leave out --pdb"),
        (["--at", "5"], "--at must lie in 0..4; got 5"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(arguments, message, capsys):
    assert main(["step", "--attention", "dot", *arguments]) == 2
    assert message in capsys.readouterr().err
