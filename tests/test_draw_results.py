"""The recipes' figures: drawn from the committed results, and without changing matplotlib's settings."""

import pytest

matplotlib = pytest.importorskip("matplotlib")

import draw_results  # noqa: E402


def test_all_figures_are_drawn_their_means_printed_and_settings_left_alone(tmp_path, capsys):
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
