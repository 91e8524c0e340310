import numpy as np
import pytest

import numpylm as nlm
from numpylm.figures.step_size import derivative_error
from numpylm.lstm import LSTMState, lstm_backward, lstm_cell, lstm_forward
from numpylm.proof.gradient_plots import colors

plt = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed: see requirements.txt")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def report(method="central"):
    x, W = np.random.default_rng(0).standard_normal((2, 4, 4))
    claim = {"x": 2 * (x @ W) @ W.T, "W": 2 * x.T @ (x @ W)}
    claim["W"][:, 2] *= 1.1
    return nlm.check_gradients(lambda x, W: ((x @ W) ** 2).sum(), {"x": x, "W": W}, claim, method)


def test_the_error_map_shows_the_wrong_block(tmp_path):
    figure = report().plot(tmp_path / "errors.png")
    assert (tmp_path / "errors.png").stat().st_size > 1000
    shown = {axes.get_title(): axes.images[0].get_array() for axes in figure.axes if axes.images and axes.get_title()}
    errors = shown["dW 4x4: 4 wrong"]
    assert (errors[:, 2] > -3).all()
    assert (np.delete(errors, 2, axis=1) < -7).all()


def test_a_projection_has_no_map():
    with pytest.raises(ValueError, match="a report by projection"):
        report("projection").plot()


def drawn(figure):
    """Title -> axes of a figure's maps."""
    return {axes.get_title(): axes for axes in figure.axes if axes.get_title()}


def is_orange(axes):
    """Which cells are drawn as wrong."""
    red, _, blue, _ = np.moveaxis(axes.images[0].cmap(axes.images[0].norm(axes.images[0].get_array())), -1, 0)
    return red > blue


def square(**arrays):
    return sum((array**2).sum() for array in arrays.values())


def test_what_is_wrong_is_orange_and_what_is_right_is_blue_however_small():
    x = np.array([1e3, 1e-6, 2.0])
    figure = nlm.check_gradients(square, {"x": x}, {"x": np.array([2e3, 0, 4])}).plot()
    (axes,) = drawn(figure).values()
    assert is_orange(axes).tolist() == [[False, True, False]]
    assert figure.get_suptitle() == "Where the gradients are wrong"


def test_the_title_says_that_nothing_was_proved():
    x = np.ones(3)
    report = nlm.check_gradients(square, {"x": x, "y": x}, {"x": 2 * x})
    assert report.plot().get_suptitle().startswith("Not proved: no entry is wrong")
    assert nlm.check_gradients(square, {"x": x}, {"x": 2 * x}).plot().get_suptitle() == "Every gradient is right"


def test_where_nothing_could_be_compared_the_reason_is_given():
    report = nlm.check_gradients(square, {"x": np.ones(3)}, {"x": np.full(3, np.nan)})
    with pytest.raises(ValueError, match="no entries to draw: the gradient of x is not finite"):
        report.plot()


def test_the_entries_that_were_drawn_of_a_large_array_are_all_seen():
    x = np.random.default_rng(0).standard_normal((200, 300))
    claim = 2 * x
    claim[50:60] *= 1.1
    report = nlm.check_gradients(square, {"x": x}, {"x": claim})
    ((title, axes),) = drawn(report.plot()).items()
    assert title == f"dx 200x300: {report.rows[0].num_wrong} wrong, 1000 of 60000 drawn"
    (dots,) = axes.collections
    wrong = dots.get_array() > -7
    assert len(dots.get_offsets()) == 1000 and wrong.sum() == report.rows[0].num_wrong > 10
    assert {int(y) for _, y in dots.get_offsets()[wrong]} <= set(range(50, 60))


def test_ticks_are_indices():
    arrays = {"s": np.array(2.0), "v": np.ones(7), "t": np.ones((4, 3, 2)), "q": np.ones((2, 3, 4, 5))}
    figure = nlm.check_gradients(square, arrays, {name: 2 * array for name, array in arrays.items()}).plot()
    s, v, t, q = drawn(figure).values()
    assert list(s.get_xticks()) == list(s.get_yticks()) == list(v.get_yticks()) == []
    assert [tick.get_text() for tick in t.get_yticklabels()] == ["0", "1", "2", "3"]
    assert list(t.get_yticks()) == [1, 4, 7, 10] and t.get_ylabel() == "t, with n inside"
    assert [tick.get_text() for tick in q.get_yticklabels()] == ["0", "1"]
    assert list(q.get_yticks()) == [5.5, 17.5]


def test_the_gates_of_packed_weights_are_named():
    rng, cell, (T, N, D, H) = np.random.default_rng(0), lstm_cell(), (3, 2, 4, 3)
    p = cell.Parameters(*[rng.standard_normal(shape) for shape in cell.shapes(D, H).values()])
    x, state, dh = rng.standard_normal((T, N, D)), LSTMState(*np.zeros((2, N, H))), rng.standard_normal((T, N, H))
    found = lstm_backward(p, dh, LSTMState(*np.zeros((2, N, H))), lstm_forward(p, x, state).trace)
    report = nlm.check_gradients(
        lambda p, x: lstm_forward(p, x, state).h,
        {"p": p, "x": x},
        {"p": found.dparameters, "x": found.dx},
        cotangents=dh,
    )
    above = drawn(report.plot())["dp.b 12: 0 wrong"].child_axes[0]
    assert list(above.get_xticks()) == [1, 4, 7, 10]
    assert [label.get_text() for label in above.get_xticklabels()] == ["i", "f", "o", "c̃"]


def test_right_and_wrong_are_told_apart_where_they_meet():
    shades = colors()((np.array([-7.1, -6.9]) + 17) / 18)
    assert shades[0, 2] > shades[0, 0] and shades[1, 0] > shades[1, 2]


def test_the_recommended_steps_are_near_the_best():
    at = {step: derivative_error("central", np.float64, step) for step in (1e-10, 6e-6, 1e-2)}
    assert at[6e-6] < 1e-8 < min(at[1e-10], at[1e-2])
    assert derivative_error("complex", np.float64, 1e-30) < 1e-14
