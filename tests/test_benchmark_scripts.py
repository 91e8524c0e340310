"""Scripts of benchmarks/: figures of committed results, the model of K machines, and the count of false alarms."""

import parallel_model
import pytest
from parallel_speed import COUNTS, MODELS, WAYS

from benchmarks.false_alarms import check_one, main
from numpylm.proof.gradient_check import CHECKS


def test_all_figures_are_drawn_their_means_printed_and_settings_left_alone(tmp_path, capsys):
    matplotlib = pytest.importorskip("matplotlib")
    import draw_results

    before = dict(matplotlib.rcParams)
    draw_results.main(draw_results.RESULTS, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["distance", "RNN", "GRU", "LSTM"],
        ["1", "100.0%", "100.0%", "99.9%"],
    ]
    assert lines[-1].split() == ["20–33", "77.6%", "87.7%", "87.1%"]
    for name in ("agreement.png", "long_memory.png", "look_inside.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert dict(matplotlib.rcParams) == before


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


def test_right_gradients_raise_no_alarm_and_an_alarm_shows_in_the_exit_status(monkeypatch, capsys):
    assert main(["2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(CHECKS)
    assert all("2 checks    0 false alarms" in line for line in lines)

    def alarm(seed, method):
        return check_one(seed, method)._replace(complaints=["this is an alarm"] * seed)

    monkeypatch.setattr("benchmarks.false_alarms.check_one", alarm)
    assert main(["2"]) == 1 and "1 false alarms" in capsys.readouterr().out
    assert main(["2", "--foreign"]) == 0


def test_a_count_that_is_none_is_refused():
    with pytest.raises(SystemExit):
        main(["0"])
