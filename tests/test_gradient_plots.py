import numpy as np
import pytest

from numpylm import check_gradients
from numpylm.proof.gradient_plots import colors

plt = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed: see requirements.txt")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def square(**arrays):
    return sum((array**2).sum() for array in arrays.values())


def plotted(arrays, claim, path=None, method="central"):
    """(the figure of a report on the sum of squares, title -> axes of its maps)."""
    figure = check_gradients(square, arrays, claim, method).plot(path)
    return figure, {axes.get_title(): axes for axes in figure.axes if axes.get_title()}


def is_orange(axes):
    """Which cells are drawn as wrong."""
    red, _, blue, _ = np.moveaxis(axes.images[0].cmap(axes.images[0].norm(axes.images[0].get_array())), -1, 0)
    return red > blue


def test_what_is_wrong_is_orange_and_what_is_right_is_blue_however_small(tmp_path):
    x, W = np.array([1e3, 1e-6, 2.0]), np.ones((4, 5))
    claim = {"x": np.array([2e3, 0, 4]), "W": 2 * W * (1 + 0.1 * (np.arange(5) == 2))}
    figure, maps = plotted({"x": x, "W": W}, claim, tmp_path / "errors.png")
    assert (tmp_path / "errors.png").stat().st_size > 1000 and len(list(tmp_path.iterdir())) == 1
    assert is_orange(maps["dx 3: 1 wrong"]).tolist() == [[False, True, False]]
    assert (is_orange(maps["dW 4x5: 4 wrong"]) == (np.arange(5) == 2)).all()
    assert figure.get_suptitle() == "Where the gradients are wrong"
    shades = colors()((np.array([-7.1, -6.9]) + 17) / 18)
    assert shades[0, 2] > shades[0, 0] and shades[1, 0] > shades[1, 2]


@pytest.mark.parametrize(
    ("value", "method", "reason"),
    [(2.0, "projection", "a report by projection"), (np.nan, "central", "the gradient of x is not finite")],
)
def test_where_there_is_nothing_to_draw_the_reason_is_given(value, method, reason):
    with pytest.raises(ValueError, match=f"no entries to draw: .*{reason}"):
        plotted({"x": np.ones(3)}, {"x": np.full(3, value)}, method=method)


def test_the_entries_that_were_drawn_of_a_large_array_are_all_seen():
    x = np.random.default_rng(0).standard_normal((20, 300))
    _, maps = plotted({"x": x}, {"x": 2 * x * (1 + 0.1 * (np.arange(20) == 5))[:, None]})
    ((title, axes),) = maps.items()
    shades = axes.images[0].get_array()
    drawn, wrong = np.isfinite(shades.filled(np.nan)), shades.filled(-17) > -7
    assert title == f"dx 20x300: {wrong.sum()} wrong, 1000 of 6000 drawn" and drawn.sum() == 1000
    assert wrong.sum() > 10 and set(np.nonzero(wrong)[0]) == {5}


def test_ticks_are_indices_and_gates_are_named():
    arrays = {"s": np.array(2.0), "v": np.ones(7), "t": np.ones((4, 3, 2)), "q": np.ones((2, 3, 4, 5))}
    arrays |= {"W_h": np.ones((3, 12)), "b": np.ones(12)}
    _, maps = plotted(arrays, {name: 2 * array for name, array in arrays.items()})
    s, v, t, q, _, b = maps.values()
    assert list(s.get_xticks()) == list(s.get_yticks()) == list(v.get_yticks()) == []
    assert [tick.get_text() for tick in t.get_yticklabels()] == ["0", "1", "2", "3"]
    assert list(t.get_yticks()) == [1, 4, 7, 10] and t.get_ylabel() == "t, with n inside"
    assert list(q.get_yticks()) == [5.5, 17.5]
    assert list(b.child_axes[0].get_xticks()) == [1, 4, 7, 10]
    assert [label.get_text() for label in b.child_axes[0].get_xticklabels()] == ["i", "f", "o", "c̃"]
