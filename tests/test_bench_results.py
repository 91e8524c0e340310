"""From seconds to ratios, means and goals: judged only where they were measured and apply."""

from statistics import geometric_mean

import pytest
from bench_examples import example_run, row

from numpylm.bench import results
from numpylm.bench.shapes import NINE_PAIRS, SHAPES


@pytest.fixture
def run():
    return example_run()


def judged(run):
    """What a goal is about -> (value, met), for the goals that were judged."""
    return {goal.what: (goal.value, goal.met) for goal in results.goals(run) if goal.met is not None}


def rows_of(run, cell, name):
    return [row for row in run["training"] if (row["cell"], row["shape"][0]) == (cell, name)]


def test_a_time_is_a_median_and_a_ratio_one_within_a_round(run):
    first = run["training"][0]
    assert results.typical(first, "torch") == pytest.approx(0.002)
    assert results.times_of(first, "torch") == pytest.approx(0.6)
    assert results.uncertainty(first) == pytest.approx(0)


def test_who_disagrees_or_was_not_measured_has_no_times(run):
    first = run["training"][0]
    first["disagreement"]["torch"] = "its loss is wrong"
    del first["seconds"]["jax"]
    assert results.times_of(first, "torch") is results.times_of(first, "jax") is results.typical(first, "torch") is None
    assert [(name, what) for _, name, what in results.disagreements(run)] == [("torch", "its loss is wrong")]
    assert results.mean_over_nine(run["training"], "torch") is None
    assert results.mean_over_nine(run["training"], "floor") == pytest.approx(1.2)


def test_the_mean_is_geometric_over_the_nine_pairs_and_no_gru():
    quotients = dict(zip(NINE_PAIRS, (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3), strict=True))
    rows = [row(cell, SHAPES[name], seconds=(1.0, q, 1.0, 1.0)) for (cell, name), q in quotients.items()]
    rows.append(row("gru", SHAPES["A"], seconds=(1.0, 50.0, 1.0, 1.0)))
    assert results.mean_over_nine(rows, "torch") == pytest.approx(geometric_mean(quotients.values()))


def test_all_goals_of_a_whole_run_are_judged(run):
    found = judged(run)
    assert len(found) == len(results.goals(run)) == 8
    assert found["× floor, the worst of LSTM and RNN at A B C E"] == (pytest.approx(1.2), True)
    assert found["× torch, geometric mean of the nine"] == (pytest.approx(0.6), True)
    assert found["× torch with AVX-512, geometric mean of the nine"] == (pytest.approx(0.6), False)
    assert found["× torch.lstm_cell, sampling at B"] == (pytest.approx(0.4), True)
    assert found["MiB, the peak of a process that trains LSTM C"] == (110.0, True)


def test_the_floor_is_a_goal_everywhere_but_at_d(run):
    (rnn_d,) = rows_of(run, "rnn", "D")
    rnn_d["seconds"]["numpylm"] = [1.4e-3, 7e-3, 1.4e-3]
    assert judged(run)["× floor, the worst of LSTM and RNN at A B C E"][1]
    assert judged(run)["× torch, the worst of the nine"] == (pytest.approx(0.7), True)
    (lstm_e,) = rows_of(run, "lstm", "E")
    lstm_e["seconds"]["numpylm"] = [1.4e-3, 7e-3, 1.4e-3]
    assert judged(run)["× floor, the worst of LSTM and RNN at A B C E"] == (pytest.approx(1.4), False)


def test_goals_apply_to_their_kernel_and_to_one_thread(run):
    run["about"] = run["about"] | {"coretype": "Haswell", "blas": run["about"]["blas"] | {"kernel": "Haswell"}}
    assert not any("torch, " in what or "AVX" in what for what in judged(run))
    run["about"] = run["about"] | {"coretype": None}
    assert "× torch, the worst of the nine" in judged(run) and not any("AVX" in what for what in judged(run))
    assert not any("torch, " in what for what in judged(run | {"threads": 2}))


def test_what_a_part_of_a_run_cannot_judge_is_no_failure(run):
    run["training"], run["sampling"] = rows_of(run, "lstm", "A"), []
    run["memory"][0]["mib"] = None
    assert judged(run) == {"× torch with AVX-512, LSTM A": (pytest.approx(0.6), True)}
