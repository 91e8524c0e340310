"""The benchmark's tables: every number is there, in 80 columns, and doubts are spoken."""

import json

import pytest
from bench_examples import example_run

from numpylm.bench import report

NAMES = ("numpylm", "torch", "jax")


@pytest.fixture
def run():
    return example_run()


def whole_text(run, names=NAMES):
    """All that is printed."""
    parts = [report.heading(run["about"], run["threads"]), report.training_heading(names, run["clock"])]
    parts += [report.training_line(row, names) for row in run["training"]]
    parts += [report.training_footer(run["training"], names, run["clock"])]
    parts += [report.per_token_table("Sampling", run["sampling"], names, lambda seconds: 1e6 * seconds)]
    parts += [report.memory_table(run["memory"]), report.goals_table(run)]
    return "\n".join(parts)


@pytest.mark.parametrize("clock", ["wall", "processor"])
def test_everything_fits_into_80_columns(run, clock):
    run["clock"] = clock
    for row in run["training"]:
        row["seconds"] = {name: [1e3 * one for one in times] for name, times in row["seconds"].items()}
        row["cores"] = dict.fromkeys(row["cores"], 0.3)
    assert max(map(len, whole_text(run).splitlines())) <= 80
    assert ("by the processor's clock" in whole_text(run)) == (clock == "processor")
    assert ("it gave 30 % of a processor's time" in whole_text(run)) == (clock == "wall")


def test_a_line_has_milliseconds_ratios_ties_and_spread(run):
    header = report.training_heading(NAMES, "wall").splitlines()[-1]
    assert header.split() == ["floor", "numpylm", "torch", "JAX", "×", "floor", "×", "torch", "×", "JAX", "spread"]
    line = report.training_line(run["training"][0], NAMES)
    assert line.split() == ["LSTM", "A", "1.00", "1.20", "2.00", "1.25", "1.20", "0.60", "0.96", "≈", "0", "%"]
    run["training"][0]["disagreement"]["torch"] = "its loss is wrong"
    line = report.training_line(run["training"][0], NAMES)
    assert line.split() == ["LSTM", "A", "1.00", "1.20", "–", "1.25", "1.20", "–", "0.96", "≈", "0", "%"]


def test_columns_stand_below_their_heads(run):
    header = report.training_heading(NAMES, "wall").splitlines()[-1]
    line = report.training_line(run["training"][0], NAMES)
    for head, value in (("numpylm", "1.20"), ("torch", "2.00"), ("spread", "0 %")):
        assert header.index(head) + len(head) == line.index(value) + len(value)


def test_sizes_without_a_name_have_a_line_of_their_own(run):
    row = run["training"][0] | {"shape": ["3,2,4,5,7", 3, 2, 4, 5, 7]}
    first, second = report.training_line(row, NAMES).splitlines()
    assert first == "LSTM 3,2,4,5,7"
    assert second == report.training_line(run["training"][0], NAMES).replace("LSTM A", "      ")


def test_the_mean_is_shown_where_all_nine_were_measured(run):
    whole = report.training_footer(run["training"], NAMES, "wall")
    assert whole.splitlines()[0].split() == ["geometric", "mean", "of", "nine", "1.20", "0.60", "0.96", "≈"]
    assert "nine" not in report.training_footer(run["training"][:3], NAMES, "wall")


def test_without_rivals_only_the_floor_is_compared(run):
    run["about"] = run["about"] | {"others": {}}
    assert "no PyTorch, no JAX" in report.heading(run["about"], 1)
    assert report.training_heading(("numpylm",), "wall").splitlines()[-1].split() == [
        "floor",
        "numpylm",
        "×",
        "floor",
        "spread",
    ]
    table = report.per_token_table("Sampling", run["sampling"], ("numpylm",), lambda seconds: 1e6 * seconds)
    assert table.splitlines()[-1].split() == ["GRU", "B", "3,000"]


def test_a_kernel_that_is_set_is_said_to_be(run):
    assert "kernel SkylakeX, 1 thread\n" in report.heading(run["about"], 1)
    assert "kernel SkylakeX (set), 2 threads\n" in report.heading(run["about"] | {"coretype": "SkylakeX"}, 2)
    unknown = run["about"] | {"blas": {"name": "accelerate", "version": None, "kernel": None, "threads": None}}
    assert "accelerate, 1 thread\n" in report.heading(unknown, 1)


def test_rates_and_bytes_are_shown(run):
    table = report.per_token_table("Evaluation", run["evaluation"], NAMES, lambda seconds: 1e-3 / seconds)
    assert table.splitlines()[3].split() == ["LSTM", "B", "1.00", "0.400", "2.00", "0.40", "2.00"]
    assert report.memory_table(run["memory"]).splitlines()[2:] == [
        "LSTM C  numpylm        110",
        "LSTM C  torch          500",
        "LSTM C  JAX              –",
    ]


def test_goals_are_met_or_missed(run):
    lines = report.goals_table(run).splitlines()
    assert lines[2].split()[-4:] == ["1.20", "≤", "1.25", "met"]
    assert lines[5].split()[-4:] == ["0.600", "≤", "0.5", "missed"]
    run["training"], run["sampling"], run["memory"] = [], [], []
    assert report.goals_table(run) == ""


def test_a_run_that_was_written_as_json_reads_the_same(run):
    assert whole_text(json.loads(json.dumps(run))) == whole_text(run)


def test_disagreement_and_stolen_cores_are_spoken(run):
    assert report.complaints(run) == []
    run["sampling"][0]["disagreement"]["jax"] = "greedily it draws other tokens"
    run["training"][1]["cores"]["torch"] = 1.9
    assert report.complaints(run) == [
        "LSTM B: JAX is left out: greedily it draws other tokens",
        "LSTM B: torch used 1.9 cores, not 1",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.01234, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (1234, "1,234")],
)
def test_numbers_have_three_digits(value, text):
    assert report.number(value) == text
