from types import SimpleNamespace

import numpy as np
import pytest

from numpylm import lstm
from numpylm.proof import self_proof


@pytest.fixture
def quick(monkeypatch):
    """Only the cells: the models are proved by test_model."""
    monkeypatch.setattr(self_proof, "MODELS", {})


def test_the_package_proves_itself(quick, capsys):
    assert self_proof.gradcheck(SimpleNamespace(seed=1)) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert "Every gradient is right" in printed
    for name in ("sigmoid", "softmax", "embedding", "cross_entropy", "rnn (relu)", "lstm", "gru", "state_0.c"):
        assert name in printed


def test_a_planted_bug_is_found(quick, monkeypatch, capsys):
    right = lstm.sigmoid_backward
    monkeypatch.setattr(lstm, "sigmoid_backward", lambda ds, s: right(ds, s) * (1 + 1e-9))
    assert self_proof.gradcheck(SimpleNamespace(seed=1)) == 1
    assert "WRONG: lstm by complex" in capsys.readouterr().out


def test_every_model_is_among_the_cases():
    names = {case.name for case in self_proof.cases(np.random.default_rng(0))}
    assert names >= {"RNNLM (tanh)", "RNNLM (relu)", "LSTMLM", "LSTMLM, tied", "GRULM", "LSTMLM, dropout"}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("freeze_backward", lambda mask, t, dq: (dq, 0)),
        ("drop", lambda q, mask: q),
    ],
)
def test_a_mask_or_dropout_that_the_backward_forgets_is_found(quick, monkeypatch, capsys, name, wrong):
    right, backward = getattr(lstm, name), lstm.lstm_backward

    def faulty(*arguments):
        monkeypatch.setattr(lstm, name, wrong)
        try:
            return backward(*arguments)
        finally:
            monkeypatch.setattr(lstm, name, right)

    cell = lstm.lstm_cell()._replace(backward=faulty)
    monkeypatch.setattr(self_proof, "CELLS", {"lstm": cell})
    assert self_proof.gradcheck(SimpleNamespace(seed=1)) == 1
    assert "WRONG: lstm, masked by central" in capsys.readouterr().out
