"""The pictures of README and notebooks: each is drawn, shows something, and comes out the same again."""

import clipping
import gradient_flow
import numpy as np
import pytest
import spectral_radius
import streams
from test_readme import ROOT

import numpylm as nlm
from numpylm.commands import figures as command
from numpylm.commands.cli import main
from numpylm.figures import flow, trained
from numpylm.gru import gru_cell
from numpylm.lstm import lstm_cell
from numpylm.rnn import RNNParameters, rnn_cell

image = pytest.importorskip("matplotlib.image", reason="matplotlib is not installed: see requirements.txt")


@pytest.fixture
def small(monkeypatch):
    """Pictures of the same kind from less computing."""
    for module, name, value in (
        (trained, "NUM_WORDS", 3000),
        (gradient_flow, "FAR", 8),
        (gradient_flow, "WINDOWS", 8),
        (spectral_radius, "FAR", 8),
        (clipping, "GRID", 21),
    ):
        monkeypatch.setattr(module, name, value)
    yield
    trained.corpus.cache_clear()
    trained.trained.cache_clear()


FIGURES = [path.stem for path in sorted(command.SOURCES.glob("[!_]*.py"))]
AGAIN = ("lstm_cell", "lstm_gates", "clipping")  # a diagram, a trained model, an image


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_is_drawn_and_the_same_again(small, name, tmp_path):
    first, second = [tmp_path / folder / f"{name}.png" for folder in ("first", "second")]
    assert main(["figures", name, "--out", str(first.parent)]) == 0
    assert b"Software" not in first.read_bytes()
    if name in AGAIN:
        assert main(["figures", name, "--out", str(second.parent)]) == 0
        assert first.read_bytes() == second.read_bytes()
    pixels = image.imread(first)[..., :3]
    height, width = pixels.shape[:2]
    assert 800 <= width <= 1200 and 400 <= height <= 800
    ink = (pixels != pixels[0, 0]).any(axis=2)
    assert ink.mean() > 0.02
    for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
        assert not edge.any(), "something is cut off at the edge"


def test_the_folder_holds_these_pictures_and_none_is_large():
    paths = sorted((ROOT / "figures").glob("*.png"))
    measured = {"agreement", "long_memory", "look_inside", "parallel_speed", "scaling", "step_page"}
    assert {path.name for path in paths} == {f"{name}.png" for name in measured.union(FIGURES)}
    assert max(path.stat().st_size for path in paths) < 200_000


def test_unknown_pictures_are_refused(capsys, tmp_path):
    assert main(["figures", "lstm_sell", "--out", str(tmp_path / "new")]) == 2
    assert "there is no picture 'lstm_sell'; there are attention, bptt_backward" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_without_a_name_all_are_drawn_and_without_the_repository_none(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "save", lambda name, path: path.write_bytes(b"x"))
    assert main(["figures", "--out", str(tmp_path)]) == 0
    drawn = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert drawn == [str(tmp_path / f"{name}.png") for name in FIGURES] and len(drawn) > 20
    monkeypatch.setattr(command, "SOURCES", tmp_path / "site-packages" / "figures")
    assert main(["figures", "--out", str(tmp_path)]) == 2
    assert "is in the project's repository, not in the installed package" in capsys.readouterr().err


@pytest.mark.parametrize("cell", [rnn_cell("tanh"), lstm_cell(), gru_cell()], ids=lambda cell: cell.name)
def test_gradients_by_distance_are_the_derivatives(cell):
    rng = np.random.default_rng(0)
    T, N, D, H = 4, 2, 3, 5
    parameters = cell.initialize(rng, D, H)
    x, dh_T = rng.standard_normal((T, N, D)), rng.standard_normal((N, H))
    gradients = flow.gradients_by_distance(cell, parameters, x, dh_T)
    assert len(gradients) == T - 1
    state = cell.State(*[np.zeros((N, H)) for _ in cell.State._fields])
    for t in range(T - 1):
        state = cell.forward(parameters, x[t : t + 1], state).state

        def last_h(state, t=t):
            return cell.forward(parameters, x[t + 1 :], state).h[-1]

        claim = {"state": gradients[T - 2 - t]}
        nlm.check_gradients(last_h, {"state": state}, claim, cotangents=dh_T).raise_if_wrong()


def test_at_rest_the_jacobian_of_tanh_is_a_power_of_W_hh():
    W_hh = np.random.default_rng(0).standard_normal((4, 4))
    norms = flow.jacobian_norms(rnn_cell("tanh"), RNNParameters(np.zeros((2, 4)), W_hh, np.zeros(4)), np.zeros((6, 2)))
    assert norms == pytest.approx([np.linalg.norm(np.linalg.matrix_power(W_hh, k), 2) for k in range(1, 6)])


def test_the_picture_of_streams_shows_what_cut_streams_gives():
    cut = nlm.cut_streams(np.arange(len(streams.TOKENS)), streams.N)
    assert cut.inputs.shape == (streams.L, streams.N)
    shown = list(filter(None, [text.get_text() for text in streams.draw().axes[0].texts]))
    first_row = len(shown) - 1 - shown[::-1].index("stream 0")
    assert shown.index("window 0") < first_row
    for n in range(streams.N):
        row = shown[shown.index(f"stream {n}", first_row) + 1 :][: 2 * streams.L]
        assert row[::2] == [streams.TOKENS[k] for k in cut.inputs[:, n]]
        assert row[1::2] == [streams.TOKENS[k] + "?" for k in cut.targets[:, n]]


def test_descent_is_thrown_off_the_cliff_and_clipping_keeps_it():
    thrown, losses = clipping.descend(np.inf)
    assert np.abs(thrown).max() > 5 and min(losses[-10:]) > 1
    kept, losses = clipping.descend(clipping.MAX_NORM)
    assert np.abs(kept).max() < 2 and losses[-1] < 0.01


def test_the_cliffs_gradients_are_right():
    place = {"w": np.array(1.7), "b": np.array(-0.02)}
    claim = {name: np.array(gradient) for name, gradient in clipping.loss_and_gradients(1.7, -0.02)[1].items()}
    nlm.check_gradients(lambda w, b: clipping.loss_and_gradients(float(w), float(b))[0], place, claim).raise_if_wrong()
    surface = clipping.loss_surface(np.array([1.5, 1.7]), np.array([0.1, -0.02]))
    assert surface[1, 1] == pytest.approx(clipping.loss_and_gradients(1.7, -0.02)[0])
