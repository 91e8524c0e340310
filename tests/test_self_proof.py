import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from numpylm import gru, lstm, rnn
from numpylm.commands import gradcheck
from numpylm.proof import cases


def failures(family):
    """The names of a family's cases that the complex step rejects."""
    found = family(np.random.default_rng(1))
    return {case.name for case in found if not gradcheck.prove(case, "complex").ok}


def test_the_package_proves_itself(monkeypatch, capsys):
    few = (cases.function_cases, cases.cell_cases)  # the others are proved below and by test_model
    monkeypatch.setattr(cases, "FAMILIES", few)
    assert gradcheck.run(SimpleNamespace(seed=1)) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert "Every gradient is right" in printed
    for name in ("sigmoid", "softmax", "embedding", "cross_entropy", "rnn (relu)", "lstm", "gru", "state_0.c"):
        assert name in printed


def test_every_family_is_among_the_cases():
    names = {case.name for case in cases.cases(np.random.default_rng(0))}
    assert names >= {
        "affine",
        "lstm, masked",
        "gru records",
        "RNNLM (relu)",
        "LSTMLM, tied",
        "LSTMLM, dropout",
        "two-way gru",
        "additive attention",
        "ctc",
        "translation, rnn",
        "acoustic, lstm",
        "memory, linear",
        "reader",
    }


def test_a_planted_bug_is_found(monkeypatch, capsys):
    right = lstm.sigmoid_backward
    monkeypatch.setattr(cases, "FAMILIES", (lambda rng: itertools.islice(cases.cell_cases(rng), 1),))
    monkeypatch.setattr(cases, "CELLS", {"lstm": cases.CELLS["lstm"]})
    monkeypatch.setattr(lstm, "sigmoid_backward", lambda ds, s: right(ds, s) * (1 + 1e-9))
    assert gradcheck.run(SimpleNamespace(seed=1)) == 1
    assert "lstm by complex" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "wrong"), [("freeze_backward", lambda mask, t, dq: (dq, 0)), ("drop", lambda q, mask: q)]
)
def test_a_mask_or_dropout_that_the_backward_forgets_is_found(monkeypatch, name, wrong):
    right, backward = getattr(lstm, name), lstm.lstm_backward

    def faulty(*arguments):
        monkeypatch.setattr(lstm, name, wrong)
        try:
            return backward(*arguments)
        finally:
            monkeypatch.setattr(lstm, name, right)

    monkeypatch.setattr(cases, "CELLS", {"lstm": lstm.lstm_cell()._replace(backward=faulty)})
    assert failures(cases.cell_cases) == {"lstm, masked", "two-way lstm"}


@pytest.mark.parametrize(("module", "name"), [(rnn, "rnn (relu)"), (lstm, "lstm"), (gru, "gru")])
def test_every_wrong_field_beside_right_gradients_is_found(module, name, monkeypatch):
    """The records say something wrong, and the cell goes on with what is right."""
    cell = cases.CELLS[name]

    def faulty(*arguments, **options):
        found = cell.backward(*arguments, **options)
        steps = [type(step)(*[dq * (1 + 1e-6) for dq in step]) for step in found.steps]
        return found._replace(steps=steps)

    monkeypatch.setattr(cases, "CELLS", {name: cell._replace(backward=faulty)})
    (case,) = cases.record_cases(np.random.default_rng(1))
    report = gradcheck.prove(case, "complex")
    record = getattr(module, f"{module.__name__[8:].upper()}StepGradients")
    fields = {"xW_t" if field == "da_t" else field[1:] for field in record._fields}
    assert {row.name for row in report.rows if row.num_wrong} == fields
