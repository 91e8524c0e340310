"""The model of a step of K machines: what was put into made-up measurements comes out of the fit."""

import parallel_model
import pytest
from parallel_speed import COUNTS, MODELS, WAYS


def made_up(a, b, bandwidth, latency):
    """What parallel_speed.py would write: a second, slower turn each; the wall clock is ten times the processor's."""
    steps = {name: {way: [[10 * (a + b * n), a + b * n], [99, 99]] for way, (*_, n) in WAYS.items()} for name in MODELS}
    totals = {str(count): [[4 * count / bandwidth + latency, 0], [9, 9]] for count in COUNTS}
    return {"load": [1.0, 2.0], "steps": steps, "totals": {"shared memory": totals, "1 Gbit/s": totals}}


def test_the_fit_finds_the_constants_and_the_step_is_the_equation():
    model = parallel_model.fitted(made_up(a=0.02, b=0.005, bandwidth=1e8, latency=1e-4), "2×200", "1 Gbit/s")
    assert (model.a, model.b) == pytest.approx((0.02, 0.005), rel=1e-9)
    assert (model.bandwidth, model.latency) == pytest.approx((1e8, 1e-4), rel=2e-3)
    model = parallel_model.Model(a=0.02, b=0.005, num_bytes=4e6, bandwidth=1e8, latency=1e-4)
    assert model.step(1, 10) == pytest.approx(0.07)
    assert model.step(4, 10) == pytest.approx(0.07 + 2 * 3 / 4 * 0.04 + 1e-4)
    n = model.enough(4, 2)  # 2 (0.02 + 0.005 n) >= 0.02 + 0.005 n + 0.0601
    assert n == 9 and model.step(4, n) <= 2 * model.step(1, n) and model.step(4, n - 1) > 2 * model.step(1, n - 1)


def test_the_picture_has_the_ways_and_two_kinds_of_scaling():
    pytest.importorskip("matplotlib")
    found = made_up(a=0.02, b=0.005, bandwidth=1e8, latency=1e-4)
    ways, strong, weak = parallel_model.draw(found).axes
    assert len(ways.patches) == 10
    for axes in (strong, weak):
        assert all(line.get_ydata()[0] == pytest.approx(1) for line in axes.lines)
    assert [line.get_ydata()[-1] for line in strong.lines] < [line.get_ydata()[-1] for line in weak.lines]
    assert len([*parallel_model.tables(found)]) > 2 * len(WAYS)
