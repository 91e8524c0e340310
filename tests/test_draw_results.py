"""The recipes' figures: drawn from results on disk, what is in them, and without changing matplotlib's settings."""

import json
import shutil

import pytest

matplotlib = pytest.importorskip("matplotlib")

import draw_results  # noqa: E402

AGREEMENT = """seed,nearest,farthest,verbs,right,misled,right_where_misled
0,1,1,10,10,0,0
0,3,4,20,18,10,7
1,1,1,10,8,0,0
1,3,4,20,19,10,9
"""
LOSSES = "step,seed_0,seed_1,seed_2\n50,0.3,0.2,0.25\n100,0.1,0.15,0.05\n"


@pytest.fixture
def results(tmp_path):
    """A folder of small results."""
    for cell in ("rnn", "gru", "lstm"):
        (tmp_path / f"grammar-{cell}.csv").write_text(AGREEMENT)
    fields = {"baseline": 0.2, "configuration": {"num_steps": 9}}
    for name in ("adding-rnn", "adding-irnn", "adding-lstm", "copy-rnn", "copy-lstm"):
        (tmp_path / f"{name}.csv").write_text(LOSSES)
        (tmp_path / f"{name}.json").write_text(json.dumps(fields))
    shutil.copy(draw_results.RESULTS / "look.json", tmp_path)
    return tmp_path


def test_all_figures_are_drawn_and_settings_left_alone(results, capsys):
    before = dict(matplotlib.rcParams)
    draw_results.main(str(results), str(results))
    assert capsys.readouterr().out.splitlines() == [
        "distance     RNN     GRU    LSTM",
        "       1   90.0%   90.0%   90.0%",
        "     3–4   92.5%   92.5%   92.5%",
    ]
    for name in ("agreement.png", "long_memory.png", "look_inside.png"):
        assert (results / name).read_bytes().startswith(b"\x89PNG")
    assert dict(matplotlib.rcParams) == before
