"""What notebooks show things with: source, tables, and an exercise's verdict."""

import sys

import numpy as np
import pytest

from numpylm.lstm import LSTMStep
from numpylm.notebook import attempt, register_records, show, show_source
from numpylm.rnn import rnn_step, rnn_step_backward


def test_the_source_is_the_files():
    shown = repr(show_source(rnn_step, rnn_step_backward))
    assert shown.startswith("# numpylm/rnn.py\n\ndef rnn_step(")
    assert (
        "    h_t = f(a_t)  # (1)\n    return RNNStep(h_prev, a_t, h_t)\n\n# numpylm/rnn.py\n\ndef rnn_step_back"
        in shown
    )
    assert show_source(LSTMStep).parts[0][1].startswith("class LSTMStep(NamedTuple):")


@pytest.mark.parametrize("other", [np.tanh, pytest.raises, 3, "lstm_step"])
def test_what_is_not_the_packages_is_refused(other):
    with pytest.raises(TypeError, match="function or class of numpylm; got"):
        show_source(other)


def test_html_has_a_link_and_the_text(monkeypatch):
    pytest.importorskip("pygments")
    shown = show_source(rnn_step)._repr_html_()
    assert shown.startswith('<a href="../numpylm/rnn.py">numpylm/rnn.py</a>')
    assert "rnn_step" in shown and "style=" in shown and "background" not in shown
    assert "white-space: pre;" in shown, "a long line scrolls, and is not broken within a word"
    monkeypatch.setitem(sys.modules, "pygments", None)
    plain = show_source(rnn_step)._repr_html_()
    assert "def rnn_step(xW_t, h_prev, W_hh, nonlinearity=&quot;tanh&quot;, recurrent_dropout=None):" in plain


def test_a_record_is_a_table_of_names_shapes_and_numbers():
    step = rnn_step(np.array([[0.5, -1.0]]), np.zeros((1, 2)), np.eye(2))
    assert repr(show(step)).split("\n") == [
        "h_prev  (1, 2)  [ 0.000  0.000]",
        "a_t     (1, 2)  [ 0.500 -1.000]",
        "h_t     (1, 2)  [ 0.462 -0.762]",
    ]


def test_matrices_and_stacks_are_shown_row_by_row():
    shown = repr(show({"x": np.arange(8.0).reshape(2, 2, 2), "name": "left out"}, digits=1, b=np.ones(2)))
    assert shown.split("\n") == [
        "x  (2, 2, 2)  [0] [ 0.0  1.0]",
        "                  [ 2.0  3.0]",
        "              [1] [ 4.0  5.0]",
        "                  [ 6.0  7.0]",
        "b  (2,)       [ 1.0  1.0]",
    ]
    assert repr(show(loss=np.float64(2.5), digits=2)) == "loss  ()  2.50"


def test_ipython_shows_a_record_as_a_table(monkeypatch):
    interactiveshell = pytest.importorskip("IPython.core.interactiveshell", reason="Jupyter is not installed")
    shell = interactiveshell.InteractiveShell()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    register_records()
    step = rnn_step(np.array([[0.5, -1.0]]), np.zeros((1, 2)), np.eye(2))
    data, _ = shell.display_formatter.format(step)
    assert data["text/html"].startswith("<pre") and "a_t     (1, 2)  [ 0.500 -1.000]" in data["text/html"]
    shell.history_manager.enabled = False


def test_an_attempt_says_how_far_an_exercise_is(capsys):
    @attempt
    def unwritten():
        raise NotImplementedError

    @attempt
    def wrong():
        raise AssertionError("one is not two")

    @attempt
    def right():
        pass

    assert capsys.readouterr().out.split("\n")[:3] == ["not written yet", "not right yet: one is not two", "right"]
    with pytest.raises(ZeroDivisionError):
        attempt(lambda: 1 / 0)
