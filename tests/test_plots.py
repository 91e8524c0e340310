"""The learning curve and heat maps: a picture comes out, whatever the run was like, and its labels can be read."""

import math
from itertools import combinations

import numpy as np
import pytest

from numpylm.data.atomic import FileError
from numpylm.data.metrics import COLUMNS
from numpylm.plots import heat_map, learning_curve, save

matplotlib = pytest.importorskip("matplotlib")
figures = pytest.importorskip("matplotlib.figure")
pytest.importorskip("matplotlib.text")

BASELINES = {"uniform": 104.0, "unigram": 52.6, "bigram": 10.9, "5-gram": 9.6}


def rows_of(losses, rows_per_epoch=4):
    """Rows of metrics.csv with these training losses, and a validation at the end of each epoch."""
    rows = []
    for k, loss in enumerate(losses, start=1):
        validated = loss + 0.1 if k % rows_per_epoch == 0 else None
        rows.append(dict.fromkeys(COLUMNS) | {"epoch": k / rows_per_epoch, "train_loss": loss, "valid_loss": validated})
    return rows


FALLING = rows_of([3.0, 2.4, 2.2, 2.1, 2.05, 2.03, 2.01, 2.0])


@pytest.fixture
def figure_of(tmp_path, monkeypatch):
    """A function that draws with another one, and returns the figure that was saved."""
    saved = []
    save = figures.Figure.savefig

    def savefig(figure, path, **options):
        save(figure, path, **options)
        saved.append(figure)

    monkeypatch.setattr(figures.Figure, "savefig", savefig)

    def drawn(plot, *arguments):
        plot(tmp_path / "picture.png", *arguments)
        assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
        return saved.pop()

    return drawn


@pytest.fixture
def draw(figure_of):
    """learning_curve, whose figure is saved."""

    def drawn(rows, reference, title="LSTM on grammar, by words"):
        return figure_of(lambda path: save(learning_curve(rows, reference, title), path))

    return drawn


@pytest.mark.parametrize(
    ("shape", "label", "title", "least"),
    [
        ((1, 2), "alpha, the weight of a source position", "", None),
        ((12, 12), "alpha, the weight of a source position", "", None),
        ((3, 1), "p", "where was the letter before the garden?  library (4.7 %)   BAD: cellar would be right", 0.1),
    ],
)
def test_nothing_of_a_heat_map_is_cut_off(figure_of, shape, label, title, least):
    rows, columns = ([f"sentence {k}" for k in range(number)] for number in shape)
    figure = figure_of(heat_map, np.full(shape, 0.5), rows, columns, label, title, least)
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert 0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height


def texts_of(figure):
    """What is written in a figure, as pairs: the text, and its box in pixels."""
    (axes,) = figure.axes
    texts = [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label, *axes.get_legend().get_texts()]
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        texts += [tick.label1 for tick in axis.get_major_ticks() if limits[0] <= tick.get_loc() <= limits[1]]
    box_of = matplotlib.text.Text.get_window_extent  # without the leader to a label's line
    return [(text.get_text(), box_of(text)) for text in texts if text.get_text()]


@pytest.mark.parametrize(
    "reference",
    [{}, BASELINES, {"floor": 7.1, **BASELINES}, {"floor": 7.1, "5-gram": 7.11, "bigram": 7.12, "unigram": 7.13}],
    ids=["none", "baselines", "floor", "close"],
)
def test_labels_are_in_the_picture_and_do_not_overlap(draw, reference):
    figure = draw(FALLING, reference)
    boxes = texts_of(figure)
    assert len([text for text, _ in boxes if text.split()[0] in reference]) == len(reference)
    width, height = figure.canvas.get_width_height()
    for text, box in boxes:
        assert 0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height, text
    overlapping = [(a[0], b[0]) for a, b in combinations(boxes, 2) if a[1].overlaps(b[1])]
    assert overlapping == []


def test_beside_a_floor_the_picture_shows_per_cents_above_it(draw):
    (axes,) = draw(FALLING, {"floor": 7.1, **BASELINES}).axes
    levels = [line.get_ydata()[0] for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.5]
    assert levels == pytest.approx([0, 100 * (9.6 / 7.1 - 1), 100 * (10.9 / 7.1 - 1)])
    above = [text.get_text() for text in axes.texts if text.get_text().endswith("↑")]
    assert above == ["unigram 52.6 ↑", "uniform 104 ↑"], "named only, for they would squeeze the curves"
    training = axes.lines[0].get_ydata()
    assert training[-1] == pytest.approx(100 * (math.exp(2) / 7.1 - 1)) and "% above the floor" in axes.get_ylabel()
    (axes,) = draw(rows_of([3.0, 2.0, 1.95, 1.95]), {"floor": 7.1}).axes  # a window below the floor is shown
    assert axes.get_ylim()[0] < axes.lines[0].get_ydata()[-1] < 0


def test_the_curves_are_the_perplexities_over_the_epochs(draw):
    (axes,) = draw(FALLING, {}).axes
    training, validation = axes.lines
    assert list(training.get_xdata()) == [k / 8 for k in range(1, 16, 2)], "middles of the parts"
    assert list(training.get_ydata()) == pytest.approx([math.exp(row["train_loss"]) for row in FALLING])
    assert list(validation.get_xdata()) == [1, 2]
    assert list(validation.get_ydata()) == pytest.approx([math.exp(2.2), math.exp(2.1)])


@pytest.mark.parametrize(
    "rows",
    [[], rows_of([2.0]), rows_of([2.0] * 4), rows_of([1e9, 5.0, 2.0, 2.0]), rows_of([None, 2.0, 2.0, 2.0][1:])],
    ids=["none", "one", "flat", "overflow", "short"],
)
def test_unusual_runs_are_drawn_with_readable_ticks(draw, rows):
    figure = draw(rows, BASELINES)
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    assert 0 < low < high < math.inf
    labels = [label.get_text() for label in axes.get_yticklabels() if low <= label.get_position()[1] <= high]
    assert len([label for label in labels if label]) >= 2
    assert not any("$" in label for label in labels), "plain numbers, not powers of ten"


def test_a_notebooks_own_figures_and_backend_are_left_alone(draw):
    backend, style = matplotlib.rcParams["backend"], matplotlib.rcParams["font.size"]
    draw(FALLING, BASELINES)
    assert (matplotlib.rcParams["backend"], matplotlib.rcParams["font.size"]) == (backend, style)


def test_a_picture_of_no_kind_is_refused_by_its_path(tmp_path):
    with pytest.raises(FileError, match=r"a\.xyz: \.xyz is no kind of picture; name a file that ends in \.png"):
        save(learning_curve(FALLING, {}, "a run"), tmp_path / "a.xyz")
    assert not list(tmp_path.iterdir())
