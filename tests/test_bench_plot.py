"""The benchmark's pictures: bars and lines are where the numbers are."""

import math
from itertools import combinations

import pytest
from bench_examples import example_run

from numpylm.bench import plot
from numpylm.bench.scaling import SIZES

figures = pytest.importorskip("matplotlib.figure")


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Draws a run by a function, and returns the axes of the figure that was saved."""
    saved = []
    save = figures.Figure.savefig

    def savefig(figure, path):
        save(figure, path)
        saved.append(figure)

    monkeypatch.setattr(figures.Figure, "savefig", savefig)

    def drawn(function, run):
        function(tmp_path / "speed.png", run)
        assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
        return saved.pop().axes[0]

    return drawn


def tops(axes):
    """The y of every bar's end that is not at 1, implementation by implementation."""
    return [[bar.get_y() + bar.get_height() for bar in bars] for bars in axes.containers]


def test_every_bar_ends_at_its_ratio(draw):
    axes = draw(plot.draw_training, example_run())
    assert tops(axes) == [pytest.approx([quotient] * 13) for quotient in (1.2, 2.0, 1.25)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["numpylm", "torch", "JAX"]
    assert [label.get_text() for label in axes.get_xticklabels()][:5] == [
        "LSTM\nA",
        "LSTM\nB",
        "LSTM\nC",
        "LSTM\nE",
        "RNN\nA",
    ]


def test_bars_do_not_overlap_and_are_told_apart_without_colour(draw):
    axes = draw(plot.draw_training, example_run())
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bars in axes.containers for bar in bars]
    assert not [pair for pair in combinations(sorted(spans), 2) if pair[0][1] > pair[1][0] + 1e-9]
    assert len({bars[0].get_hatch() for bars in axes.containers}) == 3


def test_who_disagrees_has_no_bar_and_who_beats_the_floor_one_that_hangs(draw):
    run = example_run()
    run["training"][0]["disagreement"]["torch"] = "its loss is wrong"
    run["training"][0]["seconds"]["jax"] = [0.5e-3, 2.5e-3, 0.5e-3]
    axes = draw(plot.draw_training, run)
    assert [len(bars) for bars in axes.containers] == [13, 12, 13]
    assert tops(axes)[2][0] == pytest.approx(0.5)
    assert axes.get_ylim()[0] == pytest.approx(0.5)


def test_the_lines_of_growth_are_the_medians_with_their_slopes(draw):
    rows = [{"axis": "T", "size": size, "seconds": [9.0, 1e-3 * size, 1e-9]} for size in SIZES]
    rows += [{"axis": "N", "size": size, "seconds": [1e-3 * math.sqrt(size)] * 3} for size in SIZES]
    axes = draw(plot.draw_scaling, {"scaling": rows})
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["T grows, N = 10: time ~ T$^{1.00}$"].get_ydata()) == pytest.approx(list(SIZES))
    assert list(lines["N grows, T = 10: time ~ N$^{0.50}$"].get_xdata()) == list(SIZES)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
